//! Worker threads that make plain system calls.
//!
//! All of them share a descriptor table that is not the program's ([`file_table`]). The one that runs the reactor holds
//! in it the file of each operation that is accepted, and makes a [`job`] of it ([`device`]); others, or it itself
//! afterwards, make the system calls ([`run`], [`execute`]); what would wait for another program is left to one epoll
//! ([`poller`]), so that it costs no thread and can be cancelled. The threads' own life is in [`worker`] and
//! [`mod@start`].
//!
//! | operation | how it is done | cancelled |
//! |---|---|---|
//! | I/O on a file | one plain call in one of a bounded number of workers | until a worker has taken it |
//! | read, write of a pipe, socket, eventfd, … | attempts without waiting; parked in between | until bytes have moved |
//! | the same, where the file cannot be asked not to wait (terminals) | parked until it is ready, then one plain call in a worker of its own | until it was ready |
//! | read, write of a device that is no terminal; read of a terminal with VTIME or a VMIN other than 1; of a socket with SO_RCVTIMEO or SO_RCVLOWAT; write with SO_SNDTIMEO | one plain call in a worker of its own | until a worker has taken it |
//! | poll | parked; reported by the poller | until it is reported |
//!
//! A worker "of its own" does not count among those of its class, so what blocks for ever takes no other's place.
//!
//! Writes on one file go one at a time or side by side, as is faster ([`write_pace`]): the kernel takes those on many a file
//! one after another. A worker that is busy with such writes runs the reactor after each, so submitters wake none
//! meanwhile; one other looks every millisecond whether that goes on.
//!
//! Where no thread can be started: what ends by itself is done by the only worker there is, which hears nothing else
//! meanwhile; streams wait until a second thread can be started, which is tried again and again. Where the descriptor table
//! is full up to the hard limit: what may wait for ever is looked at in turn, with a descriptor for the moment
//! (`Task::is_trial`); its file is then not held in between.

pub mod blocks;
mod combiner;
mod crew;
mod device;
mod epoll;
pub mod execute;
mod fifo;
mod file_limit;
mod file_table;
mod file_writes;
mod holders;
pub mod job;
mod kept;
pub mod nature;
mod own_table;
mod poller;
mod queue;
mod run;
mod shared_reactor;
mod start;
mod worker;
mod write_pace;

pub use start::start;
