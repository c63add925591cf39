// One attempt per word: ends with 0 when it got through. Run without a sandbox first, where it must.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

static struct sockaddr_un at(const char *path) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    strncpy(a.sun_path, path, sizeof a.sun_path - 1);
    return a;
}

int main(int argc, char **argv) {
    const char *what = argv[1], *with = argc > 2 ? argv[2] : "";
#define IS(name) (!strcmp(what, name))
    if (IS("raw-datagram") || IS("raw-pair")) {
        int pair[2];
        int s = IS("raw-pair") ? (socketpair(AF_UNIX, SOCK_RAW, 0, pair) ? -1 : pair[0]) : socket(AF_UNIX, SOCK_RAW, 0);
        struct sockaddr_un a = at(with);
        return sendto(s, "x", 1, 0, (void *)&a, sizeof a) != 1;
    }
    if (IS("limits")) {
        // At an address whose lower half is zero.
        struct rlimit *r = mmap((void *)0x200000000, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        getrlimit(RLIMIT_NOFILE, r);
        r->rlim_cur = 77;
        return syscall(SYS_prlimit64, atoi(with), RLIMIT_NOFILE, r, 0) != 0;
    }
    if (IS("passed-descriptor")) {
        int s = socket(AF_UNIX, SOCK_STREAM, 0);
        struct sockaddr_un a = at(with);
        if (connect(s, (void *)&a, sizeof a)) return 1;
        char byte, room[64];
        struct iovec part = {&byte, 1};
        struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
        if (recvmsg(s, &m, 0) != 1 || !CMSG_FIRSTHDR(&m)) return 1;
        return write(*(int *)CMSG_DATA(CMSG_FIRSTHDR(&m)), "x", 1) != 1;
    }
    if (IS("fast-open")) {
        int s = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(atoi(with)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        return sendto(s, "x", 1, MSG_FASTOPEN, (void *)&a, sizeof a) != 1;
    }
    if (IS("source-route")) {
        unsigned char route[] = {131, 7, 4, 127, 0, 0, 1, 1};
        return setsockopt(socket(AF_INET, SOCK_STREAM, 0), IPPROTO_IP, 4, route, sizeof route) != 0;
    }
    if (IS("attach-memory")) return shmat(atoi(with), 0, 0) == (void *)-1;
    if (IS("memory-by-key")) return shmget(atoi(with), 0, 0) < 0;
    if (IS("remove-memory")) return shmctl(atoi(with), IPC_RMID, 0) < 0;
    if (IS("keyring")) return syscall(SYS_keyctl, 0, -3, 1) < 0;
    // Without a place for the answer: an error of the kernel's, not of a filter.
    if (IS("io-uring")) return !(syscall(SYS_io_uring_setup, 1, 0) < 0 && errno == EFAULT);
    if (IS("vsock")) return socket(40, SOCK_STREAM, 0) < 0;
    if (IS("entry-32")) {
        long number = 20;
#ifdef __x86_64__
        __asm__ volatile("int $0x80" : "+a"(number) : : "r8", "r9", "r10", "r11", "memory");
#else
        number = -1;
#endif
        return number <= 0;
    }
    if (IS("kernel-events")) return socket(AF_NETLINK, SOCK_RAW, 15) < 0;
    if (IS("raw-internet")) return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) < 0;
    if (IS("memory")) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%s/mem", with);
        return open(path, O_RDWR) < 0;
    }
    if (IS("attach")) return ptrace(PTRACE_ATTACH, atoi(with), 0, 0) != 0;
    if (IS("descriptors")) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%s/fd/0", with);
        return readlink(path, path, sizeof path) < 0;
    }
    if (IS("supervisor")) {
        // The parent is the supervisor, or process 1 of the namespace.
        char path[64];
        int worked = ptrace(PTRACE_ATTACH, getppid(), 0, 0) == 0;
        const char *names[] = {"mem", "fd/0", "fd/3", "environ", "root", "cwd/x"};
        for (int i = 0; i < 6; i++) {
            snprintf(path, sizeof path, "/proc/%d/%s", getppid(), names[i]);
            worked |= open(path, O_RDONLY) >= 0;
        }
        return !worked;
    }
    if (IS("memfd")) {
        int from = open("/proc/self/exe", O_RDONLY), to = memfd_create("x", 0);
        char buffer[65536];
        for (ssize_t n; (n = read(from, buffer, sizeof buffer)) > 0;)
            if (write(to, buffer, n) != n) return 1;
        char *args[] = {"x", "create", (char *)with, 0}, *none[] = {0};
        syscall(SYS_execveat, to, "", args, none, AT_EMPTY_PATH);
        return 1;
    }
    if (IS("create")) return open(with, O_CREAT | O_WRONLY, 0600) < 0;
    if (IS("read")) return open(with, O_RDONLY | O_NOCTTY) < 0;
    if (IS("mode-by-descriptor")) {
        char path[64];
        snprintf(path, sizeof path, "/proc/self/fd/%d", open(with, O_PATH));
        return chmod(path, 0600) != 0;
    }
    if (IS("times-by-descriptor")) {
        struct timespec t[2] = {{1, 0}, {1, 0}};
        return futimens(open(with, O_RDONLY), t) != 0;
    }
    if (IS("attributes")) return setxattr(with, "user.codex", "x", 1, 0) != 0;
    if (IS("attributes-by-descriptor")) return fsetxattr(open(with, O_RDONLY), "user.codex", "x", 1, 0) != 0;
    if (IS("console")) {
        // The kernel says that it is no terminal; the filter answers before.
        return !(ioctl(open("/dev/null", O_RDONLY), 0x541C, "\2") && errno == ENOTTY);
    }
    if (IS("x32")) return syscall(0x40000000 | SYS_getpid) <= 0;
    return 99;
}
