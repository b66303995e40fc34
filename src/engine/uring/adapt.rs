//! Fits a new ring to what it may carry out. Each operation that the library uses is tried once, on a file that is not
//! open: `-EBADF` says that it is allowed, `-EACCES` that it is denied.

use core::ptr;

use io_uring::opcode;
use io_uring::squeue::Entry;
use io_uring::types::{Fd, Fixed, FsyncFlags};

use super::permissions::{self, Denied, FLAGS, USES, Use};
use super::refused::Refused;
use super::ring::Ring;
use super::setup::{self, Doorbell, FileTableAccess, Restricted};
use crate::host::kernel::{self, Errno};
use crate::host::{futex, memory};

/// What is no priority (ioprio_set(2)), and no kind of sync: an entry with it is refused with `-EINVAL`, if not with `-EACCES`
/// before, and is not given to a worker of the kernel's. That would be a thread of this process for seconds. (A filter looks at what
/// is left after that: what one denies is found out when it is wanted, and is done by a worker of ours.)
const NO_PRIORITY: u16 = u16::MAX;
const NO_SYNC: FsyncFlags = FsyncFlags::from_bits_retain(1 << 31);

/// Finds out what the ring may carry out, and has it do without the rest.
///
/// # Errors
/// What it cannot do without is denied.
pub fn adapt(ring: &mut Ring) -> Result<(), Refused> {
    if ring.restricted == Restricted::No {
        permissions::note(Denied::default());
        return Ok(());
    }
    let mut denied = try_each(ring)?;
    if denied.has(Use::Write) {
        return Err(Refused::Restricted("IORING_OP_WRITE"));
    }
    if ring.files() == 0 && ring.restricted == Restricted::ByList {
        return Err(Refused::Restricted("IORING_REGISTER_FILES2"));
    }
    if setup::update_files(ring.name.table, 0, -1) == Err(Errno(libc::EACCES)) {
        ring.name.table = FileTableAccess::ByEntry;
    }
    if ring.name.table == FileTableAccess::ByEntry && denied.has(Use::UpdateFiles) {
        return Err(Refused::Restricted("IORING_REGISTER_FILES_UPDATE, nor IORING_OP_FILES_UPDATE"));
    }
    let flagged = opcode::Write::new(Fixed(0), ptr::null(), 0).ioprio(NO_PRIORITY).build().flags(FLAGS);
    if is_denied(ring, flagged)? {
        return Err(Refused::Restricted("the flags IOSQE_FIXED_FILE and IOSQE_ASYNC"));
    }
    if ring.doorbell() == Doorbell::Futex && denied.has(Use::FutexWait) {
        if denied.has(Use::Poll) {
            return Err(Refused::Restricted("IORING_OP_FUTEX_WAIT, nor IORING_OP_POLL_ADD"));
        }
        let fd = setup::doorbell_signalfd()?;
        let rung = ring.ring_by_signal(fd);
        kernel::close(fd);
        rung?;
    }
    // What the ring does another way already is not missed.
    if ring.doorbell() == Doorbell::Futex {
        denied.set(Use::Poll, false);
    }
    if ring.name.table != FileTableAccess::ByEntry {
        denied.set(Use::UpdateFiles, false);
    }
    permissions::note(denied);
    Ok(())
}

fn try_each(ring: &mut Ring) -> Result<Denied, Refused> {
    let word = memory::boxed(0u32)?;
    let mut denied = Denied::default();
    for (which, ..) in USES {
        let entry = match which {
            Use::Read => opcode::Read::new(Fd(-1), ptr::null_mut(), 0).build(),
            Use::Write => opcode::Write::new(Fd(-1), ptr::null(), 0).build(),
            Use::ReadVector => opcode::Readv::new(Fd(-1), ptr::null(), 0).build(),
            Use::WriteVector => opcode::Writev::new(Fd(-1), ptr::null(), 0).build(),
            Use::Sync => opcode::Fsync::new(Fd(-1)).flags(NO_SYNC).build(),
            // No operation has this user data.
            Use::Cancel => opcode::AsyncCancel::new(u64::MAX).build(),
            // The word has another value: the wait ends at once.
            Use::FutexWait => opcode::FutexWait::new(&raw const *word, 1, u32::MAX.into(), futex::PRIVATE_U32).build(),
            Use::Poll => opcode::PollAdd::new(Fd(-1), libc::POLLIN as u32).build(),
            // A slot that does not exist.
            Use::UpdateFiles => opcode::FilesUpdate::new((&raw const *word).cast(), 1).offset(i32::MAX).build(),
        };
        denied.set(which, is_denied(ring, entry)?);
    }
    Ok(denied)
}

/// Whether an entry that can do nothing is denied. The ring has nothing else under way.
fn is_denied(ring: &mut Ring, entry: Entry) -> Result<bool, Refused> {
    // SAFETY: what it points to outlives the loop below, which waits for its completion.
    unsafe { ring.push(&entry.user_data(0)) };
    loop {
        if let Some(completion) = ring.next() {
            return Ok(completion.result == -libc::EACCES);
        }
        if let Some(errno) = ring.lost() {
            return Err(errno.into());
        }
        ring.wait(None);
    }
}
