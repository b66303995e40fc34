//! The library's own heap: no code of the library calls the program's memory allocator.
//!
//! An allocator may call `munmap` or `close` while it holds its own lock, and those calls come through this library. If
//! the library then needed that allocator, on this thread or on one that is waited for, neither would go on. So
//! everything that Rust allocates in the library comes from an arena of `dlmalloc` over mappings made by raw system
//! calls.
//!
//! | situation | what holds |
//! |---|---|
//! | a signal handler, a jump out of one, or a cancellation while the arena is locked | cannot happen: departures are blocked while the lock is held |
//! | another thread holds the lock and does not run (ptrace) | `alloc` waits [`LOCK_WAIT_MS`] and takes a mapping of its own; `dealloc` never waits |
//! | a fork while another thread holds the lock | the arena lies in pages that the kernel empties in the child, which begins with a new one |
//! | a child frees what its parent allocated | the block is left alone: it bears the number of another arena |
//! | no memory | [`RESERVE_BYTES`] are kept for this; then the library's threads wait for memory, and on a thread of the program's the call fails |
//!
//! What remains with the C library's `malloc`, and cannot be done without it:
//!
//! * `pthread_create` allocates the new thread's table of thread-local storage (`calloc` in the calling thread; the
//!   stack is a mapping). A thread that ends frees it. Threads made of a raw `clone` would be missed by `setuid` and
//!   its kin.
//! * Where the library was loaded by `dlopen`, a thread that first touches the thread-local storage of Rust's standard
//!   library (`HashMap`'s seed, the count of panics) has it allocated then. Where it is preloaded or linked, nothing
//!   is.
//! * `pthread_setspecific` of a program with more than 32 keys, and `dlsym` where there is no such name, on the
//!   program's threads.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use core::time::Duration;

use dlmalloc::Allocator;
#[cfg(not(miri))]
use dlmalloc::Dlmalloc;

use super::futex::{self, Deadline};
#[cfg(miri)]
use super::heap_under_miri::Dlmalloc;
use super::kernel::{self, Errno, syscall};
use super::lock::Lock;
use super::{fork, leak_check, signal_mask, this_thread};

/// How long an allocation waits for the arena before it takes a mapping of its own. The lock is held for microseconds,
/// unless its holder is stopped.
const LOCK_WAIT_MS: u64 = 10;

/// Memory that is mapped beforehand, for when no more can be mapped.
const RESERVE_BYTES: usize = 128 * 1024;

/// The number of a block that is a mapping of its own.
const OWN_MAPPING: u64 = u64::MAX;

/// Stands before each block.
#[repr(C)]
struct Header {
    /// The number of the arena that the block is from, or [`OWN_MAPPING`].
    arena: u64,
    /// The block's length with all that is before it, and in the low eight bits the distance of the block from its
    /// beginning as a power of two.
    extent: u64,
}

const HEADER_BYTES: usize = size_of::<Header>();

/// A block that was freed while the arena was locked. It begins where its header was.
#[repr(C)]
struct Freed {
    next: *mut Self,
    extent: u64,
}

const _: () = assert!(size_of::<Freed>() == HEADER_BYTES);

/// What lies in the pages that a fork empties. Zero bytes are an arena that was never used.
#[repr(C)]
struct Arena {
    heap: Lock<MaybeUninit<Dlmalloc<Pages>>>,
    /// Differs from that of every ancestor of this process; 0 until the heap is made. Written under the lock.
    number: AtomicU64,
    /// Freed while the heap was locked.
    freed: AtomicPtr<Freed>,
}

/// The arena, once mapped. A child inherits the mapping, emptied.
static ARENA: AtomicPtr<Arena> = AtomicPtr::new(ptr::null_mut());

/// The last number given to an arena. A child goes on from its parent's.
static NUMBERS: AtomicU64 = AtomicU64::new(0);

/// The arena's pages.
///
/// # Errors
/// `ENOMEM`; `EINVAL`: before Linux 4.14.
fn arena() -> Result<&'static Arena, Errno> {
    // SAFETY: zero bytes are a valid arena; nothing else stores there.
    unsafe { fork::emptied_by_fork(&ARENA) }
}

/// Whether this address is in the heap's own state, which threads outside a simulation share.
#[cfg(test)]
pub fn has(address: usize) -> bool {
    let first = ARENA.load(Ordering::Acquire).addr();
    (first..first + size_of::<Arena>()).contains(&address)
}

impl Arena {
    /// Does `work` with the heap, with departures blocked; not where it is locked, for longer than [`LOCK_WAIT_MS`] if
    /// it `waits`.
    fn with<T>(&self, waits: bool, work: impl FnOnce(&mut Dlmalloc<Pages>) -> T) -> Option<T> {
        let blocked = signal_mask::block_all_departures();
        let wait =
            || waits.then(|| self.heap.lock_until(Deadline::after(Duration::from_millis(LOCK_WAIT_MS)))).flatten();
        let done = self.heap.try_lock().or_else(wait).map(|mut heap| {
            // Relaxed: written under this lock.
            if self.number.load(Ordering::Relaxed) == 0 {
                heap.write(Dlmalloc::new_with_allocator(Pages { reserve: Cell::new(0) }));
                // Relaxed: the number says nothing of other memory.
                self.number.store(NUMBERS.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            }
            // SAFETY: written above, now or earlier.
            let heap = unsafe { heap.assume_init_mut() };
            self.drain_freed(heap);
            work(heap)
        });
        signal_mask::restore_signals(blocked);
        done
    }

    /// Frees what was put aside.
    fn drain_freed(&self, heap: &mut Dlmalloc<Pages>) {
        if self.freed.load(Ordering::Relaxed).is_null() {
            return;
        }
        // Acquire pairs with the Release of `put_aside`.
        let mut next = self.freed.swap(ptr::null_mut(), Ordering::Acquire);
        while !next.is_null() {
            // SAFETY: a block of this arena that was freed, and is in no other list.
            unsafe {
                let Freed { next: after, extent } = next.read();
                heap.c_free(beginning(next.cast(), extent));
                next = after;
            }
        }
    }

    /// Puts a block aside for the next thread that locks the heap.
    ///
    /// # Safety
    /// The block is of this arena, and free.
    unsafe fn put_aside(&self, header: *mut Header) {
        let block = header.cast::<Freed>();
        let mut next = self.freed.load(Ordering::Relaxed);
        loop {
            // SAFETY: the caller's promise; the extent stays where it is.
            unsafe { (*block).next = next };
            // Release pairs with the Acquire of `drain_freed`.
            match self.freed.compare_exchange_weak(next, block, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => next = now,
            }
        }
    }
}

/// Where a block begins whose header is at `header`.
fn beginning(header: *mut u8, extent: u64) -> *mut u8 {
    header.wrapping_add(HEADER_BYTES).wrapping_sub(1 << (extent & 0xff))
}

/// The distance of a block from its beginning, and its length with that. None: too long.
fn measure(layout: Layout) -> Option<(usize, usize)> {
    let before = layout.align().max(HEADER_BYTES);
    let length = layout.size().checked_add(before)?;
    (length < 1 << 47).then_some((before, length))
}

/// A block in memory that begins at `beginning`.
///
/// # Safety
/// There are `length` bytes, aligned to `before`, and used by nothing else.
unsafe fn block_in(beginning: *mut u8, arena: u64, before: usize, length: usize) -> *mut u8 {
    let extent = (length as u64) << 8 | u64::from(before.trailing_zeros());
    // SAFETY: the caller's promise; `before` is at least a header's length, and a multiple of its alignment.
    unsafe {
        let block = beginning.add(before);
        block.sub(HEADER_BYTES).cast::<Header>().write(Header { arena, extent });
        block
    }
}

/// Pages for blocks, which a leak checker looks into.
fn map(bytes: usize) -> Result<*mut c_void, Errno> {
    kernel::map(bytes).inspect(|pages| leak_check::may_point_to_programs_memory(*pages, bytes))
}

/// A block that is a mapping of its own.
fn map_block(before: usize, length: usize) -> *mut u8 {
    if before > kernel::page_size() {
        return ptr::null_mut();
    }
    match map(length.next_multiple_of(kernel::page_size())) {
        // SAFETY: mapped for this block; pages are aligned to more.
        Ok(pages) => unsafe { block_in(pages.cast(), OWN_MAPPING, before, length) },
        Err(_) => ptr::null_mut(),
    }
}

/// One attempt to allocate; null where there is no memory. For what can do without.
#[must_use]
pub fn attempt(layout: Layout) -> *mut u8 {
    let (Ok(arena), Some((before, length))) = (arena(), measure(layout)) else { return ptr::null_mut() };
    let allocated = arena.with(true, |heap| {
        // SAFETY: the alignment is a power of two.
        let memory = unsafe { heap.c_memalign(before, length) };
        if memory.is_null() {
            return memory;
        }
        // Relaxed: written under the lock that is held.
        // SAFETY: allocated for this block.
        unsafe { block_in(memory, arena.number.load(Ordering::Relaxed), before, length) }
    });
    allocated.unwrap_or_else(|| map_block(before, length))
}

/// The heap, as Rust's `alloc` calls it.
pub struct Heap;

// SAFETY: blocks are as large and as aligned as asked for, and given to no other caller until they are freed. Nothing here panics.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        loop {
            let block = attempt(layout);
            // Rust ends the process where a collection cannot grow. The library's threads rather wait until the program
            // has freed something; calls of the program's use what can fail.
            if !block.is_null() || measure(layout).is_none() || !this_thread::is_ours() {
                return block;
            }
            futex::sleep_1ms();
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, _layout: Layout) {
        // SAFETY: the header that `block_in` wrote before the block.
        let header = unsafe { block.sub(HEADER_BYTES).cast::<Header>() };
        // SAFETY: the same.
        let Header { arena: number, extent } = unsafe { header.read() };
        if number == OWN_MAPPING {
            let length = ((extent >> 8) as usize).next_multiple_of(kernel::page_size());
            // SAFETY: a mapping of this block's.
            let _ = unsafe { syscall!(libc::SYS_munmap, beginning(header.cast(), extent), length) };
            return;
        }
        // The number is 0 in a child that has no heap yet, and another where it has one: what its parent had is left
        // alone.
        let Ok(arena) = arena() else { return };
        if arena.number.load(Ordering::Relaxed) != number {
            return;
        }
        // SAFETY: a block of this heap, no longer in use.
        let freed = arena.with(false, |heap| unsafe { heap.c_free(beginning(header.cast(), extent)) });
        if freed.is_none() {
            // SAFETY: the same.
            unsafe { arena.put_aside(header) };
        }
    }
}

#[cfg_attr(not(miri), global_allocator)]
static HEAP: Heap = Heap;

/// Where the heap's pages come from.
struct Pages {
    /// The address of the reserve; 0 for none.
    reserve: Cell<usize>,
}

impl Pages {
    /// Maps the reserve if there is none.
    fn restock(&self) {
        if self.reserve.get() == 0 {
            self.reserve.set(map(RESERVE_BYTES).map_or(0, <*mut _>::addr));
        }
    }
}

// SAFETY: gives new pages, zeroed, and takes them back.
unsafe impl Allocator for Pages {
    fn alloc(&self, bytes: usize) -> (*mut u8, usize, u32) {
        if let Ok(pages) = map(bytes) {
            self.restock();
            return (pages.cast(), bytes, 0);
        }
        if bytes > RESERVE_BYTES {
            return (ptr::null_mut(), 0, 0);
        }
        (ptr::with_exposed_provenance_mut(self.reserve.take()), RESERVE_BYTES, 0)
    }

    fn remap(&self, pages: *mut u8, old: usize, new: usize, can_move: bool) -> *mut u8 {
        let flags = if can_move { libc::MREMAP_MAYMOVE } else { 0 };
        // SAFETY: pages of the heap's.
        let moved = unsafe { syscall!(libc::SYS_mremap, pages, old, new, flags) };
        let Ok(address) = moved else { return ptr::null_mut() };
        let moved = ptr::with_exposed_provenance_mut::<u8>(address);
        leak_check::may_point_to_programs_memory(moved.cast(), new);
        moved
    }

    fn free_part(&self, pages: *mut u8, old: usize, new: usize) -> bool {
        self.free(pages.wrapping_add(new), old - new)
    }

    fn free(&self, pages: *mut u8, bytes: usize) -> bool {
        // SAFETY: pages of the heap's, of which nothing is used.
        unsafe { syscall!(libc::SYS_munmap, pages, bytes) }.is_ok()
    }

    fn can_release_part(&self, _flags: u32) -> bool {
        true
    }

    fn allocates_zeros(&self) -> bool {
        true
    }

    fn page_size(&self) -> usize {
        kernel::page_size()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use core::alloc::{GlobalAlloc, Layout};
    use core::ptr;
    use std::thread;

    use super::{HEADER_BYTES, Header, Heap, OWN_MAPPING, RESERVE_BYTES, arena};
    use crate::host::kernel::{self, syscall};

    /// The arena's number in the header of a block.
    fn origin(block: *mut u8) -> u64 {
        // SAFETY: the header before the block.
        unsafe { block.sub(HEADER_BYTES).cast::<Header>().read().arena }
    }

    /// A block of the arena's. Another test's thread may hold the lock for longer than is waited for it.
    fn from_arena(layout: Layout) -> *mut u8 {
        loop {
            // SAFETY: the size is not 0; freed once.
            unsafe {
                let block = Heap.alloc(layout);
                if origin(block) != OWN_MAPPING {
                    return block;
                }
                Heap.dealloc(block, layout);
            }
        }
    }

    /// What `work` answers in a forked child, where no other thread runs.
    fn in_child(work: impl FnOnce() -> u8) -> i32 {
        let mut status = 0;
        // SAFETY: the child uses this heap and system calls, and leaves by `exit_group`.
        unsafe {
            match libc::fork() {
                0 => {
                    let _ = kernel::call6(libc::SYS_exit_group, work().into(), 0, 0, 0, 0, 0);
                    unreachable!()
                }
                child => assert_eq!(libc::waitpid(child, &raw mut status, 0), child),
            }
        }
        assert!(libc::WIFEXITED(status), "{status:x}");
        libc::WEXITSTATUS(status)
    }

    const ROUNDS: usize = if cfg!(miri) { 40 } else { 2000 };

    #[test]
    fn a_block_is_as_asked_for_and_one_users_alone() {
        thread::scope(|scope| {
            for owner in 1..=4u8 {
                scope.spawn(move || {
                    let mut blocks = Vec::new();
                    for round in 0..ROUNDS {
                        let layout = Layout::from_size_align(1 + round * 37 % 5000, 1 << (round % 10)).unwrap();
                        // SAFETY: the size is not 0.
                        let block = unsafe { Heap.alloc(layout) };
                        assert!(!block.is_null() && block.addr().is_multiple_of(layout.align()));
                        // SAFETY: within the block.
                        unsafe { ptr::write_bytes(block, owner, layout.size()) };
                        blocks.push((block, layout));
                        if round % 3 == 0 {
                            let (block, layout) = blocks.swap_remove(round * 7 % blocks.len());
                            for offset in 0..layout.size() {
                                // SAFETY: within the block.
                                assert_eq!(unsafe { block.add(offset).read() }, owner);
                            }
                            // SAFETY: allocated so.
                            unsafe { Heap.dealloc(block, layout) };
                        }
                    }
                    for (block, layout) in blocks {
                        // SAFETY: the same.
                        unsafe { Heap.dealloc(block, layout) };
                    }
                });
            }
        });
    }

    #[test]
    fn no_thread_waits_for_a_holder_that_does_not_run() {
        let layout = Layout::from_size_align(100, 64).unwrap();
        let arena = arena().unwrap();
        // SAFETY: the size is not 0; freed once.
        unsafe {
            let before = from_arena(layout);
            let held = arena.heap.lock();
            let own = Heap.alloc(layout);
            assert_eq!(origin(own), OWN_MAPPING);
            Heap.dealloc(own, layout);
            Heap.dealloc(before, layout);
            drop(held);
            // Freed when the heap is used next.
            Heap.dealloc(from_arena(layout), layout);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "it forks")]
    fn a_child_begins_with_a_heap_of_its_own() {
        let layout = Layout::new::<[u64; 8]>();
        let inherited = from_arena(layout);
        let parents = origin(inherited);
        let held = arena().unwrap().heap.lock();
        let answer = in_child(|| {
            // SAFETY: as above.
            unsafe {
                Heap.dealloc(inherited, layout);
                let own = Heap.alloc(layout);
                Heap.dealloc(inherited, layout);
                u8::from(own.is_null() || origin(own) == OWN_MAPPING || origin(own) == parents)
            }
        });
        drop(held);
        assert_eq!(answer, 0);
        // SAFETY: as above.
        unsafe { Heap.dealloc(inherited, layout) };
    }

    #[test]
    #[cfg_attr(miri, ignore = "it forks")]
    fn without_memory_the_reserve_serves_and_then_the_call_fails() {
        let answer = in_child(|| {
            let layout = Layout::new::<[u8; 1000]>();
            // SAFETY: the size is not 0.
            unsafe {
                // The child's arena, and its reserve.
                if Heap.alloc(layout).is_null() {
                    return 1;
                }
                let limit = libc::rlimit { rlim_cur: 0, rlim_max: libc::RLIM_INFINITY };
                let _ = syscall!(libc::SYS_prlimit64, 0, libc::RLIMIT_AS, &raw const limit, 0);
                if kernel::map(4096).is_ok() {
                    return 2;
                }
                let mut bytes = 0;
                while !Heap.alloc(layout).is_null() {
                    bytes += layout.size();
                }
                if bytes > RESERVE_BYTES * 3 / 4 { 0 } else { 3 }
            }
        });
        assert_eq!(answer, 0);
    }
}
