//! What stands for `dlmalloc` under Miri, which will not have that one point into itself beside a mutable reference: pages of its
//! own for each block. So the heap's own parts run there.

use dlmalloc::Allocator;

/// Stands before each block.
#[derive(Clone, Copy)]
#[repr(C)]
struct Extent {
    /// From the first page to the block.
    before: usize,
    /// With that.
    bytes: usize,
}

/// A heap whose pages come from `A`.
pub struct Dlmalloc<A>(A);

impl<A: Allocator> Dlmalloc<A> {
    /// An empty heap.
    pub const fn new_with_allocator(pages: A) -> Self {
        Self(pages)
    }

    /// A block, or null.
    ///
    /// # Safety
    /// The alignment is a power of two, at most a page.
    pub unsafe fn c_memalign(&mut self, align: usize, bytes: usize) -> *mut u8 {
        let before = align.max(size_of::<Extent>());
        let bytes = (bytes + before).next_multiple_of(self.0.page_size());
        let (pages, mapped, _) = self.0.alloc(bytes);
        if pages.is_null() {
            return pages;
        }
        // SAFETY: so many bytes are there, aligned to a page.
        unsafe {
            let block = pages.add(before);
            block.cast::<Extent>().sub(1).write(Extent { before, bytes: mapped });
            block
        }
    }

    /// Frees a block.
    ///
    /// # Safety
    /// It is from `c_memalign`, and freed once.
    pub unsafe fn c_free(&mut self, block: *mut u8) {
        // SAFETY: written there by `c_memalign`.
        let Extent { before, bytes } = unsafe { block.cast::<Extent>().sub(1).read() };
        self.0.free(block.wrapping_sub(before), bytes);
    }
}
