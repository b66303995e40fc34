//! Files of servers that stay open in the workers' table between requests, as long as the program has them open.
//!
//! Each `close` of a descriptor of such a file asks its server to flush it (FUSE), or writes out what is not written
//! yet (NFS, `nfs_file_flush`): a rclone or gcsfuse mount uploads the file. A program that never closes its descriptor
//! does not expect that after each request. So the descriptor is kept, until the program closes its own
//! ([`descriptors::before_close`]), or for a second without requests. A file is looked up by its number in the
//! program's table, and compared with what is kept (kcmp(2)): a number that was closed unseen and used again names
//! another open file.

use core::ffi::c_int;

use crate::host::descriptors;
use crate::host::kernel::{self, Errno, syscall};

/// The most files.
const MOST: usize = 1024;

/// `KCMP_FILE` of `kcmp(2)`.
const KCMP_FILE: c_int = 0;

struct Kept {
    /// The program's number, and the workers'.
    theirs: c_int,
    ours: c_int,
    /// When it was last used, in nanoseconds.
    used: u64,
}

/// What is kept.
pub struct KeptFiles {
    kept: Vec<Kept>,
    can_compare: bool,
    /// When it was last looked for what has not been used.
    swept: u64,
}

impl KeptFiles {
    /// Nothing yet. `can_compare`: whether `kcmp` may be called.
    pub fn new(can_compare: bool) -> Self {
        // Where the kernel has no such call (CONFIG_KCMP), nothing is kept.
        let me = kernel::process_id();
        let can_compare = can_compare && matches!(compare(me, -1, me, -1), Err(Errno(libc::EBADF)));
        Self { kept: Vec::new(), can_compare, swept: 0 }
    }

    /// Whether nothing is kept.
    pub const fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Keeps a file, if there is room. Whether it does.
    pub fn add(&mut self, theirs: c_int, ours: c_int, now: u64) -> bool {
        if !self.can_compare || self.kept.len() >= MOST || self.kept.try_reserve(1).is_err() {
            return false;
        }
        self.kept.push(Kept { theirs, ours, used: now });
        descriptors::note_kept(theirs, true);
        true
    }

    /// Whether a kept file is still what the program's number names in the table of the thread `there`. It has been
    /// used now. None: it is not kept.
    pub fn check(&mut self, ours: c_int, there: c_int, here: c_int, now: u64) -> Option<bool> {
        let kept = self.kept.iter_mut().find(|kept| kept.ours == ours)?;
        kept.used = now;
        Some(compare(there, kept.theirs, here, ours) == Ok(0))
    }

    /// One that is kept for the program's number, or any for -1; it is kept no longer.
    pub fn take(&mut self, theirs: c_int) -> Option<c_int> {
        self.take_where(|kept| theirs < 0 || kept.theirs == theirs)
    }

    /// This one is kept no longer. Whether it was.
    pub fn forget(&mut self, ours: c_int) -> bool {
        self.take_where(|kept| kept.ours == ours).is_some()
    }

    /// One that has not been used for `age` nanoseconds; it is kept no longer. They are looked for once in that time.
    pub fn take_unused(&mut self, now: u64, age: u64) -> Option<c_int> {
        if self.kept.is_empty() || now - self.swept < age {
            return None;
        }
        let unused = self.take_where(|kept| now - kept.used >= age);
        if unused.is_none() {
            self.swept = now;
        }
        unused
    }

    fn take_where(&mut self, is_meant: impl FnMut(&Kept) -> bool) -> Option<c_int> {
        let place = self.kept.iter().position(is_meant)?;
        let Kept { theirs, ours, .. } = self.kept.swap_remove(place);
        descriptors::note_kept(theirs, false);
        Some(ours)
    }
}

impl Drop for KeptFiles {
    fn drop(&mut self) {
        while self.take(-1).is_some() {}
    }
}

/// 0: both descriptors, each of a thread's table, are of one open file.
fn compare(there: c_int, theirs: c_int, here: c_int, ours: c_int) -> Result<usize, Errno> {
    // SAFETY: takes numbers.
    unsafe { syscall!(libc::SYS_kcmp, there, here, KCMP_FILE, theirs, ours) }
}
