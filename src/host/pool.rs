//! A pool of items that are taken and given back by the thousand, without an allocation each.
//!
//! Items lie in blocks. They are made when they are first needed, and then reused. Two lists hold the free ones, by
//! number: a thread that is done with an item (mostly the engine's) puts it on `freed`; a thread that needs one takes
//! it from `ready`, and moves all of `freed` there when `ready` is empty. So the two sides rarely write the same word.
//! A thread that finds both lists empty, because another is just moving the items, makes a new item and does not wait:
//! a pool can have a few more items than were ever in use at once.

use core::cell::UnsafeCell;
use core::mem::{MaybeUninit, offset_of};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::alloc::{Layout, dealloc};

use super::memory;

/// An item, and what the pool keeps with it. The link is not part of the item: the item's user may have a mutable
/// reference to it while another thread reads the link of a list that it was in.
#[repr(C)]
struct Node<T> {
    item: UnsafeCell<MaybeUninit<T>>,
    /// The next in one of the lists: its number plus 1, or 0.
    next: AtomicU32,
    /// Its own number.
    number: u32,
}

/// Items of the first block. Each block after it has twice as many as the one before.
const FIRST_BLOCK_ITEMS: u32 = 8;
const BLOCKS: usize = 21;

/// The pool. It never blocks, so a signal handler can use it, whatever it has interrupted.
pub struct Pool<T> {
    /// The list that users take from: in the low half the number of its first item plus 1, in the high half a count of
    /// changes, so that a list that was changed and changed back is not taken for the same.
    ready: AtomicU64,
    /// The number of the first item that was not made yet. Memory in which no item was made is not touched.
    fresh: AtomicU32,
    blocks: [AtomicPtr<Node<T>>; BLOCKS],
    _apart: [u64; 8],
    freed: AtomicU64,
}

const fn block_length(block: usize) -> u32 {
    FIRST_BLOCK_ITEMS << block
}

/// Blocks begin on a cache line, so that items whose size is a multiple of one do too.
const CACHE_LINE_BYTES: usize = 64;

fn layout<T>(block: usize) -> Option<Layout> {
    Layout::array::<Node<T>>(block_length(block) as usize).ok()?.align_to(CACHE_LINE_BYTES).ok()
}

impl<T> Pool<T> {
    /// A pool without items.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            ready: AtomicU64::new(0),
            fresh: AtomicU32::new(0),
            blocks: [const { AtomicPtr::new(ptr::null_mut()) }; BLOCKS],
            _apart: [0; 8],
            freed: AtomicU64::new(0),
        }
    }

    /// The block of an item, and its place there.
    fn place(number: u32) -> (usize, u32) {
        let place = number + FIRST_BLOCK_ITEMS;
        let block = (place.ilog2() - FIRST_BLOCK_ITEMS.ilog2()) as usize;
        (block, place - block_length(block))
    }

    fn node(&self, number: u32) -> NonNull<Node<T>> {
        let (block, index) = Self::place(number);
        // Relaxed: the caller got the number from a list, which it acquired after the block was published, or made the
        // item.
        let first = self.blocks[block].load(Ordering::Relaxed);
        // SAFETY: numbers are those of existing items.
        unsafe { NonNull::new_unchecked(first.add(index as usize)) }
    }

    fn item(&self, number: u32) -> NonNull<T> {
        self.node(number).cast()
    }

    /// The item of a number, in use or not; none where no item has it. Its bytes may be any that its users have left there.
    #[cfg_attr(feature = "libaio-abi", allow(dead_code, reason = "for the POSIX face"))]
    pub fn at(&self, number: u32) -> Option<NonNull<T>> {
        // Acquire pairs with the Release of `make`: the block is seen.
        (number < self.fresh.load(Ordering::Acquire)).then(|| self.item(number))
    }

    fn next(&self, number: u32) -> &AtomicU32 {
        // SAFETY: nodes live as long as the pool is in use, and this field is an atomic.
        unsafe { &(*self.node(number).as_ptr()).next }
    }

    /// The number of an item, by which [`Pool::at`] finds it again.
    pub fn number(item: NonNull<T>) -> u32 {
        const { assert!(offset_of!(Node<T>, item) == 0) };
        // SAFETY: the item is the first field of its node; the number never changes.
        unsafe { (&raw const (*item.cast::<Node<T>>().as_ptr()).number).read() }
    }

    /// An item; none where there is no memory. Its bytes are zero at first, and later as its last user left them.
    pub fn take(&self) -> Option<NonNull<T>> {
        let mut head = self.ready.load(Ordering::Acquire);
        loop {
            let Some(number) = (head as u32).checked_sub(1) else {
                return self.take_freed().or_else(|| self.make());
            };
            // Relaxed: if another thread has taken the item meanwhile, the link means nothing, and the exchange fails.
            let next = self.next(number).load(Ordering::Relaxed);
            // Acquire pairs with the Release of `make_ready`: the block and what the last user left are seen.
            match self.ready.compare_exchange_weak(head, changed(head, next), Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => {
                    self.prefetch(next);
                    return Some(self.item(number));
                }
                Err(now) => head = now,
            }
        }
    }

    /// Prefetches the item that will be taken next.
    #[inline]
    fn prefetch(&self, next: u32) {
        if let Some(number) = next.checked_sub(1) {
            memory::prefetch(self.item(number).as_ptr().addr(), size_of::<T>());
        }
    }

    /// Takes the whole list of freed items: returns the first, and makes the others ready.
    fn take_freed(&self) -> Option<NonNull<T>> {
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
        Some(self.item(first))
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

    /// Takes an item back.
    pub fn put(&self, item: NonNull<T>) {
        let number = Self::number(item);
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
    fn make(&self) -> Option<NonNull<T>> {
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
        let node = Node { item: UnsafeCell::new(MaybeUninit::zeroed()), next: AtomicU32::new(0), number };
        // SAFETY: room for a node whose number no other thread has.
        unsafe { self.node(number).write(node) };
        Some(self.item(number))
    }

    /// Allocates the first block: so many items can then be taken whether there is memory or not.
    pub fn reserve(&self) -> Option<()> {
        self.allocate(0)
    }

    /// Allocates a block, unless another thread is sooner.
    fn allocate(&self, block: usize) -> Option<()> {
        let layout = layout::<T>(block)?;
        let items = memory::allocate(layout).cast::<Node<T>>();
        if items.is_null() {
            return None;
        }
        // Release pairs with the Acquire of `make`, with that here of a thread that came later, and through the lists with that of
        // `take` and `take_freed`.
        if self.blocks[block].compare_exchange(ptr::null_mut(), items, Ordering::Release, Ordering::Acquire).is_err() {
            // SAFETY: allocated above, and never published.
            unsafe { dealloc(items.cast(), layout) };
        }
        Some(())
    }

    /// Frees every item, after a call of `forget` for each. No item is in use, and none is taken before this returns.
    pub fn free_all(&self, forget: impl Fn(NonNull<T>)) {
        self.ready.store(0, Ordering::Relaxed);
        self.freed.store(0, Ordering::Relaxed);
        let mut made = self.fresh.swap(0, Ordering::Relaxed);
        for (number, block) in self.blocks.iter().enumerate() {
            let Some(items) = NonNull::new(block.swap(ptr::null_mut(), Ordering::Relaxed)) else { continue };
            let used = made.min(block_length(number));
            made -= used;
            for index in 0..used {
                // SAFETY: within the block.
                forget(unsafe { items.add(index as usize) }.cast());
            }
            if let Some(layout) = layout::<T>(number) {
                // SAFETY: allocated with this layout by `allocate`.
                unsafe { dealloc(items.as_ptr().cast(), layout) };
            }
        }
    }
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// The word for a list that begins with `first` (number plus 1, or 0), after one more change.
const fn changed(head: u64, first: u32) -> u64 {
    ((head >> 32).wrapping_add(1) << 32) | first as u64
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::Pool;

    /// Rounds of each thread. Miri takes a thousand times as long.
    const ROUNDS: usize = if cfg!(miri) { 8 } else { 2000 };

    /// The thread that has it, or 0.
    struct Number {
        owner: usize,
    }

    #[test]
    fn what_is_reserved_takes_no_memory() {
        let pool = Pool::<Number>::new();
        assert!(pool.reserve().is_some());
        let first = pool.blocks[0].load(super::Ordering::Relaxed);
        assert!(!first.is_null());
        let taken = (0..super::FIRST_BLOCK_ITEMS).filter_map(|_| pool.take()).count();
        assert_eq!(taken, super::FIRST_BLOCK_ITEMS as usize);
        assert_eq!(pool.blocks[0].load(super::Ordering::Relaxed), first);
        assert!(pool.blocks[1].load(super::Ordering::Relaxed).is_null());
        pool.free_all(|_| ());
    }

    #[test]
    fn an_item_is_one_users_at_a_time() {
        let pool = Pool::<Number>::new();
        thread::scope(|scope| {
            for owner in 1..=4 {
                let pool = &pool;
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let taken: Vec<_> = (0..round % 40).filter_map(|_| pool.take()).collect();
                        assert_eq!(taken.len(), round % 40);
                        for mut item in taken.iter().copied() {
                            // SAFETY: taken, so this thread's.
                            let before = core::mem::replace(unsafe { &mut item.as_mut().owner }, owner);
                            assert_eq!(before, 0);
                        }
                        for mut item in taken {
                            // SAFETY: the same.
                            let before = core::mem::take(unsafe { &mut item.as_mut().owner });
                            assert_eq!(before, owner);
                            pool.put(item);
                        }
                    }
                });
            }
        });
        // Four at once may find the lists in each other's hands; one that is alone needs none but those that were made.
        let made = pool.fresh.load(super::Ordering::Relaxed);
        for _ in 0..ROUNDS {
            let taken: Vec<_> = (0..40).filter_map(|_| pool.take()).collect();
            for item in taken {
                pool.put(item);
            }
        }
        assert_eq!(pool.fresh.load(super::Ordering::Relaxed), made.max(40));
        pool.free_all(|_| ());
    }
}
