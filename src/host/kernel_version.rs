//! The running kernel's version, for the few faults that cannot be found out by trying.

use core::sync::atomic::{AtomicU64, Ordering};

use super::kernel::syscall;
use super::proc_file;

/// Version, patch level, sublevel; zeros if it is not told. Asked for once. Async-signal-safe.
#[must_use]
pub fn number() -> [u32; 3] {
    static KNOWN: AtomicU64 = AtomicU64::new(0);
    const ASKED: u64 = 1 << 63;
    // Relaxed here and below: the word says all.
    let mut known = KNOWN.load(Ordering::Relaxed);
    if known == 0 {
        known = with_names(|release, _| pack(parse(release))) | ASKED;
        KNOWN.store(known, Ordering::Relaxed);
    }
    unpack(known & !ASKED)
}

const fn pack([version, patch_level, sublevel]: [u32; 3]) -> u64 {
    (version as u64) << 32 | (patch_level as u64) << 16 | sublevel as u64
}

const fn unpack(word: u64) -> [u32; 3] {
    [(word >> 32) as u32 & 0xffff, (word >> 16) as u32 & 0xffff, word as u32 & 0xffff]
}

/// Does `work` with the release and the version that uname(2) tells; empty where it tells nothing.
fn with_names<T>(work: impl FnOnce(&[u8], &[u8]) -> T) -> T {
    fn text(letters: &[core::ffi::c_char]) -> &[u8] {
        let length = letters.iter().position(|&letter| letter == 0).unwrap_or(letters.len());
        // SAFETY: letters are bytes.
        unsafe { core::slice::from_raw_parts(letters.as_ptr().cast(), length) }
    }
    // SAFETY: a structure of letters.
    let mut names: libc::utsname = unsafe { core::mem::zeroed() };
    // SAFETY: the kernel fills the structure.
    if unsafe { syscall!(libc::SYS_uname, &raw mut names) }.is_err() {
        return work(&[], &[]);
    }
    work(text(&names.release), text(&names.version))
}

/// The three numbers that a text begins with; zeros for those that are not there.
fn parse(text: &[u8]) -> [u32; 3] {
    let mut numbers = [0u32; 3];
    let mut at = 0;
    for &byte in text {
        match byte {
            b'0'..=b'9' => numbers[at] = (numbers[at] * 10 + u32::from(byte - b'0')).min(0xffff),
            b'.' if at < 2 => at += 1,
            _ => break,
        }
    }
    numbers
}

/// Whether a read with `RWF_NOWAIT` may find nothing where there is something: on 5.9 and 5.10 (preadv2(2), BUGS).
#[must_use]
pub fn nothing_may_be_wrong() -> bool {
    ([5, 9, 0]..[5, 11, 0]).contains(&number())
}

/// Whether io_uring may lose writes now and then: 5.11 to 5.15.2 without the fix of 5.14.19 and 5.15.3 (d3e3c102d107,
/// MariaDB's MDEV-26674). A ring that accepts a flag of 5.18 says more than this, and need not ask.
///
/// What `uname -r` calls 5.14.0 or 5.15.0 is a later one with most distributions, so it goes by what they say
/// elsewhere.
#[must_use]
pub fn may_lose_writes() -> bool {
    with_names(|release, version| loses_writes(release, version, signature()))
}

/// The number of the mainline kernel that Ubuntu's is made from, which `/proc/version_signature` ends in:
/// `Ubuntu 5.15.0-122.132-generic 5.15.163`. Its descriptor is in the table of the calling thread, as that of the ring is
/// which this is about.
fn signature() -> Option<[u32; 3]> {
    proc_file::scan(c"/proc/version_signature", last_number).ok().flatten()
}

fn last_number(signature: &[u8]) -> Option<[u32; 3]> {
    let last = signature.trim_ascii_end().rsplit(|&byte| byte == b' ').next()?;
    Some(parse(last)).filter(|numbers| numbers[0] != 0)
}

fn loses_writes(release: &[u8], version: &[u8], signature: Option<[u32; 3]>) -> bool {
    let contains = |text: &[u8], part: &[u8]| text.windows(part.len()).any(|piece| piece == part);
    let after = |text: &[u8], part: &[u8]| {
        let at = text.windows(part.len()).position(|piece| piece == part)?;
        Some(parse(&text[at + part.len()..]))
    };
    // Oracle's UEK 7 is 5.15.30 or later; RHEL 9 and its kin have io_uring from 6.2 on.
    if contains(release, b"uek") || contains(release, b".el9") {
        return false;
    }
    let told = parse(release);
    // Debian tells what its kernel is made from in the version: `#1 SMP Debian 5.14.16-1 (2021-11-03)`.
    let real = signature.or_else(|| after(version, b"Debian ")).unwrap_or_else(|| {
        // Ubuntu 22.04 began with 5.15.0-25, made from 5.15.30, where the signature cannot be read.
        match after(release, b"5.15.0-") {
            Some([build, ..]) if build >= 25 => [5, 15, 30],
            _ => told,
        }
    });
    let is_mended_in_5_14 = ([5, 14, 19]..[5, 15, 0]).contains(&real);
    ([5, 11, 0]..[5, 15, 3]).contains(&real) && !is_mended_in_5_14
}

#[cfg(test)]
mod tests {
    use super::{last_number, loses_writes, number, pack, parse, unpack};

    #[test]
    #[cfg_attr(miri, ignore = "it needs the kernel")]
    fn numbers_are_read_and_kept() {
        assert_eq!(parse(b"6.18.44-fc-v657"), [6, 18, 44]);
        assert_eq!(parse(b"5.15"), [5, 15, 0]);
        assert_eq!(parse(b"4.18.0-553.el8_10.x86_64"), [4, 18, 0]);
        assert_eq!(parse(b"none"), [0; 3]);
        assert_eq!(parse(b"99999999999.1"), [0xffff, 1, 0]);
        assert_eq!(unpack(pack([5, 15, 163])), [5, 15, 163]);
        assert!(number()[0] >= 4);
    }

    #[test]
    fn kernels_that_lose_writes_are_told_from_those_that_do_not() {
        for (release, version, signature, loses) in [
            // Mainline.
            ("5.10.0", "", "", false),
            ("5.11.0", "", "", true),
            ("5.13.19", "", "", true),
            ("5.14.0", "", "", true),
            ("5.14.18", "", "", true),
            ("5.14.19", "", "", false),
            ("5.15.0", "", "", true),
            ("5.15.2", "", "", true),
            ("5.15.3", "", "", false),
            ("5.16.0", "", "", false),
            ("6.1.0", "", "", false),
            // Ubuntu 22.04, with and without the signature; 21.10; 20.04 with a newer kernel.
            ("5.15.0-122-generic", "#132-Ubuntu SMP", "Ubuntu 5.15.0-122.132-generic 5.15.163\n", false),
            ("5.15.0-122-generic", "#132-Ubuntu SMP", "", false),
            ("5.15.0-1064-azure", "#73-Ubuntu SMP", "Ubuntu 5.15.0-1064.73-azure 5.15.158\n", false),
            ("5.15.0-25-generic", "#25-Ubuntu SMP", "", false),
            ("5.13.0-52-generic", "#59-Ubuntu SMP", "Ubuntu 5.13.0-52.59-generic 5.13.19\n", true),
            ("5.11.0-49-generic", "#55-Ubuntu SMP", "Ubuntu 5.11.0-49.55-generic 5.11.22\n", true),
            // Oracle UEK 7, RHEL and Rocky 9, SLES 15 SP 4 and 5.
            ("5.15.0-100.96.32.el8uek.x86_64", "#2 SMP", "", false),
            ("5.15.0-0.30.19.el9uek.x86_64", "#2 SMP", "", false),
            ("5.14.0-503.el9", "#1 SMP PREEMPT_DYNAMIC", "", false),
            ("5.14.0-362.8.1.el9_3.x86_64", "#1 SMP PREEMPT_DYNAMIC", "", false),
            ("5.14.21-150500.55.7-default", "#1 SMP PREEMPT_DYNAMIC", "", false),
            ("5.14.21-150400.22-default", "#1 SMP PREEMPT_DYNAMIC", "", false),
            // Debian while it had these.
            ("5.14.0-4-amd64", "#1 SMP Debian 5.14.16-1 (2021-11-03)", "", true),
            ("5.14.0-0.bpo.2-amd64", "#1 SMP Debian 5.14.9-2~bpo11+1 (2021-10-10)", "", true),
            ("5.15.0-trunk-amd64", "#1 SMP Debian 5.15.1-1~exp1 (2021-11-11)", "", true),
            ("5.15.0-1-amd64", "#1 SMP Debian 5.15.3-1 (2021-11-18)", "", false),
            ("5.15.0-2-amd64", "#1 SMP Debian 5.15.5-2 (2021-12-18)", "", false),
            ("5.10.0-35-amd64", "#1 SMP Debian 5.10.237-1 (2025-05-19)", "", false),
            ("6.1.0-13-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.55-1 (2023-09-29)", "", false),
            // Others that keep mainline's numbers.
            ("5.15.153.1-microsoft-standard-WSL2", "#1 SMP", "", false),
            ("5.15.167-112.166.amzn2.x86_64", "#1 SMP", "", false),
        ] {
            let found = loses_writes(release.as_bytes(), version.as_bytes(), last_number(signature.as_bytes()));
            assert_eq!(found, loses, "{release} {version} {signature}");
        }
    }
}
