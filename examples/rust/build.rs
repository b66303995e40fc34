//! With URINGAIO_LINK=1 the programs are linked with the installed uringaio; otherwise preload it.
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=URINGAIO_LINK");
    if std::env::var_os("URINGAIO_LINK").is_none() {
        return;
    }
    let output = Command::new("pkg-config").args(["--variable=libdir", "uringaio"]).output();
    let Some(directory) = output.ok().filter(|output| output.status.success()) else {
        panic!("pkg-config does not know uringaio");
    };
    println!("cargo:rustc-link-search=native={}", String::from_utf8_lossy(&directory.stdout).trim());
    println!("cargo:rustc-link-lib=dylib=uringaio");
}
