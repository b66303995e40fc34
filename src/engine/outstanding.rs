//! Every operation between acceptance and its end, so that a cancellation can find it.

use core::ptr::NonNull;

use super::operation::Operation;

/// The operations, each knowing its place.
#[derive(Default)]
pub struct Outstanding {
    operations: Vec<NonNull<Operation>>,
}

impl Outstanding {
    /// Takes note of an operation.
    pub fn insert(&mut self, mut operation: NonNull<Operation>) {
        // SAFETY: reactor-owned.
        unsafe { operation.as_mut() }.place = self.operations.len() as u32;
        self.operations.push(operation);
    }

    /// Forgets it. The last one moves into its place.
    pub fn remove(&mut self, operation: NonNull<Operation>) {
        // SAFETY: reactor-owned.
        let place = unsafe { operation.as_ref() }.place as usize;
        self.operations.swap_remove(place);
        if let Some(moved) = self.operations.get_mut(place) {
            // SAFETY: reactor-owned.
            unsafe { moved.as_mut() }.place = place as u32;
        }
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Those that are meant. The order says nothing.
    pub fn matching(&self, mut means: impl FnMut(NonNull<Operation>) -> bool) -> Vec<NonNull<Operation>> {
        self.operations.iter().copied().filter(|&operation| means(operation)).collect()
    }
}
