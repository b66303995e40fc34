//! include/uringaio.h says what the library exports: it is made anew and compared. `UPDATE_HEADER=1` writes it. Programs of
//! every C and C++ since 1999 and 2011 can include it.
#![allow(missing_docs, clippy::expect_used, reason = "a test")]

use std::path::PathBuf;
use std::process::Command;

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

/// Whether a compiler takes `source`, warning-free.
fn compiles(compiler: &str, language: &str, standard: &str, source: &str) -> bool {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{compiler}-{standard}.{language}"));
    std::fs::write(&file, source).expect("the source can be written");
    Command::new(compiler)
        .args([&format!("-std={standard}"), "-Wall", "-Wextra", "-Wpedantic", "-Wundef", "-Wconversion", "-Werror"])
        .args(["-fsyntax-only", "-I"])
        .arg(root.join("include"))
        .arg(&file)
        .status()
        .expect("the compiler can be run")
        .success()
}

#[test]
fn the_headers_are_clean_in_every_standard() {
    // What programs look for, by either header, whatever they include first.
    let names = [
        "LIO_READV",
        "LIO_WRITEV",
        "SIGEV_EVENTFD",
        "URINGAIO_HAS_AIO_READV",
        "URINGAIO_HAS_AIO_WAITCOMPLETE",
        "URINGAIO_HAS_SIGEV_EVENTFD",
        "URINGAIO_HAS_DEADLINE",
    ];
    let found: String = names.map(|name| format!("#ifndef {name}\n#error {name} is not defined\n#endif\n")).concat();
    let uses = format!(
        "\n{found}ssize_t all(struct aiocb *request, struct timespec *time);\n\
         ssize_t all(struct aiocb *request, struct timespec *time)\n{{\n\
         request->aio_iovcnt = 1;\n\
         uringaio_sigevent_eventfd(&request->aio_sigevent, 3);\n\
         return aio_readv(request) + aio_writev(request) + uringaio_deadline(request, time) + \
         aio_waitcomplete(&request, time);\n}}\n"
    );
    let languages = [
        ("cc", "c", &["c99", "c11", "c17", "c2x", "gnu99", "gnu17"][..]),
        ("c++", "cc", &["c++11", "c++14", "c++17", "c++20", "c++2b"][..]),
    ];
    for (compiler, language, standards) in languages {
        if Command::new(compiler).arg("--version").output().is_err() {
            eprintln!("{compiler} is not installed");
            continue;
        }
        for standard in standards {
            for includes in ["#include <uringaio.h>", "#include <aio.h>", "#include <aio.h>\n#include <uringaio.h>"] {
                let source = format!("{includes}{uses}");
                assert!(compiles(compiler, language, standard, &source), "{compiler} -std={standard}:\n{source}");
            }
            // libaio's own header needs a GNU standard for io_pgetevents; this one does not.
            let source = "#include <libaio.h>\nint wait_for(io_context_t context, struct io_event *event, sigset_t *mask);\n\
                int wait_for(io_context_t context, struct io_event *event, sigset_t *mask)\n{\n    \
                return io_pgetevents(context, 1, 1, event, NULL, mask);\n}\n";
            assert!(compiles(compiler, language, standard, source), "{compiler} -std={standard}:\n{source}");
        }
    }
}
