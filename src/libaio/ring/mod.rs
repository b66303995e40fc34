//! The completion ring that programs find at a context's address: its layout, its size, its memory.

pub mod event_ring;
pub mod layout;
pub mod ring_memory;
pub mod ring_size;
