//! Tests that a ring accepts only the operations that it is used for, and cannot be made to accept more.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::ptr;
use std::thread;

use io_uring::squeue::{Entry, Flags};
use io_uring::{opcode, types};

use super::ring::Ring;
use super::setup::FileTableAccess;
use crate::host::kernel::{Errno, syscall};

/// Runs `work` with a ring, on a thread of its own; where there can be no ring, it does nothing.
pub fn with_ring(work: impl FnOnce(Ring) + Send + 'static) {
    let worker = thread::spawn(|| match Ring::new() {
        Ok(ring) => work(ring),
        Err(refused) => eprintln!("not tested: {refused}"),
    });
    worker.join().unwrap();
}

/// Submits an entry, and waits for its result.
pub fn result(ring: &mut Ring, entry: &Entry) -> i32 {
    // SAFETY: the entries here point to nothing that ends before them.
    unsafe { ring.push(&entry.clone().user_data(8)) };
    ring.submit();
    loop {
        if let Some(completion) = ring.next() {
            assert_eq!(completion.data, 8);
            return completion.result;
        }
        ring.wait(None);
    }
}

#[test]
#[cfg_attr(miri, ignore = "it needs the kernel")]
fn takes_only_what_is_used() {
    with_ring(|mut ring| {
        let here = types::Fd(libc::AT_FDCWD);
        let read = || opcode::Read::new(types::Fixed(0), ptr::null_mut(), 0).build();
        let refused = [
            opcode::Nop::new().build(),
            opcode::OpenAt::new(here, c"/".as_ptr()).build(),
            opcode::UnlinkAt::new(here, c"/nowhere/at/all".as_ptr()).build(),
            opcode::Close::new(types::Fd(-1)).build(),
            opcode::Socket::new(libc::AF_UNIX, libc::SOCK_STREAM, 0).build(),
            opcode::Send::new(types::Fd(-1), ptr::null(), 0).build(),
            opcode::Splice::new(types::Fd(-1), -1, types::Fd(-1), -1, 0).build(),
            opcode::Timeout::new(&types::Timespec::new()).build(),
            opcode::EpollCtl::new(types::Fd(-1), types::Fd(-1), 0, ptr::null()).build(),
            // No entry may choose its credentials, delay the entries after it, or be linked to them.
            read().personality(1).flags(Flags::IO_DRAIN),
            read().flags(Flags::IO_LINK),
        ];
        for entry in &refused {
            assert_eq!(result(&mut ring, entry), -libc::EACCES, "{entry:?}");
        }
        // Accepted: there is no file at that place of the table.
        assert_eq!(result(&mut ring, &read()), -libc::EBADF);
        assert_eq!(ring.lost(), None);
    });
}

#[test]
#[cfg_attr(miri, ignore = "it needs the kernel")]
fn cannot_be_widened() {
    const FILES_UPDATE: u32 = 6;
    const KNOWN: u32 = 64;
    const BY_INDEX: u32 = 1 << 31;
    with_ring(|ring| {
        let (number, flag) = match ring.name.table {
            FileTableAccess::ByCall(number, flag) => (number, flag),
            FileTableAccess::ByEntry => (ring.name.enter.0, BY_INDEX),
        };
        for operation in (0..KNOWN).filter(|&operation| operation != FILES_UPDATE) {
            // SAFETY: none is executed; if one were, it would have nothing to read.
            let answer = unsafe { syscall!(libc::SYS_io_uring_register, number, operation | flag, 0, 0) };
            // EINVAL: the kernel does not know it, or not by index.
            assert!(
                matches!(answer, Err(Errno(libc::EACCES | libc::EINVAL))),
                "operation {operation} answers {answer:?}"
            );
        }
    });
}
