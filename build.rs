//! Links the shared library: its name, its symbol versions, and that it stays loaded once it is. Says whether it interposes.

#![allow(clippy::expect_used, reason = "a build without cargo's variables cannot go on")]

fn main() {
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let drop_in = std::env::var_os("CARGO_FEATURE_LIBAIO_ABI").is_some();
    let (name, map) = if drop_in { ("libaio.so.1", "libaio.map") } else { ("liburingaio.so.1", "uringaio.map") };
    println!("cargo::rerun-if-changed={map}");
    // Whether functions of the C library's are replaced by name: the drop-in replaces none, and Miri has its own.
    println!("cargo::rustc-check-cfg=cfg(interposes)");
    if !drop_in && std::env::var_os("CARGO_CFG_MIRI").is_none() {
        println!("cargo::rustc-cfg=interposes");
    }
    for argument in [
        format!("-Wl,-soname,{name}"),
        format!("-Wl,--version-script={root}/{map}"),
        // The library's threads run its code: it can never be unmapped.
        "-Wl,-z,nodelete".into(),
        // GNU ld takes no second version script, and rustc has one of its own.
        "-fuse-ld=lld".into(),
    ] {
        println!("cargo::rustc-link-arg-cdylib={argument}");
    }
    // The compiler finds the system's lld in PATH by itself, but one for another machine looks there for a linker of that machine's
    // name, and lld is one for all. rustup's Rust includes lld, and leads the compiler to it from 1.90 on, on x86-64.
    let is_cross = std::env::var("HOST") != std::env::var("TARGET");
    let of_system = directory_of("ld.lld");
    let is_found = of_system.is_some() && !is_cross;
    match of_system.or_else(lld_of_rust) {
        Some(_) if is_found => {}
        Some(directory) => println!("cargo::rustc-link-arg-cdylib=-B{}", directory.display()),
        None => {
            println!("cargo::warning=lld links the library, and was not found: install it (on Debian the package lld)");
        }
    }
}

/// Where rustup's Rust has an `ld.lld`; the Rust of a distribution has none.
fn lld_of_rust() -> Option<std::path::PathBuf> {
    let answer = std::process::Command::new(std::env::var_os("RUSTC")?).args(["--print", "sysroot"]).output().ok()?;
    let root = std::path::PathBuf::from(String::from_utf8(answer.stdout).ok()?.trim_end());
    let directory = root.join("lib/rustlib").join(std::env::var_os("HOST")?).join("bin/gcc-ld");
    directory.join("ld.lld").exists().then_some(directory)
}

/// The first directory of PATH that has a file of this name.
fn directory_of(name: &str) -> Option<std::path::PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).find(|directory| directory.join(name).exists())
}
