//! The table of contexts: from the address that a program passes to the context, without touching the address.
//!
//! A lookup takes no lock: it is an open hash table of pointers to contexts, which are never freed. One thread at a time
//! changes the table, with its signals blocked.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::host::address_range::{AddressRange, PAGE_BYTES};
use crate::host::hash;
use crate::host::kernel::Errno;
use crate::host::lock::Lock;
use crate::host::memory;
use crate::host::thread;
use crate::libaio::context::{Context, ContextRef};
use crate::libaio::ring::event_ring::EventRing;
use crate::libaio::ring::ring_memory::RingMemory;

/// Marks an entry whose context is gone.
const GONE: *mut Context = ptr::without_provenance_mut(1);

/// Entries of the smallest table: a page of them.
const MIN_ENTRIES: usize = 512;

/// The entries of the table at one size. Outgrown ones stay, for lookups that are still in them. Entries are written under the
/// lock of the table, where loads are Relaxed.
struct Entries {
    mask: usize,
    first: *const AtomicPtr<Context>,
}

impl Entries {
    fn new(count: usize) -> Result<*mut Self, Errno> {
        // SAFETY: zero bytes are null, an empty entry.
        let first = unsafe { memory::pages::<AtomicPtr<Context>>(count) }?;
        Ok(Box::into_raw(memory::boxed(Self { mask: count - 1, first: first.as_ptr() })?))
    }

    fn at(&self, index: usize) -> &AtomicPtr<Context> {
        // SAFETY: the mask keeps it within the array.
        unsafe { &*self.first.add(index & self.mask) }
    }

    /// Fills an entry. Returns how many empty entries there are fewer.
    fn insert(&self, context: *mut Context, address: usize) -> usize {
        let mut index = spread(address);
        loop {
            let entry = self.at(index).load(Ordering::Relaxed);
            // There is always an empty entry.
            if entry.is_null() || entry == GONE {
                // Release pairs with the Acquire in `find` and `at_address`: the context is open.
                self.at(index).store(context, Ordering::Release);
                return entry.is_null().into();
            }
            index += 1;
        }
    }

    /// Takes a context out. (Release: as in `insert`.) `GONE` entries that end at an empty one are emptied, too: returns how many.
    fn remove(&self, context: *mut Context, address: usize) -> usize {
        let mut index = spread(address);
        loop {
            let entry = self.at(index).load(Ordering::Relaxed);
            if entry.is_null() {
                return 0;
            }
            if entry == context {
                break;
            }
            index += 1;
        }
        self.at(index).store(GONE, Ordering::Release);
        let mut emptied = 0;
        if self.at(index + 1).load(Ordering::Relaxed).is_null() {
            while self.at(index).load(Ordering::Relaxed) == GONE {
                self.at(index).store(ptr::null_mut(), Ordering::Release);
                index = index.wrapping_sub(1);
                emptied += 1;
            }
        }
        emptied
    }

    /// The contexts that may be at this address.
    // Acquire, here, in `all` and in `find`, pairs with the Release in `insert`.
    fn at_address(&self, address: usize) -> impl Iterator<Item = &'static Context> + '_ {
        let first = spread(address);
        let entries = (0..=self.mask).map(move |probe| self.at(first + probe).load(Ordering::Acquire));
        entries.take_while(|entry| !entry.is_null()).filter_map(real)
    }

    fn all(&self) -> impl Iterator<Item = &'static Context> + '_ {
        (0..=self.mask).filter_map(|index| real(self.at(index).load(Ordering::Acquire)))
    }
}

fn real(entry: *mut Context) -> Option<&'static Context> {
    // SAFETY: an entry is null, GONE, or a context, which is never freed.
    (entry.addr() > GONE.addr()).then(|| unsafe { &*entry })
}

/// Where a lookup begins: ring addresses differ in the number of their page.
const fn spread(address: usize) -> usize {
    hash::spread(address / PAGE_BYTES)
}

/// What one thread at a time changes.
struct Changing {
    /// Entries that hold a context.
    live: usize,
    /// Entries that are not empty.
    filled: usize,
    /// Contexts that are not in use.
    spare: Vec<&'static Context>,
    /// Where their rings lie.
    memory: RingMemory,
}

impl Changing {
    fn keep(&mut self, context: &'static Context) {
        // Without room to remember it, the memory of one context is lost.
        if self.spare.try_reserve(1).is_ok() {
            self.spare.push(context);
        }
    }
}

/// The contexts of the process.
pub struct Table {
    entries: AtomicPtr<Entries>,
    changing: Lock<Changing>,
}

impl Table {
    /// An empty table.
    ///
    /// # Errors
    /// `ENOMEM`
    pub fn new() -> Result<Self, Errno> {
        let entries = Entries::new(MIN_ENTRIES)?;
        Ok(Self {
            entries: AtomicPtr::new(entries),
            changing: Lock::new(Changing { live: 0, filled: 0, spare: Vec::new(), memory: RingMemory::new() }),
        })
    }

    fn entries(&self) -> &Entries {
        // SAFETY: never null, never freed. Acquire pairs with the Release in `make_room`.
        unsafe { &*self.entries.load(Ordering::Acquire) }
    }

    /// The context at `address`, in use by the caller.
    #[inline]
    pub fn find(&self, address: usize) -> Option<ContextRef> {
        self.look_up(address)?.enter(address)
    }

    /// The context at `address`, which is not in use by the caller: it may be another's the next moment.
    #[inline]
    pub fn look_up(&self, address: usize) -> Option<&'static Context> {
        let entries = self.entries();
        let mut index = spread(address);
        loop {
            let entry = entries.at(index).load(Ordering::Acquire);
            if entry.is_null() {
                return None;
            }
            if let Some(context) = real(entry)
                && context.address() == address
            {
                return Some(context);
            }
            index += 1;
        }
    }

    /// Puts a context that is not in use into the table; `open` begins to use it.
    ///
    /// # Errors
    /// `ENOMEM`, or what `open` answers.
    pub fn add<T>(&self, open: impl FnOnce(&'static Context, &mut RingMemory) -> Result<T, Errno>) -> Result<T, Errno> {
        self.change(|changing| {
            self.make_room(changing)?;
            let context = match changing.spare.pop() {
                Some(context) => context,
                None => Box::leak(memory::boxed(Context::new())?),
            };
            let opened = open(context, &mut changing.memory).inspect_err(|_| changing.keep(context))?;
            self.forget_stale(changing, context);
            changing.filled += self.entries().insert(ptr::from_ref(context).cast_mut(), context.address());
            changing.live += 1;
            Ok(opened)
        })
    }

    /// Takes out a context at the address of a new one: a jump left the `io_destroy` of the old one before it could do so. The
    /// old context is never used again.
    fn forget_stale(&self, changing: &mut Changing, fresh: &'static Context) {
        let entries = self.entries();
        let is_stale = |context: &&Context| context.address() == fresh.address() && !ptr::eq(*context, fresh);
        while let Some(stale) = entries.at_address(fresh.address()).find(is_stale) {
            changing.filled -= entries.remove(ptr::from_ref(stale).cast_mut(), stale.address());
            changing.live -= 1;
            stale.set_address(0);
        }
    }

    /// Makes sure that there is room for one entry more.
    fn make_room(&self, changing: &mut Changing) -> Result<(), Errno> {
        let entries = self.entries();
        if (changing.filled + 1) * 2 <= entries.mask {
            return Ok(());
        }
        let room = (changing.live + 1).next_power_of_two() * 4;
        let fresh = Entries::new(room.max(MIN_ENTRIES))?;
        for context in entries.all() {
            // SAFETY: allocated above, and not published yet.
            unsafe { &*fresh }.insert(ptr::from_ref(context).cast_mut(), context.address());
        }
        changing.filled = changing.live;
        // Release pairs with the Acquire in `entries`. The outgrown entries stay.
        self.entries.store(fresh, Ordering::Release);
        Ok(())
    }

    /// Takes back a context that is neither in use nor in the table, and its ring.
    pub fn give_back(&self, context: &'static Context, ring: EventRing) {
        self.change(|changing| {
            ring.give_back(&mut changing.memory);
            changing.keep(context);
        });
    }

    /// Takes a context out of the table.
    pub fn remove(&self, context: &'static Context) {
        self.change(|changing| {
            changing.filled -= self.entries().remove(ptr::from_ref(context).cast_mut(), context.address());
            changing.live -= 1;
        });
    }

    /// The program has moved the mapping of the context at `from`.
    pub fn moved(&self, from: usize, to: usize) {
        self.change(|changing| {
            let entries = self.entries();
            if let Some(context) = entries.all().find(|context| context.address() == from) {
                changing.filled -= entries.remove(ptr::from_ref(context).cast_mut(), from);
                context.set_address(to);
                changing.filled += entries.insert(ptr::from_ref(context).cast_mut(), to);
            }
        });
    }

    /// The address of a context that begins in this memory.
    pub fn within(&self, memory: AddressRange) -> Option<usize> {
        // Few pages are looked up one by one; for more, all contexts are gone through.
        const MAX_LOOKUPS: usize = 64;
        let pages = memory.length().div_ceil(PAGE_BYTES);
        if pages <= MAX_LOOKUPS {
            let is_known = |address: &usize| self.find(*address).is_some();
            return (0..pages).map(|page| memory.start().wrapping_add(page * PAGE_BYTES)).find(is_known);
        }
        self.entries().all().map(Context::address).find(|&address| memory.contains(address))
    }

    /// Changes the table under the lock, with signals and cancellation blocked: a handler might want the same, or leave by a
    /// jump.
    fn change<T>(&self, work: impl FnOnce(&mut Changing) -> T) -> T {
        let blocked = thread::block_all_departures();
        let done = work(&mut self.changing.lock());
        thread::restore_signals(blocked);
        done
    }
}
