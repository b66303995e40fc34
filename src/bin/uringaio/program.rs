//! A program before it is run: where it is, what runs it, and whether a library can be put under it.

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::elf::{Image, Kind};
use crate::failure::{CANNOT, Failure, NOT_FOUND};
use crate::process::Process;
use crate::root::Root;

/// Interpreters that name an interpreter in their turn; the kernel allows a few.
const MOST_INTERPRETERS: usize = 5;

/// The file that was named and the file that runs.
#[derive(Debug)]
pub struct Program {
    /// The file that was named.
    pub file: PathBuf,
    /// The ELF file that runs: of a script, its interpreter.
    pub image: PathBuf,
}

/// Finds a program as a shell would.
pub fn find(name: &OsStr) -> Result<PathBuf, Failure> {
    if name.is_empty() {
        return Err(Failure::new(NOT_FOUND, "there is no program without a name"));
    }
    let candidates: Vec<PathBuf> = if name.as_bytes().contains(&b'/') {
        vec![name.into()]
    } else {
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
        std::env::split_paths(&path).map(|directory| directory.join(name)).collect()
    };
    let mut refused = None;
    for file in candidates {
        match file.metadata() {
            Ok(status) if status.is_file() && is_executable(&file) => return Ok(file),
            Ok(_) => refused = refused.or(Some(file)),
            Err(_) => {}
        }
    }
    Err(match refused {
        Some(file) => Failure::new(CANNOT, format!("{} cannot be executed", file.display())),
        None => Failure::new(NOT_FOUND, format!("there is no program {}", name.display())),
    })
}

fn is_executable(file: &Path) -> bool {
    let Ok(name) = CString::new(file.as_os_str().as_bytes()) else { return false };
    // SAFETY: reads a C string.
    unsafe { libc::access(name.as_ptr(), libc::X_OK) == 0 }
}

impl Program {
    /// Finds the program `name`, and fails with a reason if no library can be put under it.
    pub fn open(name: &OsStr) -> Result<Self, Failure> {
        let file = find(name)?;
        let mut image = file.clone();
        for _ in 0..MOST_INTERPRETERS {
            let opened = Image::open(&image).map_err(|error| {
                let of = if image == file { String::new() } else { format!("the interpreter of {}, ", file.display()) };
                Failure::new(CANNOT, format!("{of}{}: {error}", image.display()))
            })?;
            let Some(line) = opened.script_line() else { return Self { file, image }.check(&opened) };
            let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            let Some(interpreter) = words.next() else {
                return Err(Failure::new(CANNOT, format!("{} names no interpreter", image.display())));
            };
            // `#!/usr/bin/env NAME` runs NAME.
            let by_env = Path::new(OsStr::from_bytes(interpreter)).file_name() == Some(OsStr::new("env"));
            let word = words.find(|word| !word.starts_with(b"-") && !word.contains(&b'=')).filter(|_| by_env);
            image = match word {
                Some(word) => find(OsStr::from_bytes(word))?,
                None => PathBuf::from(OsStr::from_bytes(interpreter)),
            };
        }
        Err(Failure::new(CANNOT, format!("{}: too many interpreters", file.display())))
    }

    fn check(self, image: &Image) -> Result<Self, Failure> {
        // The kernel knows other programs (binfmt_misc), and runs ELF files that are damaged where it does not look. `execvp`
        // gives what the kernel refuses to the shell.
        let kind = Some(image.kind()).filter(|kind| *kind != Kind::Other);
        let why = match (kind.as_ref().and_then(unservable), self.privileged()) {
            (Some(why), _) => why.to_string(),
            (None, Some(why)) => format!("{why}: {ADVICE_FOR_PRIVILEGED}"),
            (None, None) => return Ok(self),
        };
        Err(Failure::new(CANNOT, format!("{} {why}", self.image.display())))
    }

    /// Why the kernel would run it with more rights than the caller has (`AT_SECURE`).
    fn privileged(&self) -> Option<&'static str> {
        if Process::own().status("NoNewPrivs").is_some_and(|mode| mode == "1") {
            return None;
        }
        let status = self.image.metadata().ok()?;
        // SAFETY: these take no arguments.
        let (user, group) = unsafe { (libc::geteuid(), libc::getegid()) };
        let mode = status.permissions().mode();
        if mode & libc::S_ISUID != 0 && status.uid() != user {
            return Some("is set-uid");
        }
        if mode & libc::S_ISGID != 0 && mode & libc::S_IXGRP != 0 && status.gid() != group {
            return Some("is set-gid");
        }
        // Capabilities add nothing to root's.
        (has_capabilities(&self.image)? && user != 0).then_some("has file capabilities")
    }
}

/// What to do for a program that runs with more rights than its caller.
pub const ADVICE_FOR_PRIVILEGED: &str = "the dynamic linker ignores LD_PRELOAD and LD_LIBRARY_PATH in it. Enable the drop-in for the whole machine (uringaio drop-in \
     enable) to serve its libaio calls";

/// Why no library can be put under a file of this kind.
pub fn unservable(kind: &Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Program(linker) if linker.file_name().is_some_and(|name| name.as_bytes().starts_with(b"ld-musl")) => {
            "runs on musl: uringaio is for programs on glibc"
        }
        Kind::Program(_) => return None,
        Kind::Static => "is statically linked: nothing can be preloaded into it. Link it with liburingaio.a instead",
        Kind::Shared => "is a shared object, not a program: run the program that loads it",
        Kind::Narrow => "is a 32-bit program: uringaio is for 64-bit programs",
        Kind::Foreign => "is made for another machine",
        Kind::Other => "is not a program: neither an ELF file nor a script",
    })
}

/// Why a service manager that runs as root would start a file with more rights than its service has, which runs as root or as
/// another `user`.
pub fn gains_rights(file: &Path, is_of_user: bool) -> Option<&'static str> {
    let status = file.metadata().ok()?;
    let mode = status.permissions().mode();
    if mode & libc::S_ISUID != 0 && (is_of_user || status.uid() != 0) {
        return Some("is set-uid");
    }
    if mode & libc::S_ISGID != 0 && mode & libc::S_IXGRP != 0 && (is_of_user || status.gid() != 0) {
        return Some("is set-gid");
    }
    (is_of_user && has_capabilities(file)?).then_some("has file capabilities")
}

fn has_capabilities(file: &Path) -> Option<bool> {
    let name = CString::new(file.as_os_str().as_bytes()).ok()?;
    // SAFETY: reads two C strings, writes nothing: the size is 0.
    let size = unsafe { libc::getxattr(name.as_ptr(), c"security.capability".as_ptr(), std::ptr::null_mut(), 0) };
    Some(size > 0)
}

/// Where the dynamic linker looks by itself, in distributions' order.
fn library_folders() -> [String; 5] {
    let multiarch = format!("{}-linux-gnu", std::env::consts::ARCH);
    [
        format!("/lib/{multiarch}"),
        format!("/usr/lib/{multiarch}"),
        "/lib64".into(),
        "/usr/lib64".into(),
        "/usr/lib".into(),
    ]
}

/// The same of a program in another tree, as far as its libraries are where the dynamic linker looks by itself: by their names
/// there, and where this command finds them.
pub fn with_libraries_in(root: &Root, file: &Path) -> Vec<(PathBuf, PathBuf)> {
    if root.is_own() {
        return with_libraries(file).into_iter().map(|file| (file.clone(), file)).collect();
    }
    let folders = library_folders();
    let mut files = vec![(file.to_path_buf(), root.find(file))];
    let mut next = 0;
    while next < files.len() {
        let needed = Image::open(&files[next].1).map(|image| image.needed()).unwrap_or_default();
        for name in needed {
            let places = folders.iter().map(|folder| Path::new(folder).join(&name));
            let found = places.map(|file| (root.find(&file), file)).find(|(found, _)| found.is_file());
            if let Some((found, file)) = found.filter(|(found, _)| files.iter().all(|(_, other)| other != found)) {
                files.push((file, found));
            }
        }
        next += 1;
    }
    files
}

/// An ELF file and the libraries that the dynamic linker would load with it. This command's own dynamic linker is asked: nothing of
/// the file is run, nor what it names as its dynamic linker.
pub fn with_libraries(file: &Path) -> Vec<PathBuf> {
    let mut files = vec![file.to_path_buf()];
    let own = std::env::current_exe().and_then(|command| Image::open(&command)).map(|image| image.kind());
    let Ok(Kind::Program(linker)) = own else { return files };
    let answer = Command::new(linker)
        .arg("--list")
        .arg(std::path::absolute(file).unwrap_or_else(|_| file.into()))
        .env_remove("LD_PRELOAD")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let list = answer.map(|answer| String::from_utf8_lossy(&answer.stdout).into_owned()).unwrap_or_default();
    let named = list.lines().filter_map(|line| line.split("=>").last()?.split_whitespace().next().map(PathBuf::from));
    files.extend(named.filter(|file| file.is_absolute()));
    files
}
