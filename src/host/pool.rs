//! Memory for what comes and goes by the thousand, so that it costs no allocation.
//!
//! Items lie in blocks, are made when the depth first asks for them, and reused. They are handed round by number on two
//! lists: whoever is done with some, the engine's thread mostly, puts them on `freed`; who needs some takes from `ready`, and
//! moves `freed` over when that is empty. So the two sides rarely touch the same word. (Who finds both empty because another
//! is just moving them makes a new item, rather than wait: a pool can have a few more than were ever in use at once.)

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::alloc::{Layout, alloc, dealloc};

use super::memory;

/// What a pool keeps in each of its items.
pub struct Links {
    /// The next in one of the lists: its number plus 1, or 0.
    next: AtomicU32,
    /// Its own number.
    number: u32,
}

/// Something that a pool can hold.
///
/// # Safety
/// `links` gives the same field of every item, which nobody else writes.
pub unsafe trait Item: Sized {
    /// One that was never used.
    fn new(links: Links) -> Self;

    /// Where its links are.
    fn links(this: *const Self) -> *const Links;
}

/// Items of the first block; each block after it holds twice as many as the one before.
const FIRST: u32 = 8;
const BLOCKS: usize = 21;

/// The pool. It never blocks, so that a signal handler can use it, whatever that has interrupted.
pub struct Pool<T> {
    /// What submitters take: the number of the first plus 1 in the low half, a count of changes in the high half, so that
    /// a list that was changed and changed back is not taken for the same.
    ready: AtomicU64,
    /// The number of the first that was never used. Memory that no item was ever made in is not touched.
    fresh: AtomicU32,
    blocks: [AtomicPtr<T>; BLOCKS],
    _apart: [u64; 8],
    freed: AtomicU64,
}

const fn block_length(block: usize) -> u32 {
    FIRST << block
}

fn layout<T>(block: usize) -> Option<Layout> {
    Layout::array::<T>(block_length(block) as usize).ok()
}

impl<T: Item> Pool<T> {
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
        let place = number + FIRST;
        let block = (place.ilog2() - FIRST.ilog2()) as usize;
        (block, place - block_length(block))
    }

    fn at(&self, number: u32) -> NonNull<T> {
        let (block, index) = Self::place(number);
        // Relaxed: whoever has the number got it from a list, after the block was published there, or has made it.
        let first = self.blocks[block].load(Ordering::Relaxed);
        // SAFETY: numbers are those of existing items.
        unsafe { NonNull::new_unchecked(first.add(index as usize)) }
    }

    fn next(&self, number: u32) -> &AtomicU32 {
        // SAFETY: items live as long as the pool is in use; this field is an atomic, whoever has the item.
        unsafe { &(*T::links(self.at(number).as_ptr())).next }
    }

    /// An item, or none where memory is out.
    pub fn take(&self) -> Option<NonNull<T>> {
        let mut head = self.ready.load(Ordering::Acquire);
        loop {
            let Some(number) = (head as u32).checked_sub(1) else {
                return self.take_freed().or_else(|| self.make());
            };
            // Relaxed: if another has taken it meanwhile the number read is nonsense, and the exchange fails.
            let next = self.next(number).load(Ordering::Relaxed);
            // Acquire pairs with the Release of whoever put it there: the block, and what the last user left, are seen.
            match self.ready.compare_exchange_weak(head, changed(head, next), Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => {
                    self.expect(next);
                    return Some(self.at(number));
                }
                Err(now) => head = now,
            }
        }
    }

    /// Has the processor fetch the item that is the next to be taken.
    #[inline]
    fn expect(&self, next: u32) {
        if let Some(number) = next.checked_sub(1) {
            memory::expect(self.at(number).as_ptr().addr(), size_of::<T>());
        }
    }

    /// Takes over all that was freed: keeps the first, makes the others ready.
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

    /// Takes an item back.
    pub fn put(&self, item: NonNull<T>) {
        // SAFETY: the caller has the item; the number never changes.
        let number = unsafe { (*T::links(item.as_ptr())).number };
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

    /// Takes an item back from the thread that will take the next: it is still in the processor's memory.
    pub fn put_first(&self, item: NonNull<T>) {
        // SAFETY: as in `put`.
        let number = unsafe { (*T::links(item.as_ptr())).number };
        self.make_ready(number + 1, number);
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
        let item = self.at(number);
        // SAFETY: room for an item that nobody else has the number of.
        unsafe { item.write(T::new(Links { next: AtomicU32::new(0), number })) };
        Some(item)
    }

    /// Allocates a block, unless another thread is sooner.
    fn allocate(&self, block: usize) -> Option<()> {
        let layout = layout::<T>(block)?;
        // SAFETY: the size is not 0.
        let items = unsafe { alloc(layout) }.cast::<T>();
        if items.is_null() {
            return None;
        }
        // Release pairs with the Acquire of `make`, and with that of whoever takes a number of this block from a list.
        if self.blocks[block].compare_exchange(ptr::null_mut(), items, Ordering::Release, Ordering::Relaxed).is_err() {
            // SAFETY: allocated above, seen by nobody.
            unsafe { dealloc(items.cast(), layout) };
        }
        Some(())
    }

    /// Frees every item. Nobody has one, and nobody takes one before this returns.
    pub fn free_all(&self) {
        self.ready.store(0, Ordering::Relaxed);
        self.freed.store(0, Ordering::Relaxed);
        let mut made = self.fresh.swap(0, Ordering::Relaxed);
        for (number, block) in self.blocks.iter().enumerate() {
            let Some(items) = NonNull::new(block.swap(ptr::null_mut(), Ordering::Relaxed)) else { continue };
            let used = made.min(block_length(number));
            made -= used;
            for index in 0..used {
                // SAFETY: within the block, made, and nobody else's.
                unsafe { items.add(index as usize).drop_in_place() };
            }
            if let Some(layout) = layout::<T>(number) {
                // SAFETY: allocated with this layout by `allocate`.
                unsafe { dealloc(items.as_ptr().cast(), layout) };
            }
        }
    }
}

impl<T: Item> Default for Pool<T> {
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

    use super::{Item, Links, Pool};

    struct Number {
        links: Links,
        /// Whose it is at the moment, 0 for nobody.
        owner: usize,
    }

    // SAFETY: the field is private and written here alone.
    unsafe impl Item for Number {
        fn new(links: Links) -> Self {
            Self { links, owner: 0 }
        }

        fn links(this: *const Self) -> *const Links {
            // SAFETY: the pool asks for items that exist.
            unsafe { &raw const (*this).links }
        }
    }

    #[test]
    fn an_item_is_one_users_at_a_time() {
        let pool = Pool::<Number>::new();
        thread::scope(|scope| {
            for owner in 1..=4 {
                let pool = &pool;
                scope.spawn(move || {
                    for round in 0..2000 {
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
        for _ in 0..2000 {
            let taken: Vec<_> = (0..40).filter_map(|_| pool.take()).collect();
            for item in taken {
                pool.put(item);
            }
        }
        assert_eq!(pool.fresh.load(super::Ordering::Relaxed), made.max(40));
        pool.free_all();
    }
}
