//! How io_uring lays out a ring in memory (linux/io_uring.h).

use core::sync::atomic::{AtomicI32, AtomicU64};

use io_uring::squeue;

/// `io_uring_enter` takes a time to wait (5.11).
pub const FEATURE_EXT_ARG: u32 = 1 << 8;
/// It can wait without being counted as waiting for a disk (6.15).
pub const FEATURE_NO_IOWAIT: u32 = 1 << 17;

/// `io_uring_register` takes the number of a ring that is registered with the thread, not its descriptor (6.3).
pub const REGISTER_USE_REGISTERED_RING: u32 = 1 << 31;

/// `struct io_sqring_offsets`
#[repr(C)]
#[derive(Default)]
pub struct SubmissionOffsets {
    pub head: u32,
    pub tail: u32,
    pub mask: u32,
    pub entries: u32,
    pub flags: u32,
    pub dropped: u32,
    pub array: u32,
    pub reserved: u32,
    pub address: u64,
}

/// `struct io_cqring_offsets`
#[repr(C)]
#[derive(Default)]
pub struct CompletionOffsets {
    pub head: u32,
    pub tail: u32,
    pub mask: u32,
    pub entries: u32,
    pub overflow: u32,
    pub completions: u32,
    pub flags: u32,
    pub reserved: u32,
    pub address: u64,
}

/// `struct io_uring_params`
#[repr(C)]
#[derive(Default)]
pub struct Parameters {
    pub submissions: u32,
    pub completions: u32,
    pub flags: u32,
    pub thread: [u32; 2],
    pub features: u32,
    pub workers: u32,
    pub reserved: [u32; 3],
    pub submission: SubmissionOffsets,
    pub completion: CompletionOffsets,
}

/// `struct io_uring_rsrc_update`, and `struct io_uring_files_update`, whose `data` is the address of descriptors.
#[repr(C)]
pub struct Update {
    pub place: u32,
    pub reserved: u32,
    pub data: u64,
}

/// `struct io_uring_cqe`
#[repr(C)]
pub struct CompletionEntry {
    pub user_data: AtomicU64,
    pub result: AtomicI32,
    pub flags: u32,
}

const _: () = {
    assert!(size_of::<Parameters>() == 120 && size_of::<CompletionEntry>() == 16 && size_of::<Update>() == 16);
    assert!(size_of::<squeue::Entry>() == 64);
};
