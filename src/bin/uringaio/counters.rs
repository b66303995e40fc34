//! The library's counters in another process: found by a note in its memory, and read from there.

use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Result as IoResult};
use std::os::unix::fs::{FileExt, MetadataExt};

use object::Endianness;
use object::elf::{FileHeader64, PT_LOAD, PT_NOTE};
use object::read::elf::{FileHeader, NoteIterator, ProgramHeader};

use crate::failure::Failure;
use crate::layout::{
    Block, Device, Header, LANES, LATENCIES, LAYOUT, MAGIC, NOTE, NOTE_TYPE, WORDS, uringaio_counters,
};
use crate::process::{Capability, Process};

/// An object's ELF header and program headers are within its first page.
const PAGE: usize = 4096;

/// A process and where its counters are.
pub struct Observed {
    memory: Memory,
    address: usize,
}

/// The memory of one process. It stays that process's: should its number go to another one, nothing more is read or written.
struct Memory(File);

/// What was read at one moment.
pub struct Snapshot {
    pub header: Header,
    pub counters: uringaio_counters,
    pub latencies: [[u64; LATENCIES]; LANES],
    /// Devices that the process has met.
    pub devices: Vec<Device>,
}

/// Why there are no counters.
#[derive(Debug)]
pub enum Missing {
    NoProcess,
    Ended,
    /// A thread of the kernel, which has no memory.
    Kernel,
    /// The library is not loaded.
    NotLoaded,
    /// It is loaded and has not been called; these processes that it started have called it.
    NotCalled(Vec<libc::pid_t>),
    /// Another version, with counters of another layout.
    OtherVersion,
    /// The kernel does not let this process look.
    Forbidden,
    Failed(Error),
}

impl Missing {
    /// As what ends the command.
    pub fn of(self, process: libc::pid_t) -> Failure {
        Failure::wanting(match self {
            Self::NoProcess => format!("there is no process {process}"),
            Self::Ended => format!("process {process} has ended"),
            Self::Kernel => format!("process {process} is a thread of the kernel, or has ended"),
            Self::NotLoaded => format!("process {process} does not use uringaio"),
            Self::NotCalled(descendants) => {
                let hint = match &*descendants {
                    [] => String::new(),
                    [one] => format!("; process {one}, which it started, has"),
                    [first, .., last] => {
                        format!("; {} processes that it started have: {first} to {last}", descendants.len())
                    }
                };
                format!("process {process} has uringaio loaded, but has not made an AIO call yet{hint}")
            }
            Self::OtherVersion => {
                format!("process {process} runs another version of uringaio, whose counters this command cannot read")
            }
            Self::Forbidden => format!("process {process} may not be read: {}", missing_right(process)),
            Self::Failed(error) => format!("process {process}: {error}"),
        })
    }
}

impl Observed {
    /// Finds the counters of a process; where it has none yet, says which of the processes that it started have some.
    pub fn find(process: libc::pid_t) -> Result<Self, Missing> {
        Self::alone(process).map_err(|missing| match missing {
            Missing::NotCalled(_) => {
                let descendants = Process::of(process).descendants().into_iter();
                Missing::NotCalled(descendants.filter(|&other| Self::alone(other).is_ok()).collect())
            }
            missing => missing,
        })
    }

    /// Finds the counters of a process, without a look at the processes that it started.
    pub fn alone(process: libc::pid_t) -> Result<Self, Missing> {
        let folder = format!("/proc/{process}");
        let failed = |error: Error| refused(process, error);
        // The memory first: what is read after it, of the same number, may be another process's, but then finds nothing here.
        let memory = OpenOptions::new().read(true).write(true).open(format!("{folder}/mem")).map_err(failed)?;
        let memory = Memory(memory);
        // Names of mapped files may be no text.
        let maps = fs::read(format!("{folder}/maps")).map_err(failed)?;
        let maps = String::from_utf8_lossy(&maps);
        if maps.is_empty() {
            return Err(Missing::Kernel);
        }
        // An object's first bytes, where its headers are, are mapped from offset 0 of its file.
        let starts = maps.lines().filter_map(|line| {
            let mut fields = line.split_whitespace();
            let (range, mode, offset) = (fields.next()?, fields.next()?, fields.next()?);
            let named = fields.nth(2).is_some_and(|name| name.starts_with('/'));
            (mode.starts_with('r') && named && offset.bytes().all(|byte| byte == b'0'))
                .then(|| usize::from_str_radix(range.split('-').next()?, 16).ok())
                .flatten()
        });
        let own_name = inner_id(process);
        let mut found = None;
        for start in starts {
            let Some((layout, address)) = memory.note(start).map_err(failed)? else { continue };
            if layout != LAYOUT {
                return Err(Missing::OtherVersion);
            }
            let header: Header = memory.read(address).map_err(failed)?;
            let counts = header.magic == MAGIC && header.process == own_name;
            // Both libraries may be loaded; the one that has been called is meant.
            found = Some((counts, address)).max(found);
        }
        match found {
            Some((true, address)) => Ok(Self { memory, address }),
            Some(_) => Err(Missing::NotCalled(Vec::new())),
            None => Err(Missing::NotLoaded),
        }
    }

    /// Reads the counters. Nothing when the process has ended.
    pub fn read(&self) -> Option<Snapshot> {
        let block: Box<Block> = self.memory.read(self.address).ok().map(Box::new)?;
        let mut words = [0u64; WORDS];
        for slot in &block.slots {
            for (sum, word) in words.iter_mut().zip(&slot.words) {
                *sum = sum.wrapping_add(*word);
            }
        }
        // What another process has in its memory may be anything: sums of these numbers are to stay numbers.
        let sane = |number: u64| number.min(1 << 56);
        Some(Snapshot {
            header: block.header,
            counters: uringaio_counters::from_words(&words.map(sane)),
            latencies: block.latencies.map(|lane| lane.map(sane)),
            devices: block.devices.into_iter().filter(|device| device.number != 0).collect(),
        })
    }

    /// Has the next `count` operations timed. Whether the process could be asked.
    pub fn time(&self, count: u32) -> bool {
        let address = self.address + std::mem::offset_of!(Header, observed);
        // These four bytes the process's library keeps for this.
        self.memory.0.write_all_at(&count.to_ne_bytes(), address as u64).is_ok()
    }
}

impl Snapshot {
    /// What carries out the process's I/O: `io_uring`, `threads` or `system`.
    pub fn engine(&self) -> &'static str {
        match self.header.engine {
            1 => "io_uring",
            2 => "threads",
            _ => "system",
        }
    }

    /// Whether the process times every operation by itself (URINGAIO_STATS): it is to go on with that.
    pub fn times_all(&self) -> bool {
        self.header.observed == u32::MAX
    }

    /// The library's version. What another process has in its memory may be anything; a terminal is not to obey it.
    pub fn version(&self) -> String {
        let known = |byte: &&u8| byte.is_ascii_alphanumeric() || b".-+".contains(byte);
        self.header.version.iter().take_while(known).map(|&byte| char::from(byte)).collect()
    }
}

impl Memory {
    /// Reads a structure of plain numbers.
    fn read<T: Numbers>(&self, address: usize) -> IoResult<T> {
        let mut value = std::mem::MaybeUninit::<T>::zeroed();
        // SAFETY: the bytes of the value, all of them zeros for now.
        let bytes = unsafe { std::slice::from_raw_parts_mut(value.as_mut_ptr().cast::<u8>(), size_of::<T>()) };
        self.0.read_exact_at(bytes, address as u64)?;
        // SAFETY: every bit pattern is a value, as `Numbers` promises.
        Ok(unsafe { value.assume_init() })
    }

    /// The note of the object whose first byte is at `start`: the layout, and where the block is.
    fn note(&self, start: usize) -> IoResult<Option<(u32, usize)>> {
        let page: [u8; PAGE] = match self.read(start) {
            Ok(page) => page,
            // A mapping that cannot be read, as of a file that has shrunk, is not the library's.
            Err(error) if error.raw_os_error() == Some(libc::EIO) => return Ok(None),
            Err(error) => return Err(error),
        };
        let data = &page[..];
        let Ok(header) = FileHeader64::<Endianness>::parse(data) else { return Ok(None) };
        let Ok(endian) = header.endian() else { return Ok(None) };
        let Ok(headers) = header.program_headers(endian, data) else { return Ok(None) };
        let first = headers.iter().find(|entry| entry.p_type(endian) == PT_LOAD && entry.p_offset(endian) == 0);
        let Some(first) = first else { return Ok(None) };
        let bias = start.wrapping_sub(first.p_vaddr(endian) as usize);
        let notes = headers.iter().filter(|entry| entry.p_type(endian) == PT_NOTE);
        Ok(notes.into_iter().find_map(|entry| {
            let address = bias.wrapping_add(entry.p_vaddr(endian) as usize);
            self.search(endian, address, entry.p_memsz(endian) as usize)
        }))
    }

    /// Looks through a segment of notes.
    fn search(&self, endian: Endianness, address: usize, length: usize) -> Option<(u32, usize)> {
        let mut bytes = vec![0; length.min(PAGE)];
        self.0.read_exact_at(&mut bytes, address as u64).ok()?;
        let mut notes = NoteIterator::<FileHeader64<Endianness>>::new(endian, 4_u32.into(), &bytes).ok()?;
        while let Ok(Some(note)) = notes.next() {
            let body = note.desc();
            if note.name() == NOTE.as_bytes() && note.n_type(endian) == NOTE_TYPE && body.len() == 8 {
                let word = |at: usize| u32::from_ne_bytes([body[at], body[at + 1], body[at + 2], body[at + 3]]);
                // The distance counts from the descriptor's second word.
                let from = address + (body.as_ptr().addr() - bytes.as_ptr().addr()) + 4;
                return Some((word(0), from.wrapping_add_signed(word(4).cast_signed() as isize)));
            }
        }
        None
    }
}

/// The version that is told by the counters of a process whose memory is this file, with the library loaded at its start.
#[cfg(any(test, fuzzing))]
pub fn version_in(memory: File) -> Option<String> {
    let memory = Memory(memory);
    let (_, address) = memory.note(0).ok()??;
    Some(Observed { memory, address }.read()?.version())
}

/// Types that are numbers alone.
///
/// # Safety
/// Every bit pattern is a value, and there is no padding.
unsafe trait Numbers: Copy {}
// SAFETY: integers and arrays of them; `layout.rs` has the structures without a gap.
unsafe impl Numbers for Header {}
// SAFETY: integers and arrays of them; `layout.rs` has the structures without a gap.
unsafe impl Numbers for Block {}
// SAFETY: bytes.
unsafe impl<const N: usize> Numbers for [u8; N] {}

/// What the process calls itself: inside a container its number is another one than outside.
fn inner_id(process: libc::pid_t) -> u32 {
    let ids = Process::of(process).status("NSpid");
    ids.and_then(|ids| ids.split_whitespace().last()?.parse().ok()).unwrap_or(process.cast_unsigned())
}

fn refused(process: libc::pid_t, error: Error) -> Missing {
    if error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH) {
        // A thread of the kernel has a folder and no memory.
        return if Process::of(process).exists() { Missing::Kernel } else { Missing::NoProcess };
    }
    if error.kind() == ErrorKind::UnexpectedEof {
        return Missing::Ended;
    }
    if error.kind() != ErrorKind::PermissionDenied {
        return Missing::Failed(error);
    }
    Missing::Forbidden
}

/// Which right this command lacks to read the memory of `process`, and how to get it.
fn missing_right(process: libc::pid_t) -> String {
    let own = Process::own();
    // SAFETY: takes no arguments.
    let user = unsafe { libc::geteuid() };
    let owner = fs::metadata(format!("/proc/{process}")).map_or(user, |folder| folder.uid());
    if user == 0 {
        // The second to open the file `mem`, which its owner alone may.
        let needed = [(Capability::TraceOthers, "SYS_PTRACE"), (Capability::OverrideModes, "DAC_OVERRIDE")];
        let needed = if owner == user { &needed[..1] } else { &needed };
        let lacking: Vec<&str> = needed.iter().filter(|(right, _)| !own.has(*right)).map(|&(_, name)| name).collect();
        if lacking.is_empty() {
            return "it belongs to another user namespace, or the kernel is locked down".into();
        }
        let names = lacking.iter().map(|name| format!("CAP_{name}")).collect::<Vec<_>>().join(" and ");
        let options = lacking.iter().map(|name| format!("--cap-add={name}")).collect::<Vec<_>>().join(" ");
        return format!(
            "root lacks {names} here; in a container, start it with {options}, or run this as the process's own user"
        );
    }
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    match scope.trim() {
        _ if owner != user => "it belongs to another user, or has rights that you lack: try as root".into(),
        "" | "0" => "it has rights that you lack: try as root".into(),
        scope => format!("kernel.yama.ptrace_scope is {scope}: try as root"),
    }
}
