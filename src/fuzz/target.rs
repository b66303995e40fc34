//! What a target of the fuzzer is, for the library's and the command's, and how its kept inputs are replayed.

/// A name, and what takes the bytes. It fails by a panic.
pub type Target = (&'static str, fn(&[u8]));

/// Feeds each target what is kept for it in `fuzz/`.
#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test")]
pub fn replay(targets: &[Target]) {
    for &(name, feed) in targets {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name);
        let mut count = 0;
        for file in std::fs::read_dir(folder).expect("each target has a folder").flatten() {
            feed(&std::fs::read(file.path()).expect("a file"));
            count += 1;
        }
        assert!(count > 0, "fuzz/{name} is empty");
    }
}
