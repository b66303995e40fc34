//! How many requests are with the workers for each stream and appended file. None, and a request may be done in the calling
//! thread without overtaking another; some, and a sync of the file has to wait for the workers too.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::engine::{Operation, Order};
use crate::host::fork::PerProcess;
use crate::host::kernel::Errno;
use crate::host::memory;

static COUNTS: PerProcess<OrderCounts> = PerProcess::new(4);

const COUNTERS: usize = 1024;

/// The counters of this process. Files share them by their identity; one that counts too much makes a request take the
/// longer way without need.
struct OrderCounts([AtomicU32; COUNTERS]);

/// Which counter, or none for what keeps no order.
fn index(identity: u64, order: Order) -> Option<usize> {
    let writes = match order {
        Order::Reading => 0,
        Order::Writing => 1,
        Order::Free | Order::Counted | Order::Barrier | Order::BarrierEverywhere => return None,
    };
    Some((identity as usize).wrapping_mul(2).wrapping_add(writes) % COUNTERS)
}

/// Whether nothing is outstanding in this order on the file.
#[must_use]
pub fn is_idle(identity: u64, order: Order) -> bool {
    match (COUNTS.get(), index(identity, order)) {
        // Acquire pairs with the Release of `done`: what was done before is seen to be done.
        (Some(counts), Some(index)) => counts.0[index].load(Ordering::Acquire) == 0,
        _ => true,
    }
}

/// An operation is about to go to the workers.
///
/// # Errors
/// `ENOMEM`
pub fn begin(operation: &Operation) -> Result<(), Errno> {
    if let Some(index) = index(operation.file, operation.order) {
        let counts = COUNTS.get_or_init(|| memory::boxed(OrderCounts([const { AtomicU32::new(0) }; COUNTERS])))?;
        counts.0[index].fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// An operation for which [`begin`] was called has ended.
pub fn done(identity: u64, order: Order) {
    if let (Some(counts), Some(index)) = (COUNTS.get(), index(identity, order)) {
        counts.0[index].fetch_sub(1, Ordering::Release);
    }
}
