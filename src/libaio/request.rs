//! A request on its way through the engine, and the pool of a context's requests.
//!
//! Requests lie in blocks, are made when the depth first asks for them, and reused. They are handed round by number on two
//! lists: the engine's thread puts finished ones on `freed`, submitters take from `ready` and move `freed` over when that
//! is empty, so that the two sides rarely touch the same word.

use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::alloc::{Layout, alloc, dealloc};

use super::context::Context;
use super::event_ring::Event;
use crate::engine::Operation;

/// One request.
#[repr(C)]
pub struct Request {
    /// What the engine knows of it. First: the engine gives it back.
    pub operation: MaybeUninit<Operation>,
    /// Whose it is.
    pub context: *const Context,
    /// What the event will say.
    pub event: Event,
    /// The next in a list of the pool's, by number.
    next: AtomicU32,
    /// Its own number.
    number: u32,
    /// The next in the context's backlog.
    pub behind: *mut Request,
    /// Where its stream is counted, see [`streams`](super::streams).
    pub stream: Option<u16>,
    /// It may wait for ever: for another program, not for a device.
    pub endless: bool,
    capacity: u32,
    /// Memory for the buffers of a vectored request, kept for the next time.
    many: *mut libc::iovec,
}

const _: () = assert!(size_of::<Request>() <= 256, "what a request in flight may cost");

/// The least buffers that memory is allocated for.
const FEW: usize = 4;

impl Request {
    /// Room for `count` buffers that stays until the request is freed. `None`: out of memory.
    pub fn vectors(&mut self, count: usize) -> Option<*mut libc::iovec> {
        if count > self.capacity as usize || self.many.is_null() {
            self.free_vectors();
            let capacity = count.next_power_of_two().max(FEW);
            // SAFETY: the size is not 0.
            self.many = unsafe { alloc(Layout::array::<libc::iovec>(capacity).ok()?).cast() };
            if self.many.is_null() {
                return None;
            }
            self.capacity = capacity as u32;
        }
        Some(self.many)
    }

    fn free_vectors(&mut self) {
        if self.capacity > 0
            && let Ok(layout) = Layout::array::<libc::iovec>(self.capacity as usize)
        {
            // SAFETY: allocated with this layout by `vectors`.
            unsafe { dealloc(self.many.cast(), layout) };
        }
        self.many = ptr::null_mut();
        self.capacity = 0;
    }
}

/// Requests of the first block; each block after it holds twice as many as the one before.
const FIRST: u32 = 8;
const BLOCKS: usize = 21;

/// The requests of a context.
pub struct Pool {
    /// What submitters take: the number of the first plus 1 in the low half, a count of changes in the high half, so that
    /// a list that was changed and changed back is not taken for the same.
    ready: AtomicU64,
    /// The number of the first that was never used. Memory that no request was ever made in is not touched.
    fresh: AtomicU32,
    blocks: [AtomicPtr<Request>; BLOCKS],
    _apart: [u64; 8],
    freed: AtomicU64,
}

const fn block_length(block: usize) -> u32 {
    FIRST << block
}

fn layout(block: usize) -> Option<Layout> {
    Layout::array::<Request>(block_length(block) as usize).ok()
}

impl Pool {
    /// A pool without requests.
    pub const fn new() -> Self {
        Self {
            ready: AtomicU64::new(0),
            fresh: AtomicU32::new(0),
            blocks: [const { AtomicPtr::new(ptr::null_mut()) }; BLOCKS],
            _apart: [0; 8],
            freed: AtomicU64::new(0),
        }
    }

    /// The block of a request, and its place there.
    fn place(number: u32) -> (usize, u32) {
        let place = number + FIRST;
        let block = (place.ilog2() - FIRST.ilog2()) as usize;
        (block, place - block_length(block))
    }

    fn at(&self, number: u32) -> NonNull<Request> {
        let (block, index) = Self::place(number);
        // Relaxed: whoever has the number got it from a list, after the block was published there, or has made it.
        let first = self.blocks[block].load(Ordering::Relaxed);
        // SAFETY: numbers are those of existing requests.
        unsafe { NonNull::new_unchecked(first.add(index as usize)) }
    }

    fn next(&self, number: u32) -> &AtomicU32 {
        // SAFETY: requests live as long as the pool is in use; this field is an atomic, whoever has the request.
        unsafe { &(*self.at(number).as_ptr()).next }
    }

    /// A request, or none where memory is out.
    pub fn take(&self) -> Option<NonNull<Request>> {
        let mut head = self.ready.load(Ordering::Acquire);
        loop {
            let Some(number) = (head as u32).checked_sub(1) else {
                return self.take_freed().or_else(|| self.make());
            };
            // Relaxed: if another has taken it meanwhile the number read is nonsense, and the exchange fails.
            let next = self.next(number).load(Ordering::Relaxed);
            // Acquire pairs with the Release of whoever put it there: the block, and what the last user left, are seen.
            match self.ready.compare_exchange_weak(head, changed(head, next), Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(self.at(number)),
                Err(now) => head = now,
            }
        }
    }

    /// Takes over all that was freed: keeps the first, makes the others ready.
    fn take_freed(&self) -> Option<NonNull<Request>> {
        if self.freed.load(Ordering::Relaxed) as u32 == 0 {
            return None;
        }
        // Acquire pairs with the Release of `put`.
        let first = (self.freed.swap(0, Ordering::AcqRel) as u32).checked_sub(1)?;
        let rest = self.next(first).load(Ordering::Relaxed);
        if rest != 0 && !self.make_ready_at_once(rest) {
            let mut last = rest - 1;
            loop {
                match self.next(last).load(Ordering::Relaxed) {
                    0 => break,
                    next => last = next - 1,
                }
            }
            self.make_ready(rest, last);
        }
        Some(self.at(first))
    }

    /// Makes a whole list ready if nothing is.
    fn make_ready_at_once(&self, first: u32) -> bool {
        let head = self.ready.load(Ordering::Relaxed);
        head as u32 == 0
            && self.ready.compare_exchange(head, changed(head, first), Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Puts a list, of which `last` is the last number, before those that are ready.
    fn make_ready(&self, first: u32, last: u32) {
        let mut head = self.ready.load(Ordering::Relaxed);
        loop {
            self.next(last).store(head as u32, Ordering::Relaxed);
            // Release pairs with the Acquire of `take`.
            match self.ready.compare_exchange_weak(head, changed(head, first), Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Takes a request back.
    pub fn put(&self, request: NonNull<Request>) {
        // SAFETY: the caller has the request.
        let number = unsafe { request.as_ref() }.number;
        let mut head = self.freed.load(Ordering::Relaxed);
        loop {
            self.next(number).store(head as u32, Ordering::Relaxed);
            // Release pairs with the Acquire of `take_freed`.
            match self.freed.compare_exchange_weak(head, u64::from(number) + 1, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Makes one more.
    #[cold]
    fn make(&self) -> Option<NonNull<Request>> {
        let mut number = self.fresh.load(Ordering::Relaxed);
        loop {
            let block = Self::place(number).0;
            if self.blocks.get(block)?.load(Ordering::Acquire).is_null() {
                self.allocate(block)?;
            }
            match self.fresh.compare_exchange_weak(number, number + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => number = now,
            }
        }
        let request = self.at(number);
        let made = Request {
            operation: MaybeUninit::uninit(),
            context: ptr::null(),
            event: Event::default(),
            next: AtomicU32::new(0),
            number,
            behind: ptr::null_mut(),
            stream: None,
            endless: false,
            capacity: 0,
            many: ptr::null_mut(),
        };
        // SAFETY: room for a request that nobody else has the number of.
        unsafe { request.write(made) };
        Some(request)
    }

    /// Allocates a block, unless another thread is sooner.
    fn allocate(&self, block: usize) -> Option<()> {
        let layout = layout(block)?;
        // SAFETY: the size is not 0.
        let requests = unsafe { alloc(layout) }.cast::<c_void>().cast::<Request>();
        if requests.is_null() {
            return None;
        }
        // Release pairs with the Acquire of `make`, and with that of whoever takes a number of this block from a list.
        if self.blocks[block].compare_exchange(ptr::null_mut(), requests, Ordering::Release, Ordering::Relaxed).is_err()
        {
            // SAFETY: allocated above, seen by nobody.
            unsafe { dealloc(requests.cast(), layout) };
        }
        Some(())
    }

    /// Frees every request. Nobody has one, and nobody takes one before this returns.
    pub fn free_all(&self) {
        self.ready.store(0, Ordering::Relaxed);
        self.freed.store(0, Ordering::Relaxed);
        let mut made = self.fresh.swap(0, Ordering::Relaxed);
        for (number, block) in self.blocks.iter().enumerate() {
            let Some(requests) = NonNull::new(block.swap(ptr::null_mut(), Ordering::Relaxed)) else { continue };
            let used = made.min(block_length(number));
            made -= used;
            for index in 0..used {
                // SAFETY: within the block, and nobody else's.
                unsafe { requests.add(index as usize).as_mut() }.free_vectors();
            }
            if let Some(layout) = layout(number) {
                // SAFETY: allocated with this layout by `allocate`.
                unsafe { dealloc(requests.as_ptr().cast(), layout) };
            }
        }
    }
}

/// The word for a list that begins with `first` (number plus 1, or 0), after one more change.
const fn changed(head: u64, first: u32) -> u64 {
    ((head >> 32).wrapping_add(1) << 32) | first as u64
}
