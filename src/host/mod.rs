//! The host process and its kernel: raw system calls, futexes, threads, memory, forks, the environment, and the
//! program's descriptors. Nothing here knows of asynchronous I/O.

pub mod address_range;
pub mod cpu_set;
pub mod descriptors;
pub mod dlsym_next;
pub mod fd_broker;
pub mod file_info;
pub mod file_systems;
pub mod fork;
pub mod futex;
pub mod hash;
pub mod heap;
pub mod kernel;
pub mod kernel_version;
pub mod leak_check;
pub mod lock;
pub mod log;
pub mod memory;
pub mod mounts;
pub mod number_queue;
pub mod path;
pub mod pool;
pub mod raw_thread;
pub mod references;
pub mod scheduling;
pub mod seccomp;
pub mod settings;
pub mod siginfo;
pub mod signal_mask;
pub mod socket_options;
pub mod this_thread;
pub mod thread;
pub mod thread_exit_hook;
pub mod thread_identity;
pub mod user_access;
