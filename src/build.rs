//! How the program is linked. It starts once for every command it supervises, so what the system's loader does then
//! is worth saving: relocations in the short form, which is a megabyte less to read, and the unwinder inside, which
//! is a library less to map and set up. Only where this machine and the target are the same and have both; elsewhere
//! the linker's own ways are as good.
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "cargo asks and is answered in this way")]

use std::env;
use std::process::Command;

/// The first C library that reads the short form.
const SHORT_FORM: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-changed=src/build.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let native = env::var("HOST").is_ok() && env::var("HOST") == env::var("TARGET");
    if !native || !is("CARGO_CFG_TARGET_OS", "linux") || !is("CARGO_CFG_TARGET_ENV", "gnu") {
        return;
    }
    // "glibc 2.36"
    let version = answer("getconf", &["GNU_LIBC_VERSION"]);
    let number = version.rsplit(' ').next().and_then(|number| {
        let mut parts = number.split('.').map(str::parse);
        Some((parts.next()?.ok()?, parts.next()?.ok()?))
    });
    if number.is_some_and(|number: (u32, u32)| number >= SHORT_FORM) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    // A path when it is there, else the name as given.
    if answer("cc", &["-print-file-name=libgcc_eh.a"]).contains('/') {
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}

/// What a program prints; nothing when it cannot be asked.
fn answer(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output().ok().filter(|output| output.status.success());
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
