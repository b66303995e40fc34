//! Where the build script finds lld, which links the library: the system's, or the one that rustup's Rust includes.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A directory with the script, a `rustc` that says where its files are, and those files.
fn make(name: &str) -> PathBuf {
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(place.join("system")).unwrap();
    fs::create_dir_all(place.join("rust/lib/rustlib/here/bin/gcc-ld")).unwrap();
    let rustc = place.join("rustc");
    fs::write(&rustc, format!("#!/bin/sh\necho '{}'\n", place.join("rust").display())).unwrap();
    fs::set_permissions(&rustc, Permissions::from_mode(0o755)).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("build.rs");
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let built = Command::new(compiler).args(["--edition", "2024", "-o"]).arg(place.join("script")).arg(source).status();
    assert!(built.unwrap().success());
    place
}

/// What the script says of lld, for this target on the machine `here`.
fn said(place: &Path, target: &str) -> Vec<String> {
    let script = Command::new(place.join("script"))
        .env_clear()
        .envs([("HOST", "here"), ("TARGET", target), ("CARGO_MANIFEST_DIR", "/")])
        .env("PATH", place.join("system"))
        .env("RUSTC", place.join("rustc"))
        .output()
        .unwrap();
    assert!(script.status.success());
    let lines = String::from_utf8(script.stdout).unwrap();
    lines.lines().filter(|line| line.contains("=-B") || line.contains("warning")).map(str::to_owned).collect()
}

#[test]
fn lld_is_the_systems_or_rusts_or_missed() {
    let place = make("build_script");
    let (system, rust) = (place.join("system"), place.join("rust/lib/rustlib/here/bin/gcc-ld"));
    let led_to = |directory: &Path| vec![format!("cargo::rustc-link-arg-cdylib=-B{}", directory.display())];

    assert!(said(&place, "here")[0].starts_with("cargo::warning=lld "));
    fs::write(rust.join("ld.lld"), "").unwrap();
    assert_eq!(said(&place, "here"), led_to(&rust));
    fs::write(system.join("ld.lld"), "").unwrap();
    assert_eq!(said(&place, "here"), Vec::<String>::new());
    assert_eq!(said(&place, "elsewhere"), led_to(&system));
}
