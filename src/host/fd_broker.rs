//! A helper thread that has the program's descriptor table, for library threads that have left it.
//!
//! The workers have a descriptor table of their own, in which they hold the files of outstanding requests without the
//! program seeing them. They ask the broker to pass a file from the program's table to their own, and to start threads
//! that need the program's descriptors: those that call the program's notification functions.
//!
//! The broker has one client at a time: the worker that runs the reactor.

use core::cell::UnsafeCell;
use core::ffi::{c_int, c_void};
use core::mem::offset_of;
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};

use super::fork::PerProcess;
use super::futex::{self, Deadline};
use super::kernel::{self, Errno, syscall};
use super::thread;

/// What the broker is asked to do.
pub type Task = unsafe fn(argument: *mut c_void);

static FD_BROKER: PerProcess<FdBroker> = PerProcess::new(7);

const IDLE: u32 = 0;
const ASKED: u32 = 1;
const DONE: u32 = 2;
/// There will be no task any more.
const DISMISSED: u32 = 3;

/// The library's descriptors in the program's table get numbers from here on, where `RLIMIT_NOFILE` allows: programs
/// that close or count descriptors begin from below.
const FIRST_OWN_FD: u64 = 1 << 19;

/// The broker's state, shared with its client.
pub struct FdBroker {
    state: AtomicU32,
    task: UnsafeCell<(Task, *mut c_void)>,
    /// The broker's thread id; 0 until it runs.
    thread: AtomicU32,
    /// The id of the client's thread.
    client: AtomicU32,
    /// The broker's end of the socket, in the program's table, and its inode: the program may close the number and
    /// reuse it.
    socket: UnsafeCell<Option<(c_int, u64)>>,
}

// SAFETY: the client writes `task` while the state is `IDLE`, and the broker reads it while the state is `ASKED`.
// `socket` is touched by the broker's thread, and by the client before it asks for the first time.
unsafe impl Sync for FdBroker {}

impl FdBroker {
    /// Prepares for a thread that is to become the broker, by [`FdBroker::serve`]. There is none now.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn prepare() -> Result<&'static Self, Errno> {
        let broker = FD_BROKER.get_or_init(|| {
            super::memory::boxed(Self {
                state: AtomicU32::new(IDLE),
                task: UnsafeCell::new((nothing, ptr::null_mut())),
                thread: AtomicU32::new(0),
                client: AtomicU32::new(0),
                socket: UnsafeCell::new(None),
            })
        })?;
        broker.state.store(IDLE, Ordering::Relaxed);
        Ok(broker)
    }

    /// This process's broker, if one was ever prepared.
    #[must_use]
    pub fn current() -> Option<&'static Self> {
        FD_BROKER.get()
    }

    /// Makes the calling thread, which has the program's descriptors, the broker: it does what it is asked to, until it
    /// is dismissed.
    pub fn serve(&self) {
        // Release pairs with the Acquire of `await_thread`.
        self.thread.store(kernel::thread_id() as u32, Ordering::Release);
        futex::wake_all(&raw const self.thread);
        loop {
            match self.state.load(Ordering::Acquire) {
                ASKED => {
                    // SAFETY: the client wrote it before it asked, and vouches for the call.
                    unsafe {
                        let (task, argument) = *self.task.get();
                        task(argument);
                    }
                    self.state.store(DONE, Ordering::Release);
                    futex::wake(&raw const self.state, 1);
                }
                DISMISSED => break,
                state => {
                    let _ = futex::wait(&self.state, state, Deadline::Never);
                }
            }
        }
        self.close_socket();
        self.thread.store(0, Ordering::Relaxed);
    }

    /// Waits until a thread has become the broker.
    pub fn await_thread(&self) {
        // Acquire pairs with the Release of `serve`.
        while self.thread.load(Ordering::Acquire) == 0 {
            let _ = futex::wait(&self.thread, 0, Deadline::Never);
        }
    }

    /// Ends [`FdBroker::serve`]. For the client only.
    pub fn dismiss(&self) {
        self.set_client(0);
        // Release pairs with the broker's Acquire: it sees what its client did last.
        self.state.store(DISMISSED, Ordering::Release);
        futex::wake(&raw const self.state, 1);
    }

    /// The thread with this id is the client from here on; with 0 none is. Relaxed: a thread that finds its own id
    /// there has written it.
    pub fn set_client(&self, thread: c_int) {
        self.client.store(thread as u32, Ordering::Relaxed);
    }

    /// Closes the broker's end of the socket, unless the program has done so.
    fn close_socket(&self) {
        // SAFETY: this is the broker's thread.
        if let Some((end, inode)) = unsafe { (*self.socket.get()).take() }
            && inode_of(end) == Ok(inode)
        {
            kernel::close(end);
        }
    }

    /// The broker's thread id.
    #[must_use]
    pub fn thread(&self) -> c_int {
        self.thread.load(Ordering::Relaxed) as c_int
    }

    /// Has the broker call `task(argument)`, and waits for its end. For the client only.
    ///
    /// # Safety
    /// As `task` requires. It runs on the broker's thread, and must not block for long.
    pub unsafe fn ask(&self, task: Task, argument: *mut c_void) {
        // SAFETY: the state is `IDLE`, so the broker does not read it.
        unsafe { *self.task.get() = (task, argument) };
        // Release pairs with the broker's Acquire: it sees the task.
        self.state.store(ASKED, Ordering::Release);
        futex::wake(&raw const self.state, 1);
        // Acquire pairs with the broker's Release: the task's effects are seen.
        while self.state.load(Ordering::Acquire) != DONE {
            let _ = futex::wait(&self.state, ASKED, Deadline::Never);
        }
        self.state.store(IDLE, Ordering::Relaxed);
    }

    /// Makes a socket pair to pass files through. The broker keeps one end, with a high number in the program's table.
    /// The other end is returned; it is in the same table until the client leaves that.
    ///
    /// # Errors
    /// What `socketpair` answers.
    pub fn open_socket(&self) -> Result<c_int, Errno> {
        let mut ends: [c_int; 2] = [-1; 2];
        let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
        // SAFETY: writes the two numbers.
        unsafe { syscall!(libc::SYS_socketpair, libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) }?;
        let end = raise(ends[0]);
        let inode = inode_of(end)?;
        // SAFETY: the broker reads it only when this thread asks.
        unsafe { *self.socket.get() = Some((end, inode)) };
        Ok(ends[1])
    }

    /// Passes the file behind the program's `fd` through the socket, of which the client has `end`. The result is a new
    /// descriptor in the client's table. For the client only.
    ///
    /// # Errors
    /// `EBADF`: the program has no such descriptor; `ENOTCONN`: the program has closed the socket; `EMFILE`.
    pub fn fetch(&self, fd: c_int, end: c_int) -> Result<c_int, Errno> {
        let mut sending = Sending { broker: self, fd, answer: Ok(()) };
        // SAFETY: `ask` returns after the task has ended.
        unsafe { self.ask(send, (&raw mut sending).cast()) };
        sending.answer?;
        receive(end)
    }
}

/// Calls `task(argument)` where the program's descriptors are visible, and waits for its end: in this thread, or for
/// the client of the broker, in the broker's.
///
/// # Safety
/// As `task` requires. It must not block for long.
pub unsafe fn with_descriptors(task: Task, argument: *mut c_void) {
    match FD_BROKER.get() {
        // Relaxed: a thread that finds its own id there has written it.
        // SAFETY: the caller's promise; this thread is the client.
        Some(broker) if broker.client.load(Ordering::Relaxed) == kernel::thread_id() as u32 => unsafe {
            broker.ask(task, argument);
        },
        // SAFETY: the caller's promise.
        _ => unsafe { task(argument) },
    }
}

/// Starts a thread that has the program's descriptors, whichever thread calls; see [`thread::start_for_program`].
///
/// # Errors
/// `EAGAIN` or `ENOMEM`: there can be no thread.
pub fn start_thread(body: thread::Body, argument: *mut c_void) -> Result<(), Errno> {
    struct Wanted {
        body: thread::Body,
        argument: *mut c_void,
        answer: Result<(), Errno>,
    }
    unsafe fn start(wanted: *mut c_void) {
        // SAFETY: the one below, which outlives the task.
        let wanted = unsafe { &mut *wanted.cast::<Wanted>() };
        wanted.answer = thread::start_for_program(wanted.body, wanted.argument);
    }
    let mut wanted = Wanted { body, argument, answer: Ok(()) };
    // SAFETY: as `start` asks.
    unsafe { with_descriptors(start, (&raw mut wanted).cast()) };
    wanted.answer
}

/// Gives a descriptor of the library's a high number, and closes the one it had.
#[must_use]
pub fn raise(fd: c_int) -> c_int {
    match duplicate_high(fd) {
        Ok(high) => {
            kernel::close(fd);
            high
        }
        Err(_) => fd,
    }
}

/// Makes another descriptor of a file, with a number as high as can be.
///
/// # Errors
/// `EMFILE`.
pub fn duplicate_high(fd: c_int) -> Result<c_int, Errno> {
    let limit = kernel::limit(libc::RLIMIT_NOFILE, None).map_or(0, |limit| limit.rlim_cur);
    let mut lowest = FIRST_OWN_FD.min(limit.saturating_sub(64));
    loop {
        // SAFETY: makes a descriptor.
        match unsafe { syscall!(libc::SYS_fcntl, fd, libc::F_DUPFD_CLOEXEC, lowest) } {
            Err(_) if lowest > 0 => lowest /= 2,
            answer => return answer.map(|high| high as c_int),
        }
    }
}

unsafe fn nothing(_: *mut c_void) {}

fn inode_of(fd: c_int) -> Result<u64, Errno> {
    kernel::file_status(fd).map(|status| status.st_ino)
}

struct Sending<'a> {
    broker: &'a FdBroker,
    fd: c_int,
    answer: Result<(), Errno>,
}

/// A control message that carries one descriptor.
#[repr(C)]
struct Rights {
    header: libc::cmsghdr,
    fd: c_int,
    padding: c_int,
}

impl Rights {
    fn new(fd: c_int) -> Self {
        let mut rights = Self {
            // SAFETY: a structure of numbers.
            header: unsafe { core::mem::zeroed() },
            fd,
            padding: 0,
        };
        rights.header.cmsg_len = (offset_of!(Self, fd) + size_of::<c_int>()) as _;
        rights.header.cmsg_level = libc::SOL_SOCKET;
        rights.header.cmsg_type = libc::SCM_RIGHTS;
        rights
    }
}

/// A message of one byte with `rights`.
fn message(byte: &mut libc::iovec, rights: &mut Rights) -> libc::msghdr {
    // SAFETY: a structure of numbers and null pointers.
    let mut message: libc::msghdr = unsafe { core::mem::zeroed() };
    message.msg_iov = byte;
    message.msg_iovlen = 1;
    message.msg_control = ptr::from_mut(rights).cast();
    message.msg_controllen = size_of::<Rights>() as _;
    message
}

/// Sends the file through the socket. Runs on the broker's thread.
unsafe fn send(sending: *mut c_void) {
    // SAFETY: `fetch` waits.
    let sending = unsafe { &mut *sending.cast::<Sending>() };
    sending.answer = (|| {
        // SAFETY: this is the broker's thread.
        let (end, inode) = unsafe { *sending.broker.socket.get() }.ok_or(Errno(libc::ENOTCONN))?;
        // The program may have closed the number, and opened another file that got it.
        if inode_of(end) != Ok(inode) {
            return Err(Errno(libc::ENOTCONN));
        }
        let mut byte = 0u8;
        let mut vector = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
        let mut rights = Rights::new(sending.fd);
        let message = message(&mut vector, &mut rights);
        // SAFETY: reads the message and what it points to.
        unsafe { syscall!(libc::SYS_sendmsg, end, &raw const message, libc::MSG_NOSIGNAL) }.map(drop)
    })();
}

fn receive(end: c_int) -> Result<c_int, Errno> {
    let mut byte = 0u8;
    let mut vector = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let mut rights = Rights::new(-1);
    let mut message = message(&mut vector, &mut rights);
    let flags = libc::MSG_CMSG_CLOEXEC | libc::MSG_DONTWAIT;
    // SAFETY: fills the message and what it points to. The message has been sent already, so this does not wait.
    unsafe { syscall!(libc::SYS_recvmsg, end, &raw mut message, flags) }?;
    // Where the table is full, the kernel delivers the message without the file.
    if message.msg_controllen < size_of::<libc::cmsghdr>() || rights.fd < 0 {
        return Err(Errno(libc::EMFILE));
    }
    Ok(rights.fd)
}
