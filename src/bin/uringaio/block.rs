//! The counters of another process: found by the note in its memory, read from there.

use std::fs;
use std::io::ErrorKind;

use crate::failure::Failure;
use crate::layout::{Block, Header, LAYOUT, MAGIC, NOTE, NOTE_TYPE, WORDS, uringaio_counters};

/// A process and where its counters are.
pub struct Observed {
    process: libc::pid_t,
    address: usize,
}

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
        let maps = fs::read_to_string(format!("/proc/{process}/maps")).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Failure::wanting(format!("there is no process {process}")),
            _ => refused(process, &error),
        })?;
        if maps.is_empty() && fs::read_link(format!("/proc/{process}/exe")).is_err() {
            return Err(refused(process, &std::io::Error::from_raw_os_error(libc::EACCES)));
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
        let mut idle = false;
        for start in starts {
            let Some((layout, address)) = note(process, start).map_err(|error| refused(process, &error))? else {
                continue;
            };
            if layout != LAYOUT {
                return Err(Failure::wanting(format!(
                    "process {process} runs another version of uringaio, whose counters this command does not know"
                )));
            }
            let observed = Self { process, address };
            let header: Header = observed.read_at(address).map_err(|error| refused(process, &error))?;
            // Both libraries may be loaded; the one that has been called is meant.
            if header.magic == MAGIC && header.process == own_name {
                return Ok(observed);
            }
            idle = true;
        }
        let why = if idle { "has uringaio loaded, but has not made an AIO call yet" } else { NOT_USED };
        Err(Failure::wanting(format!("process {process} {why}")))
    }

    /// Reads the counters. Nothing when the process has ended.
    pub fn read(&self) -> Option<Snapshot> {
        let block: Box<Block> = self.read_at(self.address).ok().map(Box::new)?;
        let mut words = [0u64; WORDS];
        for slot in &block.slots {
            for (sum, word) in words.iter_mut().zip(&slot.words) {
                *sum = sum.wrapping_add(*word);
            }
        }
        Some(Snapshot {
            header: block.header,
            counters: uringaio_counters::from_words(&words),
            latencies: block.latencies,
        })
    }

    /// Has the next `count` operations timed. Whether the process could be asked.
    pub fn time(&self, count: u32) -> bool {
        let address = self.address + std::mem::offset_of!(Header, observed);
        let from = libc::iovec { iov_base: (&raw const count).cast_mut().cast(), iov_len: size_of_val(&count) };
        let to = libc::iovec { iov_base: address as *mut _, iov_len: size_of_val(&count) };
        // SAFETY: reads our four bytes; writes four bytes of the other process, which its library keeps for this.
        unsafe { libc::process_vm_writev(self.process, &raw const from, 1, &raw const to, 1, 0) == 4 }
    }

    fn read_at<T: Copy>(&self, address: usize) -> std::io::Result<T> {
        read_at(self.process, address)
    }
}

/// Reads a structure of plain numbers out of a process.
fn read_at<T: Copy>(process: libc::pid_t, address: usize) -> std::io::Result<T> {
    let mut value = std::mem::MaybeUninit::<T>::uninit();
    let to = libc::iovec { iov_base: value.as_mut_ptr().cast(), iov_len: size_of::<T>() };
    let from = libc::iovec { iov_base: address as *mut _, iov_len: size_of::<T>() };
    // SAFETY: writes within the value. Every `T` here is numbers alone, for which any bytes are valid.
    unsafe {
        match libc::process_vm_readv(process, &raw const to, 1, &raw const from, 1, 0) {
            got if got == size_of::<T>() as isize => Ok(value.assume_init()),
            -1 => Err(std::io::Error::last_os_error()),
            _ => Err(std::io::Error::from_raw_os_error(libc::EFAULT)),
        }
    }
}

/// The note of the object whose first byte is at `start`: the layout, and where the block is.
fn note(process: libc::pid_t, start: usize) -> std::io::Result<Option<(u32, usize)>> {
    let header: [u8; 64] = match read_at(process, start) {
        Ok(header) => header,
        // A mapping that cannot be read, as of a file that has shrunk, is none of ours.
        Err(error) if error.raw_os_error() == Some(libc::EFAULT) => return Ok(None),
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
        let Ok(entry) = read_at::<[u8; 56]>(process, start.wrapping_add(table + index * size)) else { return Ok(None) };
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
    for (address, length) in notes {
        if let Some(found) = search(process, bias.wrapping_add(address), length) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Looks through a segment of notes.
fn search(process: libc::pid_t, start: usize, length: usize) -> Option<(u32, usize)> {
    let mut at = 0;
    // A note: three lengths and type, the name and the descriptor, each padded to 4 bytes.
    while at + 12 <= length.min(4096) {
        let [name, descriptor, kind]: [u32; 3] = read_at(process, start + at).ok()?;
        let (name, descriptor) = (name as usize, descriptor as usize);
        let body = start + at + 12 + name.next_multiple_of(4);
        if kind == NOTE_TYPE && name == NOTE.len() + 1 && descriptor == 8 {
            let found: [u8; 8] = read_at(process, start + at + 12).ok()?;
            if found == NOTE.as_bytes() {
                let [layout, distance]: [u32; 2] = read_at(process, body).ok()?;
                return Some((layout, (body + 4).wrapping_add_signed(distance.cast_signed() as isize)));
            }
        }
        at += 12 + name.next_multiple_of(4) + descriptor.next_multiple_of(4);
    }
    None
}

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

fn refused(process: libc::pid_t, error: &std::io::Error) -> Failure {
    match error.raw_os_error() {
        Some(libc::ESRCH) => Failure::wanting(format!("there is no process {process}")),
        Some(libc::EPERM | libc::EACCES) => {
            let yama = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
            let scope = yama.trim();
            let advice = if matches!(scope, "" | "0") {
                "it belongs to another user: try as that user, or as root".into()
            } else {
                format!("kernel.yama.ptrace_scope is {scope}: try as root")
            };
            Failure::wanting(format!("process {process} may not be read; {advice}"))
        }
        _ => Failure::wanting(format!("process {process}: {error}")),
    }
}
