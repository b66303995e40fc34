//! Values that belong to one process have places in one page (src/host/fork.rs): no two may have the same.
#![allow(missing_docs, clippy::expect_used, reason = "a test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[test]
fn no_two_values_have_the_same_place() {
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                for place in places(&path) {
                    users.entry(place).or_default().push(path.display().to_string());
                }
            }
        }
    }
    assert!(users.len() > 4, "few places were found: {users:?}");
    for (place, users) in users {
        assert_eq!(users.len(), 1, "place {place} is used by {users:?}");
    }
}

/// The places that a file uses: `PerProcess::new(PLACE)` with a number.
fn places(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let after = text.split("PerProcess::new(").skip(1);
    let places = after.filter_map(|rest| rest.split_once(')').map(|(place, _)| place.to_owned()));
    places.filter(|place| place.parse::<usize>().is_ok()).collect()
}
