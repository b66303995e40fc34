//! What we ship may be shipped under MIT or Apache-2.0: so says the licence of every crate that is linked or run to build it.
//! The notices of those that are linked are in THIRD-PARTY.txt, which `UPDATE=1 cargo test --test licences` writes.
#![allow(missing_docs, clippy::expect_used, reason = "a test")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Licences that ask for no more than their text to be passed on.
const GOOD: [&str; 5] = ["MIT", "Apache-2.0", "Unlicense", "Zlib", "Unicode-3.0"];

#[test]
fn every_crate_we_ship_has_a_licence_that_suits_ours() {
    let crates = crates("normal,build");
    for (name, licence) in &crates {
        assert!(suits(licence), "{name} is under {licence:?}");
    }
    assert!(crates.len() > 5, "cargo tree showed {} crates", crates.len());
}

#[test]
fn the_notices_of_what_is_linked_are_current() {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("THIRD-PARTY.txt");
    let made = notices();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&place, &made).expect("the notices can be written");
    }
    let kept = fs::read_to_string(&place).expect("THIRD-PARTY.txt is there");
    assert!(kept == made, "THIRD-PARTY.txt is not current: UPDATE=1 cargo test --test licences");
}

/// The crates, by name and version, and their licences; none of them ours.
fn crates(edges: &str) -> BTreeMap<String, String> {
    cargo(&["tree", "--locked", "--all-features", "--edges", edges, "--prefix", "none", "--format", "{p}|{l}"])
        .lines()
        .map(|line| line.trim_end_matches(" (*)").split_once('|').expect("the format has a bar"))
        .filter(|(name, _)| !name.starts_with("uringaio "))
        .map(|(name, licence)| (name.trim_end_matches(" (proc-macro)").replace(" v", " "), licence.to_string()))
        .collect()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .output()
        .expect("cargo can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("names are text")
}

/// The text under MIT of every crate that the library or the command is linked with, each text once.
fn notices() -> String {
    let linked = crates("normal,no-proc-macro");
    let metadata: serde_json::Value =
        serde_json::from_str(&cargo(&["metadata", "--locked", "--all-features", "--format-version", "1"]))
            .expect("cargo writes JSON");
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in metadata["packages"].as_array().expect("there are packages") {
        let text = |key: &str| package[key].as_str().expect("a text").to_string();
        let name = format!("{} {}", text("name"), text("version"));
        if linked.contains_key(&name) {
            let folder = Path::new(&text("manifest_path")).parent().expect("a manifest is in a folder").to_path_buf();
            let licence = ["LICENSE-MIT", "LICENSE"].iter().find_map(|file| fs::read_to_string(folder.join(file)).ok());
            let licence = licence.expect("a crate has its licence's text").replace('\r', "");
            let trimmed: Vec<&str> = licence.trim().lines().map(str::trim_end).collect();
            texts.entry(trimmed.join("\n")).or_default().push(name);
        }
    }
    assert_eq!(texts.values().map(Vec::len).sum::<usize>(), linked.len(), "a crate is missing");
    let mut notices = String::from(
        "uringaio is linked with the crates below, of which it chooses the licence MIT, and with the Rust standard\n\
         library (MIT or Apache-2.0, https://www.rust-lang.org/policies/licenses).\n",
    );
    for (text, mut names) in texts {
        names.sort();
        let _ = write!(notices, "\n{}\n{}\n\n{text}\n", "-".repeat(80), names.join(", "));
    }
    notices
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
