//! A program before it is run: where it is, whether anything can be preloaded into it, and what it would use.

use std::collections::BTreeSet;
use std::ffi::{CString, OsStr};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use object::read::elf::{ElfFile64, FileHeader, ProgramHeader};
use object::{Endianness, Object, ObjectSymbol, ReadCache, ReadRef};

use crate::failure::{CANNOT, Failure, NOT_FOUND};
use crate::kernel;

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
    data: ReadCache<File>,
}

/// An ELF file of which only the parts that are asked for are read.
type Elf<'data> = ElfFile64<'data, Endianness, &'data ReadCache<File>>;

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
    /// Opens the program `name`, and says clearly if nothing can be preloaded into it.
    pub fn open(name: &OsStr) -> Result<Self, Failure> {
        let file = find(name)?;
        let mut image = file.clone();
        // An interpreter may be a script itself; the kernel allows a few.
        for _ in 0..5 {
            let data = read(&image).map_err(|error| {
                let of = if image == file { String::new() } else { format!("the interpreter of {}, ", file.display()) };
                Failure::new(CANNOT, format!("{of}{}: {error}", image.display()))
            })?;
            let Some(line) = first_line(&data) else { return Self { file, image, data }.check() };
            let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            let Some(interpreter) = words.next() else {
                return Err(Failure::new(CANNOT, format!("{} names no interpreter", image.display())));
            };
            // `#!/usr/bin/env NAME`: env is only the messenger.
            let messenger = Path::new(OsStr::from_bytes(interpreter)).file_name() == Some(OsStr::new("env"));
            let word = words.find(|word| !word.starts_with(b"-") && !word.contains(&b'=')).filter(|_| messenger);
            image = match word {
                Some(word) => find(OsStr::from_bytes(word))?,
                None => PathBuf::from(OsStr::from_bytes(interpreter)),
            };
        }
        Err(Failure::new(CANNOT, format!("{}: too many interpreters", file.display())))
    }

    fn check(self) -> Result<Self, Failure> {
        let name = self.image.display();
        let cannot = |why: String| Err(Failure::new(CANNOT, format!("{name} {why}")));
        let Ok(elf) = Elf::parse(&self.data) else {
            return if self.data.read_bytes_at(0, 5) == Ok(b"\x7fELF\x01") {
                cannot("is a 32-bit program: uringaio is for 64-bit programs".into())
            } else {
                cannot("is not a program: neither an ELF file nor a script".into())
            };
        };
        if !is_for_this_machine(&elf) {
            return cannot("is made for another machine".into());
        }
        let Some(interpreter) = interpreter(&self.data) else {
            return cannot(
                "is statically linked: nothing can be preloaded into it. Link it with liburingaio.a instead".into(),
            );
        };
        if interpreter.file_name().is_some_and(|name| name.as_bytes().starts_with(b"ld-musl")) {
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
        if kernel::status("NoNewPrivs").is_some_and(|mode| mode == "1") {
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
        let name = CString::new(self.image.as_os_str().as_bytes()).ok()?;
        // SAFETY: reads two C strings, writes nothing: the size is 0.
        let size = unsafe { libc::getxattr(name.as_ptr(), c"security.capability".as_ptr(), std::ptr::null_mut(), 0) };
        // Capabilities add nothing to root's.
        (size > 0 && user != 0).then_some("has file capabilities")
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
        let Ok(elf) = Elf::parse(&self.data) else { return false };
        elf.symbols()
            .filter(ObjectSymbol::is_definition)
            .filter_map(|symbol| symbol.name().ok())
            .any(|name| name == "io_submit" || name == "aio_read" || name == "lio_listio")
    }

    /// The libraries that the loader would load with it. The loader is asked, and it is this command's own: the program is
    /// not run, nor is what it names as its loader.
    fn libraries(&self) -> Vec<PathBuf> {
        let own = std::env::current_exe().and_then(|command| read(&command));
        let Some(loader) = own.ok().as_ref().and_then(interpreter) else { return Vec::new() };
        let answer = Command::new(loader)
            .arg("--list")
            .arg(std::path::absolute(&self.image).unwrap_or_else(|_| self.image.clone()))
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

/// Opens a file to be looked into. Nothing but a file has its like inside, and a pipe would have us wait.
fn read(file: &Path) -> std::io::Result<ReadCache<File>> {
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("is not a file"));
    }
    Ok(ReadCache::new(File::open(file)?))
}

/// What stands behind `#!`; nothing where that is not how the file begins.
fn first_line(data: &ReadCache<File>) -> Option<&[u8]> {
    // The kernel looks at no more than the first 256 bytes.
    let length = data.len().ok()?.min(256);
    let line = data.read_bytes_at(0, length).ok()?.strip_prefix(b"#!")?;
    line.split(|&byte| byte == b'\n').next()
}

/// The loader that the file asks for.
fn interpreter(data: &ReadCache<File>) -> Option<PathBuf> {
    let elf = Elf::parse(data).ok()?;
    let headers = elf.elf_program_headers();
    let bytes = headers.iter().find_map(|header| header.interpreter(elf.endian(), data).ok().flatten())?;
    Some(PathBuf::from(OsStr::from_bytes(bytes)))
}

fn is_for_this_machine(elf: &Elf) -> bool {
    let own = if cfg!(target_arch = "aarch64") { object::elf::EM_AARCH64 } else { object::elf::EM_X86_64 };
    elf.elf_header().e_machine(elf.endian()) == own
}

/// Whether `file` is a library for this machine that has the function `name`. An error says what it is instead.
pub fn has_function(file: &Path, name: &str) -> Result<bool, String> {
    let data = read(file).map_err(|error| error.to_string())?;
    let elf = Elf::parse(&data).map_err(|_| "is not a library".to_string())?;
    if !is_for_this_machine(&elf) {
        return Err("is made for another machine".into());
    }
    let mut defined = elf.dynamic_symbols().filter(ObjectSymbol::is_definition);
    Ok(defined.any(|symbol| symbol.name() == Ok(name)))
}

fn uses_of(file: &Path) -> Option<Uses> {
    let data = read(file).ok()?;
    let elf = Elf::parse(&data).ok()?;
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
