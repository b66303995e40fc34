//! Nothing that is linked or run to build what we ship asks for a newer Rust than `Cargo.toml` names. Whether our own code does
//! is what clippy's `incompatible_msrv` looks after.
#![allow(missing_docs, clippy::expect_used, reason = "a test")]

use std::collections::{HashMap, HashSet};
use std::process::Command;

use serde_json::Value;

#[test]
fn no_crate_asks_for_a_newer_rust_than_we_do() {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--all-features", "--format-version", "1"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .output()
        .expect("cargo can be run");
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).expect("cargo writes JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let packages: HashMap<String, Value> =
        list(&metadata["packages"]).into_iter().map(|package| (text(&package["id"]), package)).collect();
    let nodes: HashMap<String, Value> =
        list(&metadata["resolve"]["nodes"]).into_iter().map(|node| (text(&node["id"]), node)).collect();

    // From ours on, along everything but what only tests need.
    let root = text(&metadata["resolve"]["root"]);
    let ours = version(&packages[&root]["rust_version"]).expect("Cargo.toml has rust-version");
    let (mut due, mut seen) = (vec![root], HashSet::new());
    while let Some(id) = due.pop() {
        if !seen.insert(id.clone()) {
            continue;
        }
        let asks = version(&packages[&id]["rust_version"]);
        assert!(asks.is_none_or(|asks| asks <= ours), "{id} asks for Rust {asks:?}, and we promise {ours:?}");
        for dependency in list(&nodes[&id]["deps"]) {
            if list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev") {
                due.push(text(&dependency["pkg"]));
            }
        }
    }
    assert!(seen.len() > 5, "only {} crates were looked at", seen.len());
}

/// `1.88` or `1.88.0` as numbers.
fn version(text: &Value) -> Option<(u32, u32)> {
    let mut numbers = text.as_str()?.split('.').map_while(|number| number.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}
