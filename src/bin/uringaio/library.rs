//! Where the libraries are: beside this command, as they were built or installed together.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The library to preload, and the directory of the drop-in `libaio.so.1`.
#[derive(Clone, Debug, Default)]
pub struct Libraries {
    pub preload: Option<PathBuf>,
    pub drop_in: Option<PathBuf>,
}

/// Looks for them. `chosen` is what the user named.
pub fn find(chosen: Option<&Path>) -> Libraries {
    if let Some(file) = chosen {
        let file = std::path::absolute(file).unwrap_or_else(|_| file.into());
        let beside = file.parent().map(Path::to_path_buf).unwrap_or_default();
        let drop_in = [beside.join("uringaio"), beside.join("../libaio")].into_iter().find(|path| has_drop_in(path));
        return Libraries { preload: file.is_file().then_some(file), drop_in };
    }
    let Some(directory) = own_directory() else { return Libraries::default() };
    let installed = installed_directories(&directory);
    let preload = [directory.join("liburingaio.so")]
        .into_iter()
        .chain(installed.iter().map(|path| path.join("liburingaio.so.1")))
        .find(|path| path.is_file());
    let drop_in = [directory.join("../libaio")]
        .into_iter()
        .chain(installed.iter().map(|path| path.join("uringaio")))
        .find(|path| has_drop_in(path));
    Libraries { preload: preload.map(plain), drop_in: drop_in.map(plain) }
}

fn has_drop_in(directory: &Path) -> bool {
    directory.join("libaio.so.1").is_file()
}

/// Without `..`, but with links as they are: what was installed under a name is used under it.
fn plain(path: PathBuf) -> PathBuf {
    match (path.parent().and_then(|parent| parent.canonicalize().ok()), path.file_name()) {
        (Some(parent), Some(name)) => parent.join(name),
        _ => path,
    }
}

fn own_directory() -> Option<PathBuf> {
    let command = std::env::current_exe().ok()?;
    command.parent().map(Path::to_path_buf)
}

/// `bin/../lib`, and what distributions make of it.
fn installed_directories(bin: &Path) -> Vec<PathBuf> {
    let multiarch = format!("lib/{}-linux-gnu", std::env::consts::ARCH);
    [multiarch.as_str(), "lib64", "lib"].into_iter().map(|name| bin.join("..").join(name)).collect()
}

/// `LD_PRELOAD` with `library` first.
pub fn preloaded(library: &Path) -> OsString {
    with_first(library, "LD_PRELOAD")
}

/// The variable `name`, a list with colons, with `path` as its first entry.
pub fn with_first(path: &Path, name: &str) -> OsString {
    let mut list = path.as_os_str().to_os_string();
    if let Some(rest) = std::env::var_os(name).filter(|rest| !rest.is_empty()) {
        list.push(":");
        list.push(rest);
    }
    list
}
