//! What we ship may be shipped under MIT or Apache-2.0: so says the licence of every crate that is linked or run to build it.
#![allow(missing_docs, clippy::expect_used, reason = "a test")]

use std::process::Command;

/// Licences that ask for no more than their text to be passed on.
const GOOD: [&str; 5] = ["MIT", "Apache-2.0", "Unlicense", "Zlib", "Unicode-3.0"];

#[test]
fn every_crate_we_ship_has_a_licence_that_suits_ours() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--all-features", "--edges", "normal,build", "--prefix", "none"])
        .args(["--format", "{p}|{l}", "--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .output()
        .expect("cargo can be run");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let lines = String::from_utf8(tree.stdout).expect("names are text");
    let mut crates = 0;
    for line in lines.lines() {
        let (name, licence) = line.trim_end_matches(" (*)").split_once('|').expect("the format has a bar");
        assert!(suits(licence), "{name} is under {licence:?}");
        crates += 1;
    }
    assert!(crates > 5, "cargo tree showed {crates} crates");
}

/// Whether one of the ways that the expression leaves open is good throughout: `AND` binds more tightly than `OR`, and the
/// slash of older crates means `OR`.
fn suits(expression: &str) -> bool {
    let plain = expression.replace('/', " OR ");
    if let Some(inner) = plain.strip_prefix('(')
        && let Some((inner, rest)) = inner.split_once(')')
    {
        return suits(inner) && rest.trim().strip_prefix("AND ").is_none_or(suits);
    }
    plain.split(" OR ").any(|way| way.split(" AND ").all(|licence| GOOD.contains(&licence.trim())))
}

#[test]
fn expressions_are_read_as_they_are_meant() {
    assert!(suits("MIT OR Apache-2.0") && suits("MIT/Apache-2.0") && suits("GPL-3.0 OR MIT"));
    assert!(suits("Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT"));
    assert!(!suits("GPL-3.0") && !suits("MIT AND GPL-3.0") && !suits("(MIT OR Apache-2.0) AND MPL-2.0") && !suits(""));
}
