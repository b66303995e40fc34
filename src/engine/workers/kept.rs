//! Files of servers that stay open in the workers' table between requests, as long as the program has them open.
//!
//! Each `close` of a descriptor of such a file asks its server to flush it (FUSE), or writes out what is not written
//! yet (NFS, `nfs_file_flush`): a rclone or gcsfuse mount uploads the file. A program that never closes its descriptor
//! does not expect that after each request. So the descriptor is kept, until the program closes its own
//! ([`descriptors::before_close`]), or has not used it for a second or two. A file is looked up by its number in the
//! program's table, and compared with what is kept (kcmp(2)): a number that was closed unseen and used again names
//! another open file.

use core::ffi::c_int;

use crate::engine::lifecycle::IDLE_EXIT_MS;
use crate::host::descriptors;
use crate::host::kernel::{self, Errno, syscall};

const MAX_FILES: usize = 1024;

/// What has not been used between two looks is closed.
const KEEP_NS: u64 = IDLE_EXIT_MS * 1_000_000;

/// `KCMP_FILE` of `kcmp(2)`.
const KCMP_FILE: c_int = 0;

struct Kept {
    /// The program's number, and the workers'.
    theirs: c_int,
    ours: c_int,
}

/// What is kept.
pub struct KeptFiles {
    kept: Vec<Kept>,
    can_compare: bool,
    /// When it was last looked for what has not been used, in nanoseconds.
    swept: u64,
}

impl KeptFiles {
    /// Nothing yet. `can_compare`: whether `kcmp` may be called.
    pub fn new(can_compare: bool) -> Self {
        // Where the kernel has no such call (CONFIG_KCMP), nothing is kept.
        let me = kernel::process_id();
        let can_compare = can_compare && compare((me, -1), (me, -1)) == Err(Errno(libc::EBADF));
        Self { kept: Vec::new(), can_compare, swept: kernel::now() }
    }

    /// Whether another file may be kept.
    pub const fn has_room(&self) -> bool {
        self.can_compare && self.kept.len() < MAX_FILES
    }

    /// Keeps a file, if there is room. Whether it does.
    pub fn add(&mut self, theirs: c_int, ours: c_int) -> bool {
        if !self.has_room() || self.kept.try_reserve(1).is_err() {
            return false;
        }
        self.kept.push(Kept { theirs, ours });
        descriptors::note_kept(theirs, true);
        true
    }

    /// One that is kept for the program's number, or any for -1; it is kept no longer.
    pub fn take(&mut self, theirs: c_int) -> Option<c_int> {
        self.take_where(|_, kept| theirs < 0 || kept == theirs)
    }

    /// This one is kept no longer.
    pub fn forget(&mut self, ours: c_int) {
        self.take_where(|kept, _| kept == ours);
    }

    /// Whether it is time to look for what has not been used.
    pub fn must_sweep(&mut self) -> bool {
        if self.kept.is_empty() {
            return false;
        }
        let now = kernel::now();
        let must = now - self.swept >= KEEP_NS;
        if must {
            self.swept = now;
        }
        must
    }

    /// Keeps those that `has_been_used`. The others.
    pub fn sweep(&mut self, mut has_been_used: impl FnMut(c_int) -> bool) -> Vec<c_int> {
        let mut unused = Vec::new();
        self.kept.retain(|kept| {
            let keeps = has_been_used(kept.ours) || unused.try_reserve(1).is_err();
            if !keeps {
                descriptors::note_kept(kept.theirs, false);
                unused.push(kept.ours);
            }
            keeps
        });
        unused
    }

    fn take_where(&mut self, is_meant: impl Fn(c_int, c_int) -> bool) -> Option<c_int> {
        let place = self.kept.iter().position(|kept| is_meant(kept.ours, kept.theirs))?;
        let Kept { theirs, ours } = self.kept.swap_remove(place);
        descriptors::note_kept(theirs, false);
        Some(ours)
    }
}

impl Drop for KeptFiles {
    fn drop(&mut self) {
        while self.take(-1).is_some() {}
    }
}

/// Whether two descriptors, each in the table of a thread, are of one open file.
pub fn are_same(one: (c_int, c_int), other: (c_int, c_int)) -> bool {
    compare(one, other) == Ok(0)
}

fn compare(one: (c_int, c_int), other: (c_int, c_int)) -> Result<usize, Errno> {
    // SAFETY: takes numbers.
    unsafe { syscall!(libc::SYS_kcmp, one.0, other.0, KCMP_FILE, one.1, other.1) }
}
