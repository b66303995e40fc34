//! Every link between the project's pages, and from them to its files, leads somewhere; every page has a place in the site.
#![allow(missing_docs, clippy::expect_used, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Component, Path, PathBuf};

#[test]
fn every_link_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages: BTreeMap<PathBuf, String> = pages(root)
        .into_iter()
        .map(|page| (page.clone(), fs::read_to_string(root.join(page)).expect("a page is text")))
        .collect();
    let anchors: BTreeMap<&PathBuf, BTreeSet<String>> =
        pages.iter().map(|(page, text)| (page, anchors(text))).collect();
    let mut faults = String::new();
    let mut links = 0;
    for (page, text) in &pages {
        for (line, target) in targets(text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            links += 1;
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let file = if path.is_empty() { page.clone() } else { beside(page, path) };
            let exists = root.join(&file).exists();
            let has_anchor = anchor.is_empty() || anchors.get(&file).is_some_and(|known| known.contains(anchor));
            if !exists || !has_anchor {
                let _ = writeln!(faults, "{}:{line}: there is no {target}", page.display());
            }
        }
    }
    assert!(faults.is_empty(), "links that lead nowhere:\n{faults}");
    assert!(links > 100, "only {links} links were found");
}

#[test]
fn every_page_is_in_the_contents() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let summary = Path::new("docs/SUMMARY.md");
    let text = fs::read_to_string(root.join(summary)).expect("the contents are text");
    let listed: Vec<PathBuf> = targets(&text).into_iter().map(|(_, target)| beside(summary, &target)).collect();
    for page in pages(root).iter().filter(|page| *page != summary) {
        let times = listed.iter().filter(|other| *other == page).count();
        assert_eq!(times, 1, "{} is in docs/SUMMARY.md {times} times", page.display());
    }
}

/// The Markdown files at the root and under `docs`, from the root.
fn pages(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new(), PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).expect("a folder can be read").flatten() {
            let path = folder.join(entry.file_name());
            if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            } else if folder.starts_with("docs") && entry.path().is_dir() {
                folders.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Where a link of a page leads, from the root.
fn beside(page: &Path, target: &str) -> PathBuf {
    let mut path = page.parent().map(Path::to_path_buf).unwrap_or_default();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::CurDir => {}
            other => path.push(other),
        }
    }
    path
}

/// The lines of a page that are no code, numbered from one.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    text.lines().enumerate().filter_map(move |(number, line)| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        (!in_code && !fence).then_some((number + 1, line))
    })
}

/// What the links and pictures of a page name, with the line. Links may break at the end of a line; code has none.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        // Every second piece between backticks is code.
        let line: String =
            line.split('`').enumerate().map(|(i, piece)| if i % 2 == 0 { piece } else { "code" }).collect();
        for (_, rest) in line.match_indices("](").map(|(at, mark)| line.split_at(at + mark.len())) {
            let target = rest.split([')', ' ']).next().unwrap_or_default();
            found.push((number, target.to_string()));
        }
    }
    found
}

/// The names that a page's headings have as targets of links.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, line) in prose(text) {
        let marks = line.bytes().take_while(|byte| *byte == b'#').count();
        if marks == 0 || !line[marks..].starts_with(' ') {
            continue;
        }
        let name = anchor(&line[marks + 1..]);
        let (mut free, mut times) = (name.clone(), 0);
        while !found.insert(free.clone()) {
            times += 1;
            free = format!("{name}-{times}");
        }
    }
    found
}

/// The name of a heading: small letters, digits, `_` and `-`; blanks become `-`.
fn anchor(heading: &str) -> String {
    heading
        .chars()
        .filter_map(|letter| match letter {
            ' ' => Some('-'),
            '-' | '_' => Some(letter),
            _ if letter.is_alphanumeric() => Some(letter.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}

#[test]
fn links_and_headings_are_read_as_they_are_written() {
    let page = "# One `two` (three)\n[a](b.md#c) ![d](e.svg) `[f](g)`\n```sh\n# no\n[h](i)\n```\n## One two three\n## One\n## One\n";
    let read: Vec<(usize, String)> = targets(page);
    assert_eq!(read, [(2, "b.md#c".to_string()), (2, "e.svg".to_string())]);
    assert_eq!(anchors(page), ["one-two-three", "one-two-three-1", "one", "one-1"].map(String::from).into());
    assert_eq!(beside(Path::new("docs/upstream/a.md"), "../../src/x.rs"), Path::new("src/x.rs"));
}
