//! Where requests go, in words: what `submission::router` decides. docs/lanes.md prints the table, `uringaio doctor FILE` quotes it.

/// A row of the table: which requests, on which files or when; the route; why.
pub type Row = [&'static str; 4];

/// Reads and writes of what has no position.
pub const STREAMS: Row = [
    "read, write",
    "pipe, socket, terminal, character device",
    "in the caller if nothing is queued (libaio), then workers in order",
    "order, whole writes, timeouts and terminals' rules are those of plain system calls",
];

/// Reads and writes of files that are in memory alone.
pub const MEMORY: Row = [
    "read, write",
    "tmpfs, ramfs, hugetlbfs",
    "in the caller, then workers",
    "nothing waits for a device; io_uring would need a worker for each",
];

/// Reads of files that io_uring serves, but cannot try without waiting.
pub const WITHOUT_NOWAIT: Row = [
    "read, not O_DIRECT",
    "overlayfs, and others that have refused RWF_NOWAIT",
    "in the caller while such reads are quick (libaio), then workers",
    "what cannot be tried io_uring hands to a thread of the kernel's, which costs one more change of threads",
];

/// Reads and writes of files that io_uring serves.
pub const LOCAL: Row = [
    "read, write",
    "ext2 to ext4, XFS, btrfs, overlayfs, block device",
    "in the caller if cached (O_DIRECT: if the device has shown that it completes requests immediately), then io_uring",
    "a cached read or a buffered write is cheaper than waking a thread; the device is kept busy by io_uring",
];

/// Reads and writes of all other files.
pub const OTHERS: Row = [
    "read, write",
    "any other (FUSE, NFS, SMB, …)",
    "reads in the caller while they are quick (libaio, not O_DIRECT), then workers",
    "io_uring is not known to answer as pread does there, and may sleep in its caller",
];

/// The table, in the order in which it is gone through. (Before it is asked, `libaio::carriage` has given contexts that
/// begin with `O_DIRECT` requests to the kernel's own AIO.)
#[allow(dead_code, reason = "for the documentation, and compared with it")]
pub const TABLE: [Row; 12] = [
    [
        "any",
        "the thread has descriptors or rights of its own",
        "in the caller",
        "the engines' threads would look the number up elsewhere, or have other rights",
    ],
    ["poll", "any", "workers", "one epoll waits for all; it can be cancelled at any time"],
    STREAMS,
    [
        "write",
        "O_APPEND",
        "in the caller if nothing is queued (libaio), then workers in order",
        "appends must land in call order",
    ],
    [
        "aio_fsync",
        "ext2 to ext4, XFS, btrfs, overlayfs, block device",
        "workers, which hold it back until earlier requests on the file have ended, those with io_uring too",
        "a plain system call: io_uring's own fsync holds the file a moment longer than its completion says",
    ],
    ["fsync, fdatasync", "any other", "workers", "a plain system call; libaio's waits for nothing"],
    [
        "read, write",
        "a page of the buffer or the file may be long in coming (userfaultfd, fanotify, a frozen file system)",
        "workers",
        "only the worker that does it may sleep; libaio's inline part stays, as the kernel's AIO would sleep there too, but not of what fanotify is asked about: each attempt asks",
    ],
    [
        "read, write",
        "ext2 to ext4, XFS, btrfs, overlayfs, block device, but io_uring is denied the operation (a restriction that the process has inherited)",
        "in the caller as below, then workers",
        "the rest stays with io_uring",
    ],
    MEMORY,
    WITHOUT_NOWAIT,
    LOCAL,
    OTHERS,
];

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    #[cfg_attr(miri, ignore = "Miri takes minutes to compare a page")]
    fn the_documentation_has_the_same_table() {
        let page = include_str!("../../docs/lanes.md");
        for [request, file, route, reason] in TABLE {
            let row = format!("| {request} | {file} | {route} | {reason} |");
            assert!(page.contains(&row), "docs/lanes.md lacks the row\n{row}");
        }
    }
}
