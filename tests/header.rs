//! include/uringaio.h says what the library exports: it is made anew and compared. `UPDATE_HEADER=1` writes it.
#![allow(missing_docs, clippy::expect_used, reason = "a test")]

use std::path::PathBuf;

#[test]
fn the_header_is_what_the_library_exports() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is in order");
    let mut made = Vec::new();
    cbindgen::Builder::new()
        .with_config(config)
        .with_src(root.join("src/public_api.rs"))
        .with_src(root.join("src/stats/layout.rs"))
        .generate()
        .expect("the header can be made")
        .write(&mut made);
    let made = String::from_utf8(made).expect("a header is text");
    let kept = root.join("include/uringaio.h");
    if std::env::var_os("UPDATE_HEADER").is_some() {
        std::fs::write(&kept, &made).expect("the header can be written");
    }
    let header = std::fs::read_to_string(&kept).expect("the header is there");
    assert_eq!(
        header, made,
        "include/uringaio.h is not what src/public_api.rs exports: run UPDATE_HEADER=1 cargo test --test header"
    );
}
