//! The file systems that io_uring may serve, and those and the devices that are in memory: one list, from which documentation
//! quotes.
//!
//! io_uring answers for most file systems as `pread` and `pwrite` do, and for some it does not: on FUSE with direct I/O
//! it goes on after a short answer without moving the position, so that a reader gets the same bytes twice. Therefore a
//! file system is on the list when `answers_test` (of `engine::uring`) has passed on it: 465 calls compared with the
//! plain system call, buffered, `O_DIRECT`, `O_DSYNC` and `O_APPEND`: short reads, ends and holes, misaligned requests,
//! bad memory, vectors, `RLIMIT_FSIZE`, and a full file system. What is not on the list (FUSE, NFS, SMB, 9p, Ceph, ZFS,
//! exFAT, NTFS, …) counts as [`Backing::Remote`] and is served by plain system calls.

/// Where a file system keeps its files, and so how they may be read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// In memory and nowhere else: a plain system call never waits for a device.
    Memory,
    /// On a device of this machine, behind the page cache, and served correctly by io_uring.
    Local,
    /// Anything else: with another machine or another process, which may take its time, or not known to be correct with
    /// io_uring. Plain system calls alone.
    Remote,
}

/// One kind of file system.
#[derive(Debug)]
pub struct FileSystem {
    /// As in the third field from the end of `/proc/self/mountinfo`.
    pub name: &'static str,
    /// `f_type` of statfs(2), for where there is no `/proc`.
    pub magic: u32,
    pub backing: Backing,
    /// Why it is on the list.
    #[allow(dead_code, reason = "for the reader, and for what is made from this table")]
    pub why: &'static str,
}

/// What `answers_test` has passed on; the kernel's page cache and iomap do the same for plain calls and for io_uring.
const TESTED: &str = "answers_test passes on Linux 6.18";

/// The list. Names and numbers are from linux/magic.h and statfs(2).
pub static LIST: [FileSystem; 10] = [
    FileSystem { name: "tmpfs", magic: 0x0102_1994, backing: Backing::Memory, why: TESTED },
    FileSystem { name: "devtmpfs", magic: 0x0102_1994, backing: Backing::Memory, why: "a tmpfs" },
    FileSystem { name: "ramfs", magic: 0x8584_58f6, backing: Backing::Memory, why: "served inline, as tmpfs" },
    FileSystem { name: "hugetlbfs", magic: 0x9584_58f6, backing: Backing::Memory, why: "served inline, as tmpfs" },
    FileSystem { name: "ext4", magic: 0xef53, backing: Backing::Local, why: TESTED },
    FileSystem { name: "ext3", magic: 0xef53, backing: Backing::Local, why: "the code of ext4" },
    FileSystem { name: "ext2", magic: 0xef53, backing: Backing::Local, why: "the code of ext4, or its iomap" },
    FileSystem { name: "xfs", magic: 0x5846_5342, backing: Backing::Local, why: TESTED },
    FileSystem { name: "btrfs", magic: 0x9123_683e, backing: Backing::Local, why: TESTED },
    // Its files are those of the layers, on ext4 and the like nearly always: a layer on NFS or FUSE is not seen.
    FileSystem { name: "overlay", magic: 0x794c_7630, backing: Backing::Local, why: TESTED },
];

/// Where a file system of this name keeps its files.
#[must_use]
pub fn by_name(name: &[u8]) -> Backing {
    LIST.iter().find(|system| system.name.as_bytes() == name).map_or(Backing::Remote, |system| system.backing)
}

/// The first on the list whose `f_type` is this.
#[must_use]
pub fn with_magic(magic: u32) -> Option<&'static FileSystem> {
    LIST.iter().find(|system| system.magic == magic)
}

/// Where a file system whose `f_type` is this keeps its files.
#[must_use]
pub fn by_magic(magic: u32) -> Backing {
    with_magic(magic).map_or(Backing::Remote, |system| system.backing)
}

/// Drivers of devices that complete requests immediately, in memory: the beginnings of their devices' names.
const DEVICES_IN_MEMORY: [&str; 3] = ["zram", "pmem", "ram"];

/// Whether the device of this name, as sysfs gives it, keeps everything in memory.
#[must_use]
pub fn is_device_in_memory(name: &str) -> bool {
    DEVICES_IN_MEMORY.iter().any(|driver| {
        name.strip_prefix(driver).is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::{Backing, LIST, by_magic, by_name, is_device_in_memory};

    #[test]
    fn devices_are_told_by_their_names() {
        assert!(is_device_in_memory("zram0") && is_device_in_memory("ram15") && is_device_in_memory("pmem0s1"));
        assert!(!is_device_in_memory("sda") && !is_device_in_memory("ramp") && !is_device_in_memory("ram"));
    }

    #[test]
    fn what_is_not_listed_is_remote() {
        for name in [&b"fuse"[..], b"fuseblk", b"fuse.sshfs", b"nfs4", b"cifs", b"9p", b"zfs", b"exfat", b"ext", b""] {
            assert_eq!(by_name(name), Backing::Remote);
        }
        assert_eq!(by_name(b"ext4"), Backing::Local);
        assert_eq!(by_name(b"tmpfs"), Backing::Memory);
        // FUSE and NFS.
        assert_eq!((by_magic(0x6573_5546), by_magic(0x6969)), (Backing::Remote, Backing::Remote));
        for system in &LIST {
            assert_eq!(by_magic(system.magic), system.backing, "{system:?}");
            assert!(!system.why.is_empty());
        }
    }
}
