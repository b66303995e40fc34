//! A first-in first-out list of operations through their own links, used by the engine's thread alone.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering;

use super::operation::Operation;

/// The list.
pub struct Queue {
    first: *mut Operation,
    last: *mut Operation,
}

impl Queue {
    /// An empty list.
    #[must_use]
    pub const fn new() -> Self {
        Self { first: ptr::null_mut(), last: ptr::null_mut() }
    }

    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.first.is_null()
    }

    /// Puts an operation, which is in no list, at the end.
    pub fn push(&mut self, operation: NonNull<Operation>) {
        // SAFETY: reactor-owned.
        unsafe { operation.as_ref() }.link.store(ptr::null_mut(), Ordering::Relaxed);
        match NonNull::new(self.last) {
            // SAFETY: reactor-owned.
            Some(last) => unsafe { last.as_ref() }.link.store(operation.as_ptr(), Ordering::Relaxed),
            None => self.first = operation.as_ptr(),
        }
        self.last = operation.as_ptr();
    }

    /// Takes the first.
    pub fn pop(&mut self) -> Option<NonNull<Operation>> {
        let first = NonNull::new(self.first)?;
        self.first = next(first);
        if self.first.is_null() {
            self.last = ptr::null_mut();
        }
        Some(first)
    }

    /// Whether `test` is true of one of them.
    pub fn any(&self, test: impl Fn(NonNull<Operation>) -> bool) -> bool {
        let mut at = self.first;
        while let Some(this) = NonNull::new(at) {
            if test(this) {
                return true;
            }
            at = next(this);
        }
        false
    }

    /// Takes this one, wherever it stands. False if it is not in the list.
    pub fn remove(&mut self, operation: NonNull<Operation>) -> bool {
        let mut before: Option<NonNull<Operation>> = None;
        let mut at = self.first;
        while let Some(this) = NonNull::new(at) {
            let after = next(this);
            if this == operation {
                match before {
                    // SAFETY: reactor-owned.
                    Some(before) => unsafe { before.as_ref() }.link.store(after, Ordering::Relaxed),
                    None => self.first = after,
                }
                if after.is_null() {
                    self.last = before.map_or(ptr::null_mut(), NonNull::as_ptr);
                }
                return true;
            }
            before = Some(this);
            at = after;
        }
        false
    }
}

/// The operation that follows this one in its list.
fn next(operation: NonNull<Operation>) -> *mut Operation {
    // SAFETY: reactor-owned.
    unsafe { operation.as_ref() }.link.load(Ordering::Relaxed)
}
