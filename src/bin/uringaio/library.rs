//! Where the libraries are: beside this command, as they were built or installed together.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::root::Root;
use crate::uses;

/// The library to preload, and the directory of the drop-in `libaio.so.1`.
#[derive(Clone, Debug)]
pub struct Libraries {
    /// The library, or why there is none.
    pub preload: Result<PathBuf, String>,
    pub drop_in: Option<PathBuf>,
}

/// Looks for them. `chosen` is what the user named.
pub fn find(chosen: Option<&Path>) -> Libraries {
    if let Some(file) = chosen {
        let file = std::path::absolute(file).unwrap_or_else(|_| file.into());
        let beside = file.parent().map(Path::to_path_buf).unwrap_or_default();
        let drop_in = [beside.join("uringaio"), beside.join("../libaio")].into_iter().find(|path| has_drop_in(path));
        let preload = match uses::library_has(&file, uses::MARK) {
            Ok(true) => loadable(file),
            Ok(false) => Err(format!("--library: {} is not a liburingaio.so", file.display())),
            Err(why) => Err(format!("--library: {}: {why}", file.display())),
        };
        return Libraries { preload, drop_in: drop_in.map(plain) };
    }
    let own = own_directory().unwrap_or_default();
    let installed = installed_directories(&own);
    let preload = [own.join("liburingaio.so")]
        .into_iter()
        .chain(installed.iter().map(|path| path.join(SONAME)))
        .find(|path| path.is_file())
        .or_else(known_to_the_loader);
    let drop_in = [own.join("../libaio")]
        .into_iter()
        .chain(installed.iter().map(|path| path.join("uringaio")))
        .chain(preload.iter().filter_map(|file| Some(file.parent()?.join("uringaio"))))
        .find(|path| has_drop_in(path));
    let missing =
        || format!("{SONAME} is neither beside this command nor known to the dynamic linker; name it with --library");
    Libraries { preload: preload.map(plain).ok_or_else(missing).and_then(loadable), drop_in: drop_in.map(plain) }
}

/// The same in another tree, where they are installed: by their names there. `chosen` is a name there, too.
pub fn find_in(root: &Root, chosen: Option<&Path>) -> Libraries {
    let folders = ["usr", "usr/local"].map(|prefix| installed_directories(&Path::new("/").join(prefix).join("bin")));
    let folders: Vec<PathBuf> = folders.concat().into_iter().map(|folder| plain_name(&folder)).collect();
    let is_library = |file: &PathBuf| uses::library_has(&root.find(file), uses::MARK) == Ok(true);
    let preload = match chosen {
        Some(file) => Some(file.to_path_buf()).filter(|file| file.is_absolute()),
        None => folders.iter().map(|folder| folder.join(SONAME)).find(|file| root.find(file).is_file()),
    };
    let drop_in = folders.iter().map(|folder| folder.join("uringaio")).find(|folder| has_drop_in(&root.find(folder)));
    let missing = || format!("{SONAME} is not installed in that tree");
    Libraries { preload: preload.filter(is_library).ok_or_else(missing).and_then(loadable), drop_in }
}

/// Without `bin/..`.
fn plain_name(folder: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in folder.components() {
        if part == std::path::Component::ParentDir {
            plain.pop();
        } else {
            plain.push(part);
        }
    }
    plain
}

const SONAME: &str = "liburingaio.so.1";

/// The dynamic linker cuts its lists at blanks and colons, and knows no way to quote them.
fn loadable(file: PathBuf) -> Result<PathBuf, String> {
    if file.as_os_str().as_encoded_bytes().iter().any(|&byte| byte == b':' || byte.is_ascii_whitespace()) {
        return Err(format!("{}: LD_PRELOAD cannot name a path with a blank or a colon in it", file.display()));
    }
    Ok(file)
}

/// Where the dynamic linker would find it: for a library directory that is not beside the command's.
fn known_to_the_loader() -> Option<PathBuf> {
    let path = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let named = std::env::split_paths(&path).map(|directory| directory.join(SONAME)).find(|file| file.is_file());
    named.filter(|file| file.is_absolute()).or_else(|| {
        let mut known = loader_cache().into_iter().filter(|(name, _)| name == SONAME).map(|(_, file)| file);
        known.find(|file| uses::library_has(file, uses::MARK) == Ok(true))
    })
}

/// What the dynamic linker knows without being told where: names and files, the one that it takes first.
pub fn loader_cache() -> Vec<(String, PathBuf)> {
    let answer = Command::new(ldconfig()).arg("-p").stdin(Stdio::null()).stderr(Stdio::null()).output();
    let list = answer.map(|answer| String::from_utf8_lossy(&answer.stdout).into_owned()).unwrap_or_default();
    // `	libaio.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libaio.so.1`
    list.lines()
        .filter_map(|line| {
            let (name, file) = line.trim().split_once(" => ")?;
            Some((name.split(' ').next()?.to_string(), PathBuf::from(file)))
        })
        .collect()
}

/// Where `ldconfig` is: not on every user's path.
pub fn ldconfig() -> &'static str {
    ["/sbin/ldconfig", "/usr/sbin/ldconfig"].into_iter().find(|path| Path::new(path).exists()).unwrap_or("ldconfig")
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

/// `LD_PRELOAD` without any liburingaio.
pub fn preloads_of_others() -> OsString {
    let list = std::env::var_os("LD_PRELOAD").unwrap_or_default();
    let separators = |byte: &u8| *byte == b':' || byte.is_ascii_whitespace();
    let is_uringaio =
        |entry: &&[u8]| entry.rsplit(|&byte| byte == b'/').next().is_some_and(|name| name.starts_with(b"liburingaio"));
    let others: Vec<&[u8]> =
        list.as_encoded_bytes().split(separators).filter(|entry| !entry.is_empty() && !is_uringaio(entry)).collect();
    OsString::from_vec(others.join(&b':'))
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
