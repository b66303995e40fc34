//! What the host process and its kernel lend us: raw system calls, futexes, threads, memory that a fork forgets,
//! the environment, and the program's descriptors. Nothing here knows of asynchronous I/O.

pub mod descriptors;
pub mod ending;
pub mod files;
pub mod futex;
pub mod kernel;
pub mod lock;
pub mod memory;
pub mod next;
pub mod path;
pub mod pool;
pub mod porter;
pub mod process;
pub mod release;
pub mod settings;
pub mod signals;
pub mod thread;
