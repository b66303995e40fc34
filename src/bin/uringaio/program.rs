//! A program before it is run: where it is, whether anything can be preloaded into it, and what it would use.

use std::collections::BTreeSet;
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use object::read::elf::{ElfFile64, FileHeader, ProgramHeader};
use object::{Endianness, Object, ObjectSymbol};

use crate::failure::{CANNOT, Failure, NOT_FOUND};

/// What the POSIX face serves.
pub const POSIX: [&str; 18] = [
    "aio_read",
    "aio_write",
    "aio_fsync",
    "aio_error",
    "aio_return",
    "aio_suspend",
    "aio_cancel",
    "lio_listio",
    "aio_init",
    "aio_read64",
    "aio_write64",
    "aio_fsync64",
    "aio_error64",
    "aio_return64",
    "aio_suspend64",
    "aio_cancel64",
    "lio_listio64",
    "aio_init64",
];

/// What the libaio face serves.
pub const LIBAIO: [&str; 11] = [
    "io_setup",
    "io_destroy",
    "io_submit",
    "io_cancel",
    "io_getevents",
    "io_pgetevents",
    "io_queue_init",
    "io_queue_run",
    "io_queue_release",
    "io_queue_wait",
    "io_queue_grow",
];

/// The file and the interpreter chain behind a name.
#[derive(Debug)]
pub struct Program {
    /// The file that was named.
    pub file: PathBuf,
    /// The ELF file that runs: of a script, its interpreter.
    pub image: PathBuf,
    data: Vec<u8>,
}

/// What one file uses of the interfaces.
#[derive(Debug)]
pub struct Uses {
    pub file: PathBuf,
    pub posix: BTreeSet<String>,
    pub libaio: BTreeSet<String>,
}

impl Uses {
    pub fn nothing(&self) -> bool {
        self.posix.is_empty() && self.libaio.is_empty()
    }
}

/// Finds a program as a shell would.
pub fn find(name: &OsStr) -> Result<PathBuf, Failure> {
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
    /// Opens the program `name`, and says clearly if nothing can be preloaded into it.
    pub fn open(name: &OsStr) -> Result<Self, Failure> {
        let file = find(name)?;
        let mut image = file.clone();
        // An interpreter may be a script itself; the kernel allows a few.
        for _ in 0..5 {
            let data = read(&image)?;
            let Some(line) = data.strip_prefix(b"#!") else { return Self { file, image, data }.check() };
            let line = line.split(|&byte| byte == b'\n').next().unwrap_or_default();
            let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            let interpreter = words.next().unwrap_or_default();
            image = PathBuf::from(OsStr::from_bytes(interpreter));
            // `#!/usr/bin/env NAME`: env is only the messenger.
            if image.file_name() == Some(OsStr::new("env"))
                && let Some(word) = words.find(|word| !word.starts_with(b"-") && !word.contains(&b'='))
            {
                image = find(OsStr::from_bytes(word))?;
            }
        }
        Err(Failure::new(CANNOT, format!("{}: too many interpreters", file.display())))
    }

    fn check(self) -> Result<Self, Failure> {
        let name = self.image.display();
        let cannot = |why: String| Err(Failure::new(CANNOT, format!("{name} {why}")));
        let Ok(elf) = ElfFile64::<Endianness>::parse(&*self.data) else {
            return if self.data.starts_with(b"\x7fELF\x01") {
                cannot("is a 32-bit program: uringaio is for 64-bit programs".into())
            } else {
                cannot("is not a program: neither an ELF file nor a script".into())
            };
        };
        let machine = elf.elf_header().e_machine(elf.endian());
        if machine != own_machine() {
            return cannot("is made for another machine".into());
        }
        let interpreter = self.interpreter();
        let Some(interpreter) = interpreter else {
            return cannot(
                "is statically linked: nothing can be preloaded into it. Link it with liburingaio.a instead".into(),
            );
        };
        if interpreter.as_os_str().as_bytes().windows(4).any(|bytes| bytes == b"musl") {
            return cannot("runs on musl: uringaio is for programs on glibc".into());
        }
        if let Some(why) = self.privileged() {
            return cannot(format!(
                "{why}: the loader ignores LD_PRELOAD and LD_LIBRARY_PATH in it. Enable the drop-in for the whole machine \
                 (uringaio drop-in enable) to serve its libaio calls"
            ));
        }
        Ok(self)
    }

    /// Why the kernel would run it with more rights than the caller has (`AT_SECURE`).
    fn privileged(&self) -> Option<&'static str> {
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
        let name = CString::new(self.image.as_os_str().as_bytes()).ok()?;
        // SAFETY: reads two C strings, writes nothing: the size is 0.
        let size = unsafe { libc::getxattr(name.as_ptr(), c"security.capability".as_ptr(), std::ptr::null_mut(), 0) };
        // Capabilities add nothing to root's.
        (size > 0 && user != 0).then_some("has file capabilities")
    }

    fn interpreter(&self) -> Option<PathBuf> {
        let elf = ElfFile64::<Endianness>::parse(&*self.data).ok()?;
        let endian = elf.endian();
        let headers = elf.elf_program_headers();
        let bytes = headers.iter().find_map(|header| header.interpreter(endian, &*self.data).ok().flatten())?;
        Some(PathBuf::from(OsStr::from_bytes(bytes)))
    }

    /// Which functions of the interfaces the program and its libraries call by name. What they load later, or call by
    /// number, cannot be seen.
    pub fn uses(&self) -> Vec<Uses> {
        let mut files = vec![self.image.clone()];
        files.extend(self.libraries());
        files.iter().filter_map(|file| uses_of(file)).collect()
    }

    /// Whether the program, or one of its libraries, defines AIO functions of its own, so that calls inside it never reach
    /// a preloaded library.
    pub fn defines_its_own(&self) -> bool {
        let Ok(elf) = ElfFile64::<Endianness>::parse(&*self.data) else { return false };
        elf.symbols()
            .filter(ObjectSymbol::is_definition)
            .filter_map(|symbol| symbol.name().ok())
            .any(|name| name == "io_submit" || name == "aio_read" || name == "lio_listio")
    }

    /// The libraries that the loader would load with it. The loader is asked; the program is not run.
    fn libraries(&self) -> Vec<PathBuf> {
        let Some(interpreter) = self.interpreter() else { return Vec::new() };
        let answer = Command::new(interpreter)
            .arg("--list")
            .arg(&self.image)
            .env_remove("LD_PRELOAD")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output();
        let Ok(answer) = answer else { return Vec::new() };
        String::from_utf8_lossy(&answer.stdout)
            .lines()
            .filter_map(|line| line.split("=>").last()?.split_whitespace().next().map(PathBuf::from))
            .filter(|file| file.is_absolute())
            .collect()
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|error| Failure::new(CANNOT, format!("{}: {error}", file.display())))
}

fn own_machine() -> u16 {
    if cfg!(target_arch = "aarch64") { object::elf::EM_AARCH64 } else { object::elf::EM_X86_64 }
}

fn uses_of(file: &Path) -> Option<Uses> {
    let data = std::fs::read(file).ok()?;
    let elf = ElfFile64::<Endianness>::parse(&*data).ok()?;
    let mut uses = Uses { file: file.into(), posix: BTreeSet::new(), libaio: BTreeSet::new() };
    for symbol in elf.dynamic_symbols().filter(ObjectSymbol::is_undefined) {
        let Ok(name) = symbol.name() else { continue };
        if POSIX.contains(&name) {
            uses.posix.insert(name.into());
        } else if LIBAIO.contains(&name) {
            uses.libaio.insert(name.into());
        }
    }
    Some(uses)
}
