//! The system calls that the library makes, and what the simulated kernel answers.

use core::ffi::c_long;
use core::ptr;
use core::sync::atomic::AtomicU32;
use core::time::Duration;

use super::files::{Files, Nature};
use super::moved::Seen;
use super::request::By;
use super::ring::{self, Ring};
use super::world::{Thread, World, world};
use crate::engine::operation::Kind;
use crate::host::heap;

impl World {
    /// A transfer by a plain call, in the place of a worker.
    fn transfer(&self, kind: Kind, &[fd, address, length, offset, _, flags]: &[usize; 6]) -> Option<isize> {
        let file = self.files.borrow().named(fd as i32)?;
        let single = libc::iovec { iov_base: ptr::with_exposed_provenance_mut(address), iov_len: length };
        let vectors = if kind.has_vector() {
            // SAFETY: the array that the call is given.
            unsafe { core::slice::from_raw_parts(ptr::with_exposed_provenance(address), length) }
        } else {
            &[single]
        };
        // One buffer goes as an array where there are flags, and an array of one as a buffer where there are none.
        let request = self.request_at(vectors[0].iov_base.addr());
        if self.program.is_some() && self.thread.get() == Thread::Program {
            let is_stream = self.files.borrow_mut().file(file).nature == Nature::Stream;
            if is_stream && offset as i64 >= 0 {
                return Some(-libc::ESPIPE as isize);
            }
            let seen = Seen { kind, address, length, offset: offset as i64, file };
            let is_nowait = kind.has_vector() && flags as i32 & libc::RWF_NOWAIT != 0;
            return Some(request.perform_in_caller(self, seen, is_nowait));
        }
        let seen = request.seen(kind.writes(), vectors, offset as i64, file);
        Some(request.perform(self, By::Worker, seen, usize::MAX) as isize)
    }

    /// What a face asks to learn what the program's descriptors are.
    fn ask(&self, number: c_long, &[first, second, third, fourth, fifth, _]: &[usize; 6]) -> Option<isize> {
        // SAFETY: in each case what the library gives such a call.
        unsafe {
            match number {
                libc::SYS_fcntl if second as i32 == libc::F_GETFL => {
                    let file = self.files.borrow().named(first as i32)?;
                    Some((libc::O_RDWR | Files::traits(file).flags) as isize)
                }
                libc::SYS_lseek => {
                    self.files.borrow().named(first as i32)?;
                    Some(-libc::ESPIPE as isize)
                }
                libc::SYS_statx => {
                    let file = self.files.borrow().named(first as i32)?;
                    let mode = match self.files.borrow_mut().file(file).nature {
                        Nature::Regular => libc::S_IFREG,
                        Nature::Stream => libc::S_IFIFO,
                        Nature::Eventfd | Nature::Doorbell => 0,
                    };
                    let status = ptr::with_exposed_provenance_mut::<libc::statx>(fifth);
                    status.write(core::mem::zeroed());
                    (*status).stx_mask = fourth as u32;
                    (*status).stx_mode = mode as u16;
                    (*status).stx_ino = file as u64 + 1;
                    (*status).stx_mnt_id = MOUNTS + file as u64;
                    ((*status).stx_dev_major, (*status).stx_dev_minor) = (DEVICE, file as u32);
                    Some(0)
                }
                SYS_STATMOUNT => {
                    let id = ptr::with_exposed_provenance::<u64>(first).add(1).read();
                    let file = usize::try_from(id.checked_sub(MOUNTS)?).ok()?;
                    let found = ptr::with_exposed_provenance_mut::<u8>(second);
                    // `mask`, and the type's name at the beginning of the strings.
                    found.add(8).cast::<u64>().write(0x20);
                    let name = Files::traits(file).file_system;
                    ptr::copy_nonoverlapping(name.as_ptr(), found.add(512), name.len());
                    Some(0)
                }
                libc::SYS_readlinkat => {
                    let path = core::ffi::CStr::from_ptr(ptr::with_exposed_provenance(second)).to_str().ok()?;
                    if path.starts_with("/sys/dev/block/") {
                        return Some(-libc::ENOENT as isize);
                    }
                    let file = self.files.borrow().named(path.rsplit('/').next()?.parse().ok()?)?;
                    let name: &[u8] = match self.files.borrow_mut().file(file).nature {
                        Nature::Eventfd => b"anon_inode:[eventfd]",
                        _ => b"pipe:[1]",
                    };
                    ptr::copy_nonoverlapping(name.as_ptr(), ptr::with_exposed_provenance_mut(third), name.len());
                    Some(name.len() as isize)
                }
                _ => None,
            }
        }
    }

    /// An eventfd that is signalled by its number.
    fn write(&self, fd: i32, address: usize) -> Option<isize> {
        let file = self.files.borrow().named(fd)?;
        // SAFETY: the eight bytes of `add_to_eventfd`.
        self.signal(file, unsafe { *(address as *const u64) });
        Some(8)
    }
}

/// Answers a system call; not one that the kernel itself is to answer.
pub fn call(number: c_long, arguments: &[usize; 6]) -> Option<isize> {
    let &[first, second, third, fourth, ..] = arguments;
    Some(match number {
        libc::SYS_rt_sigprocmask => 0,
        libc::SYS_gettid => world().thread.get() as isize,
        libc::SYS_getpid => 1,
        libc::SYS_futex if heap::has(first) => return None,
        libc::SYS_futex => match second as i32 & !libc::FUTEX_PRIVATE_FLAG {
            libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET => {
                // SAFETY: what `futex::wait` is given: a word that is alive, and a time or none.
                let (word, until) =
                    unsafe { (&*(first as *const AtomicU32), (fourth as *const libc::timespec).as_ref()) };
                let nanoseconds =
                    |at: &libc::timespec| Duration::new(at.tv_sec as u64, at.tv_nsec as u32).as_nanos() as u64;
                world().wait(word, third as u32, until.map_or(u64::MAX, nanoseconds))
            }
            libc::FUTEX_WAKE => {
                world().wake(first);
                0
            }
            // Whether memory can be touched.
            _ => return None,
        },
        libc::SYS_io_uring_enter if first == ring::NUMBER as usize => with_ring(|ring| ring.enter(world(), arguments)),
        libc::SYS_io_uring_register if first == ring::NUMBER as usize => {
            with_ring(|ring| ring.register(world(), arguments))
        }
        libc::SYS_tgkill => with_ring(|ring| {
            ring.signal();
            0
        }),
        libc::SYS_rt_sigtimedwait => {
            with_ring(|ring| if ring.take_signal() { libc::SIGURG as isize } else { -libc::EAGAIN as isize })
        }
        libc::SYS_ppoll => {
            // SAFETY: the structure of `kernel::ready`. An eventfd has room.
            unsafe { (*(first as *mut libc::pollfd)).revents = libc::POLLOUT };
            1
        }
        libc::SYS_rt_sigqueueinfo | libc::SYS_rt_tgsigqueueinfo => {
            let info = if number == libc::SYS_rt_sigqueueinfo { third } else { fourth };
            // SAFETY: a siginfo, whose value is behind four numbers, the process and the user.
            let value = unsafe { *((info + 24) as *const usize) };
            (world().program?.signalled)(value);
            0
        }
        // As where all of `fs.aio-max-nr` is in use.
        libc::SYS_io_setup => -libc::EAGAIN as isize,
        libc::SYS_read | libc::SYS_write if third == 0 => 0,
        libc::SYS_write => world().write(first as i32, second)?,
        libc::SYS_fsync | libc::SYS_fdatasync => {
            world().files.borrow().named(first as i32)?;
            world().open.borrow().iter().for_each(|request| request.may_be_synced(first as i32));
            0
        }
        libc::SYS_pread64 => world().transfer(Kind::Read, arguments)?,
        libc::SYS_pwrite64 => world().transfer(Kind::Write, arguments)?,
        libc::SYS_preadv2 => world().transfer(Kind::ReadVector, arguments)?,
        libc::SYS_pwritev2 => world().transfer(Kind::WriteVector, arguments)?,
        _ => return world().ask(number, arguments),
    })
}

/// `statmount`, the least number of a simulated mount, and the major number of simulated devices.
const SYS_STATMOUNT: c_long = 457;
const MOUNTS: u64 = 0x5151_0000_0000;
const DEVICE: u32 = 4000;

fn with_ring(work: impl FnOnce(&mut Ring) -> isize) -> isize {
    world().ring.borrow_mut().as_mut().map_or(-libc::EBADF as isize, work)
}
