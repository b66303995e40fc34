//! Programs whose own settings decide which interface they use, and what to set.

use super::report::Finding;

/// A program by the beginning of its file's name, and what is known of it.
struct Known {
    names: &'static [&'static str],
    when: When,
    title: &'static str,
    detail: &'static str,
    remedy: &'static [&'static str],
}

/// Which builds of the program are meant; of several that fit, the first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    /// Those that use io_uring by themselves.
    WithIoUring,
    /// Those that call the kernel's AIO by system call number.
    WithAioByNumber,
}

const PROGRAMS: [Known; 8] = [
    Known {
        names: &["mariadbd", "mysqld"],
        when: When::WithIoUring,
        title: "MariaDB uses io_uring by itself, unless it is told to use libaio",
        detail: "As it comes, running it on uringaio changes nothing: its log says \"Using io_uring\". With innodb_linux_aio=aio it \
                 uses libaio, which uringaio serves. Expect little from that: io_uring is used either way.",
        remedy: &["# in the server's configuration", "[mariadbd]", "innodb_linux_aio=aio"],
    },
    Known {
        names: &["mariadbd", "mysqld"],
        when: When::Always,
        title: "The server uses libaio where innodb_use_native_aio is on, which is the default",
        detail: "",
        remedy: &[],
    },
    Known {
        names: &["fio"],
        when: When::Always,
        title: "fio: --ioengine=libaio and --ioengine=posixaio are served",
        detail: "Other engines, such as io_uring and psync, use neither interface.",
        remedy: &[],
    },
    Known {
        names: &["qemu-system-", "qemu-img", "qemu-io", "qemu-nbd", "qemu-storage-daemon"],
        when: When::Always,
        title: "QEMU uses libaio for drives with aio=native, which needs cache.direct=on",
        detail: "With aio=threads, the default, it uses neither interface; with aio=io_uring it uses io_uring by itself.",
        remedy: &[
            "# of qemu-system: -drive file=...,cache.direct=on,aio=native",
            "# of qemu-img: -n -t none (or -i native)",
        ],
    },
    Known {
        names: &["nginx"],
        when: When::WithAioByNumber,
        title: "nginx uses the kernel's AIO by system call number, for files that aio and directio cover",
        detail: "It is served with URINGAIO_RAW=1 in its environment.",
        remedy: &["# in nginx.conf", "env LD_PRELOAD;", "env URINGAIO_RAW;", "aio on;", "directio 4k;"],
    },
    Known {
        names: &["nginx"],
        when: When::Always,
        title: "This nginx was built without file AIO (--with-file-aio)",
        detail: "",
        remedy: &[],
    },
    Known {
        names: &["postgres"],
        when: When::Always,
        title: "PostgreSQL uses neither POSIX AIO nor libaio",
        detail: "From version 18 on io_method=io_uring makes it use io_uring by itself.",
        remedy: &[],
    },
    Known {
        names: &["python", "perl", "ruby", "node", "java"],
        when: When::Always,
        title: "This is an interpreter: what it loads decides",
        detail: "Name the extension or library itself to see what it uses.",
        remedy: &["uringaio doctor /path/to/EXTENSION.so"],
    },
];

/// What is known of the program with this file name, and with these properties.
pub fn finding(name: &str, uses_io_uring: bool, calls_aio_by_number: bool) -> Option<Finding> {
    let fits = |when: When| match when {
        When::Always => true,
        When::WithIoUring => uses_io_uring,
        When::WithAioByNumber => calls_aio_by_number,
    };
    let called = |names: &[&str]| names.iter().any(|start| name.starts_with(start));
    let known = PROGRAMS.iter().find(|known| called(known.names) && fits(known.when))?;
    Some(Finding::note("known_program", known.title, known.detail).with_remedy(known.remedy.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::finding;

    #[test]
    fn builds_are_told_apart_by_what_they_call() {
        let title = |name, ring, number| finding(name, ring, number).map(|finding| finding.title).unwrap_or_default();
        assert!(title("mariadbd", true, false).contains("io_uring by itself"));
        assert!(title("mariadbd", false, false).contains("innodb_use_native_aio"));
        assert!(title("nginx", false, true).contains("by system call number"));
        assert!(title("nginx", false, false).contains("without file AIO"));
        assert!(finding("no-such-program", true, true).is_none());
    }
}
