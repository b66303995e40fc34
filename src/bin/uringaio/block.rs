//! The counters of another process: found by the note in its memory, read from there.

use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Result as IoResult};
use std::os::unix::fs::{FileExt, MetadataExt};

use crate::failure::Failure;
use crate::layout::{Block, Header, LAYOUT, MAGIC, NOTE, NOTE_TYPE, WORDS, uringaio_counters};

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
    pub latencies: [[u64; crate::layout::LATENCIES]; crate::layout::LANES],
}

const NOT_USED: &str = "does not use uringaio";

impl Observed {
    /// Finds the counters of a process.
    pub fn find(process: libc::pid_t) -> Result<Self, Failure> {
        let folder = format!("/proc/{process}");
        let failed = |error: Error| refused(process, &error);
        // The memory first: what is read after it, of the same number, may be another process's, but then finds nothing here.
        let memory = OpenOptions::new().read(true).write(true).open(format!("{folder}/mem")).map_err(failed)?;
        let memory = Memory(memory);
        let maps = fs::read_to_string(format!("{folder}/maps")).map_err(failed)?;
        if maps.is_empty() {
            return Err(Failure::wanting(format!("process {process} is the kernel's, or has ended")));
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
                return Err(Failure::wanting(format!(
                    "process {process} runs another version of uringaio, whose counters this command does not know"
                )));
            }
            let header: Header = memory.read(address).map_err(failed)?;
            let counts = header.magic == MAGIC && header.process == own_name;
            // Both libraries may be loaded; the one that has been called is meant.
            found = Some((counts, address)).max(found);
        }
        match found {
            Some((true, address)) => Ok(Self { memory, address }),
            Some(_) => Err(idle(process)),
            None => Err(Failure::wanting(format!("process {process} {NOT_USED}"))),
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
        })
    }

    /// Has the next `count` operations timed. Whether the process could be asked.
    pub fn time(&self, count: u32) -> bool {
        let address = self.address + std::mem::offset_of!(Header, observed);
        // These four bytes the process's library keeps for this.
        self.memory.0.write_all_at(&count.to_ne_bytes(), address as u64).is_ok()
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
        let header: [u8; 64] = match self.read(start) {
            Ok(header) => header,
            // A mapping that cannot be read, as of a file that has shrunk, is none of ours.
            Err(error) if error.raw_os_error() == Some(libc::EIO) => return Ok(None),
            Err(error) => return Err(error),
        };
        if !header.starts_with(b"\x7fELF\x02") {
            return Ok(None);
        }
        let half = |at: usize| usize::from(u16::from_ne_bytes([header[at], header[at + 1]]));
        let table = word(&header, 32) as usize;
        let (size, count) = (half(54), half(56));
        if size != 56 || count > 64 {
            return Ok(None);
        }
        let mut bias = None;
        let mut notes = Vec::new();
        for index in 0..count {
            let at = start.wrapping_add(table).wrapping_add(index * size);
            let Ok(entry) = self.read::<[u8; 56]>(at) else { return Ok(None) };
            let (kind, offset, address, length) = (
                u32::from_ne_bytes([entry[0], entry[1], entry[2], entry[3]]),
                word(&entry, 8),
                word(&entry, 16),
                word(&entry, 32),
            );
            if kind == libc::PT_LOAD && offset == 0 {
                bias = Some(start.wrapping_sub(address as usize));
            } else if kind == libc::PT_NOTE {
                notes.push((address as usize, length as usize));
            }
        }
        let Some(bias) = bias else { return Ok(None) };
        Ok(notes.into_iter().find_map(|(address, length)| self.search(bias.wrapping_add(address), length)))
    }

    /// Looks through a segment of notes.
    fn search(&self, start: usize, length: usize) -> Option<(u32, usize)> {
        let mut at = 0;
        // A note: three lengths and type, the name and the descriptor, each padded to 4 bytes.
        while at + 12 <= length.min(4096) {
            let note = start.checked_add(at)?;
            let [name, descriptor, kind]: [u32; 3] = self.read(note).ok()?;
            let (name, descriptor) = (name as usize, descriptor as usize);
            if kind == NOTE_TYPE && name == NOTE.len() + 1 && descriptor == 8 {
                let found: [u8; 8] = self.read(note.wrapping_add(12)).ok()?;
                if found == NOTE.as_bytes() {
                    let body = note.wrapping_add(12 + name.next_multiple_of(4));
                    let [layout, distance]: [u32; 2] = self.read(body).ok()?;
                    return Some((layout, body.wrapping_add(4).wrapping_add_signed(distance.cast_signed() as isize)));
                }
            }
            at += 12 + name.next_multiple_of(4) + descriptor.next_multiple_of(4);
        }
        None
    }
}

/// Types that are numbers alone.
///
/// # Safety
/// Every bit pattern is a value, and there is no padding.
unsafe trait Numbers: Copy {}
// SAFETY: integers and arrays of them; `layout.rs` has the structures without a gap.
unsafe impl Numbers for Header {}
// SAFETY: as above.
unsafe impl Numbers for Block {}
// SAFETY: as above.
unsafe impl<const N: usize> Numbers for [u8; N] {}
// SAFETY: as above.
unsafe impl<const N: usize> Numbers for [u32; N] {}

fn word(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + 8].iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

/// What the process calls itself: in a container its own number differs from ours for it.
fn inner_id(process: libc::pid_t) -> u32 {
    let own = process.cast_unsigned();
    let Ok(status) = fs::read_to_string(format!("/proc/{process}/status")) else { return own };
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    line.and_then(|ids| ids.split_whitespace().last()?.parse().ok()).unwrap_or(own)
}

/// The library is there and has not been called; often because the work is done by a child.
fn idle(process: libc::pid_t) -> Failure {
    let children: Vec<String> = fs::read_dir(format!("/proc/{process}/task"))
        .into_iter()
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("children")).ok())
        .flat_map(|list| list.split_whitespace().map(str::to_string).collect::<Vec<_>>())
        .filter(|child| child.parse().is_ok_and(|child| Observed::find(child).is_ok()))
        .collect();
    let hint = match &*children {
        [] => String::new(),
        [child] => format!("; its child {child} has"),
        [first, .., last] => format!("; {} of its children have, {first} to {last}", children.len()),
    };
    Failure::wanting(format!("process {process} has uringaio loaded, but has not made an AIO call yet{hint}"))
}

fn refused(process: libc::pid_t, error: &Error) -> Failure {
    let folder = format!("/proc/{process}");
    if error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH) {
        return Failure::wanting(format!("there is no process {process}"));
    }
    if error.kind() == ErrorKind::UnexpectedEof {
        return Failure::wanting(format!("process {process} has ended"));
    }
    if error.kind() != ErrorKind::PermissionDenied {
        return Failure::wanting(format!("process {process}: {error}"));
    }
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    // SAFETY: takes no arguments.
    let own = unsafe { libc::geteuid() };
    let advice = match (fs::metadata(folder).map(|folder| folder.uid()), scope.trim()) {
        _ if own == 0 => "not even by root here".into(),
        (Ok(owner), _) if owner != own => {
            "it belongs to another user, or has rights that you have not: try as root".into()
        }
        (_, "" | "0") => "it has rights that you have not: try as root".into(),
        (_, scope) => format!("kernel.yama.ptrace_scope is {scope}: try as root"),
    };
    Failure::wanting(format!("process {process} may not be read: {advice}"))
}
