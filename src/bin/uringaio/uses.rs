//! What a file uses of asynchronous I/O: the interfaces that are served, and those that are not.

use std::path::{Path, PathBuf};

use crate::elf::Image;

/// Functions of POSIX AIO; each has a second name that ends in 64.
const POSIX: [&str; 12] = [
    "aio_read",
    "aio_write",
    "aio_readv",
    "aio_writev",
    "aio_fsync",
    "aio_error",
    "aio_return",
    "aio_suspend",
    "aio_waitcomplete",
    "aio_cancel",
    "lio_listio",
    "aio_init",
];

/// Functions of libaio.
const LIBAIO: [&str; 11] = [
    "io_setup",
    "io_destroy",
    "io_submit",
    "io_cancel",
    "io_getevents",
    "io_pgetevents",
    "io_queue_init",
    "io_queue_run",
    "io_queue_release",
    "io_queue_wait",
    "io_queue_grow",
];

/// A function that liburingaio.so has, and no other library.
pub const MARK: &str = "uringaio_version";

/// What one file uses.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct Uses {
    pub file: PathBuf,
    /// Functions of POSIX AIO that it calls.
    pub posix: Vec<String>,
    /// Functions of libaio that it calls.
    pub libaio: Vec<String>,
    /// It has such functions inside, so that its calls of them reach no other library.
    pub has_its_own: bool,
    /// It is linked with uringaio.
    pub is_linked_with_uringaio: bool,
    /// It makes the system call `io_setup` by number, past libaio.
    pub calls_aio_by_number: bool,
    /// It makes system calls by number, of which none can be told.
    pub hides_numbers: bool,
    /// It uses io_uring: by liburing, or by number.
    pub uses_io_uring: Option<&'static str>,
    /// The name of a libaio that it needs under another name than the usual ones, as Python wheels bring it.
    pub bundled: Option<String>,
    /// It has the name of libaio in it, but is not linked with it: it may load it while it runs.
    pub may_load_libaio: bool,
}

impl Uses {
    /// Whether it calls an interface that is served.
    pub fn is_served(&self) -> bool {
        self.is_linked_with_uringaio || !(self.posix.is_empty() && self.libaio.is_empty())
    }
}

/// What a file uses by name; nothing of what cannot be read, and of the libraries that offer these functions.
pub fn by_name(file: &Path) -> Option<Uses> {
    of_image(&Image::open(file).ok()?, file)
}

fn of_image(image: &Image, file: &Path) -> Option<Uses> {
    if is_provider(image) {
        return None;
    }
    let imports = image.imports();
    let needed = image.needed();
    let among = |names: &[&str], suffix: &str| -> Vec<String> {
        let matches = |import: &&String| names.contains(&import.strip_suffix(suffix).unwrap_or(import));
        imports.iter().filter(matches).cloned().collect()
    };
    Some(Uses {
        file: file.into(),
        posix: among(&POSIX, "64"),
        libaio: among(&LIBAIO, ""),
        has_its_own: image.has_inside(&["io_submit", "aio_read", "lio_listio"]),
        is_linked_with_uringaio: needed.iter().any(|name| name.starts_with("liburingaio")) || image.has_inside(&[MARK]),
        uses_io_uring: imports.iter().any(|name| name.starts_with("io_uring_")).then_some("liburing"),
        bundled: needed.iter().find(|name| name.starts_with("libaio") && !name.starts_with("libaio.so")).cloned(),
        ..Uses::default()
    })
}

/// The same, and what can only be seen in the code and the constants, which takes longer.
pub fn in_depth(file: &Path) -> Option<Uses> {
    let image = Image::open(file).ok()?;
    let mut uses = of_image(&image, file)?;
    if image.imports().contains("syscall") {
        let numbers = image.calls_by_number();
        uses.hides_numbers = numbers.is_empty();
        uses.calls_aio_by_number = numbers.contains(&(libc::SYS_io_setup as u32));
        if uses.uses_io_uring.is_none() && numbers.contains(&(libc::SYS_io_uring_setup as u32)) {
            uses.uses_io_uring = Some("system calls of its own");
        }
    }
    let needs_libaio = image.needed().iter().any(|name| name.starts_with("libaio"));
    uses.may_load_libaio = !needs_libaio && image.mentions(b"libaio.so.1");
    Some(uses)
}

/// Whether it is libaio, liburing, the C library or liburingaio.
fn is_provider(image: &Image) -> bool {
    image.exports(&["io_submit", "aio_read", "io_uring_queue_init", "io_uring_get_sqe", MARK])
}

/// Whether a file is one of the libraries that offer these functions.
pub fn offers(file: &Path) -> bool {
    Image::open(file).is_ok_and(|image| is_provider(&image))
}

/// Whether `file` is a library for this machine that has the function `name`. An error says what it is instead.
pub fn library_has(file: &Path, name: &str) -> Result<bool, String> {
    use crate::elf::Kind;
    let image = Image::open(file).map_err(|error| error.to_string())?;
    match image.kind() {
        Kind::Other | Kind::Narrow => Err("is not a library for 64-bit programs".into()),
        Kind::Foreign => Err("is made for another machine".into()),
        Kind::Program(_) | Kind::Static | Kind::Shared => Ok(image.exports(&[name])),
    }
}
