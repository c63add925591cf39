"""A file system served by a program, as those over a network are: `fuse.py STORE PLACE KIND PID`, for as long as
that process lives. Unless it is plain it takes capitals for the same letters, and does not tell the kernel, like a folder shared by another system."""
import ctypes, errno, os, select, stat, struct, sys

store, place = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
folding = sys.argv[3] != "plain"
user = os.pidfd_open(int(sys.argv[4]))
libc = ctypes.CDLL(None, use_errno=True)
fd = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={fd},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions"
if libc.mount(b"served", place.encode(), b"fuse", 0, options.encode()):
    sys.exit(os.strerror(ctypes.get_errno()))
paths, numbers = {1: store}, {}


def real(folder, name):
    if folding and not os.path.lexists(os.path.join(folder, name)):
        for other in os.listdir(folder):
            if other.lower() == name.lower():
                name = other
    return os.path.join(folder, name)


def attributes(path):
    s = os.lstat(path)
    return struct.pack("=6Q10I", s.st_ino, s.st_size, s.st_blocks, int(s.st_atime), int(s.st_mtime), int(s.st_ctime),
                       s.st_atime_ns % 10**9, s.st_mtime_ns % 10**9, s.st_ctime_ns % 10**9, s.st_mode, s.st_nlink,
                       s.st_uid, s.st_gid, 0, 4096, 0)


def entry(path):
    inode = os.lstat(path).st_ino
    number = numbers.setdefault(inode, inode + 1000)
    paths[number] = path
    return struct.pack("=4Q2I", number, 0, 0, 0, 0, 0) + attributes(path)


def made(path, uid, gid):
    os.lchown(path, uid, gid)
    return entry(path)


def moved(old, new):
    os.rename(old, new)
    for number, path in paths.items():
        if path == old or path.startswith(old + "/"):
            paths[number] = new + path[len(old):]
    return b""


def change(path, body):
    valid, _, _, size, _, at, mt, _, an, mn, _, mode, _, uid, gid, _ = struct.unpack("=2I6Q8I", body[:88])
    if valid & 1: os.chmod(path, mode & 0o7777)
    if valid & 6: os.lchown(path, uid if valid & 2 else -1, gid if valid & 4 else -1)
    if valid & 8: os.truncate(path, size)
    if valid & 0x1b0:
        s, now = os.lstat(path), None
        pick = lambda set, now, sec, nano, old: old if not valid & (set | now) else int(sec * 10**9 + nano)
        times = (pick(16, 128, at, an, s.st_atime_ns), pick(32, 256, mt, mn, s.st_mtime_ns))
        os.utime(path, ns=times, follow_symlinks=False)
    return struct.pack("=Q2I", 0, 0, 0) + attributes(path)


def listed(path, body):
    _, offset, size = struct.unpack("=2QI", body[:20])
    out = b""
    for number, name in list(enumerate([".", ".."] + sorted(os.listdir(path)), 1))[offset:]:
        s = os.lstat(os.path.join(path, name))
        raw = name.encode()
        one = struct.pack("=2Q2I", s.st_ino, number, len(raw), stat.S_IFMT(s.st_mode) >> 12) + raw
        one += b"\0" * (-len(one) % 8)
        if len(out) + len(one) > size:
            break
        out += one
    return out


def answer(op, node, uid, gid, body):
    path = paths.get(node)
    names = lambda at: [real(path, part.decode()) for part in body[at:].split(b"\0")[:1]][0]
    if op == 26: return struct.pack("=4I2H2I2HI7I", 7, 31, 65536, 0, 12, 9, 65536, 1, 0, 0, 0, *[0] * 7)
    if path is None: raise OSError(errno.ESTALE, "")
    if op == 1: return entry(names(0))
    if op == 3: return struct.pack("=Q2I", 0, 0, 0) + attributes(path)
    if op == 4: return change(path, body)
    if op == 5: return os.readlink(path).encode()
    if op == 6:
        name, target = body.split(b"\0")[:2]
        at = real(path, name.decode())
        os.symlink(target.decode(), at)
        return made(at, uid, gid)
    if op == 8:
        mode = struct.unpack("=I", body[:4])[0]
        os.mknod(names(16), mode)
        return made(names(16), uid, gid)
    if op == 9:
        os.mkdir(names(8), struct.unpack("=I", body[:4])[0] & 0o7777)
        return made(names(8), uid, gid)
    if op == 10: return os.unlink(names(0)) or b""
    if op == 11: return os.rmdir(names(0)) or b""
    if op in (12, 45):
        start = 8 if op == 12 else 16
        old, new = body[start:].split(b"\0")[:2]
        if op == 45 and struct.unpack("=I", body[8:12])[0]: raise OSError(errno.EINVAL, "")
        return moved(real(path, old.decode()), real(paths[struct.unpack("=Q", body[:8])[0]], new.decode()))
    if op == 13:
        os.link(paths[struct.unpack("=Q", body[:8])[0]], names(8))
        return entry(names(8))
    if op in (14, 27): return struct.pack("=Q2I", 0, 1 if op == 14 else 0, 0)
    if op == 15:
        _, offset, size = struct.unpack("=2QI", body[:20])
        with open(path, "rb") as file:
            return os.pread(file.fileno(), size, offset)
    if op == 16:
        _, offset, size = struct.unpack("=2QI", body[:20])
        file = os.open(path, os.O_WRONLY)
        wrote = os.pwrite(file, body[40:40 + size], offset)
        os.close(file)
        return struct.pack("=2I", wrote, 0)
    if op == 17: return struct.pack("=5Q4I6I", 1000, 500, 500, 1000, 500, 4096, 255, 4096, 0, *[0] * 6)
    if op in (18, 20, 25, 29, 30, 34): return b""
    if op == 28: return listed(path, body)
    if op == 35:
        flags, mode = struct.unpack("=2I", body[:8])
        at = names(16)
        os.close(os.open(at, os.O_CREAT | os.O_WRONLY | (flags & (os.O_EXCL | os.O_TRUNC)), mode & 0o7777))
        return made(at, uid, gid) + struct.pack("=Q2I", 0, 1, 0)
    raise OSError(errno.ENOSYS, "")


os.umask(0)
while fd in select.select([fd, user], [], [])[0]:
    try:
        request = os.read(fd, 1 << 20)
    except InterruptedError:
        continue
    except OSError:
        break
    _, op, unique, node, uid, gid = struct.unpack("=2I2Q2I", request[:32])
    if op in (2, 36, 42):
        continue
    try:
        error, out = 0, answer(op, node, uid, gid, request[40:])
    except OSError as failed:
        error, out = -(failed.errno or errno.EIO), b""
    try:
        os.write(fd, struct.pack("=IiQ", 16 + len(out), error, unique) + out)
    except OSError:
        pass
