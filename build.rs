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
        // GNU ld takes no second version script, and rustc has one of its own. Where rustc does not include lld (before 1.90, and
        // on machines other than x86-64), the system's is found.
        "-fuse-ld=lld".into(),
    ] {
        println!("cargo::rustc-link-arg-cdylib={argument}");
    }
    // A compiler for another machine looks for a linker of that machine's name, in PATH, and lld is one for all.
    if std::env::var("HOST") != std::env::var("TARGET")
        && let Some(directory) = directory_of("ld.lld")
    {
        println!("cargo::rustc-link-arg-cdylib=-B{}", directory.display());
    }
}

/// The first directory of PATH that has a file of this name.
fn directory_of(name: &str) -> Option<std::path::PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).find(|directory| directory.join(name).exists())
}
