//! The host process and its kernel: raw system calls, futexes, threads, memory, forks, the environment, and the
//! program's descriptors. Nothing here knows of asynchronous I/O.

pub mod address_range;
pub mod block_device;
pub mod cpu_set;
pub mod descriptors;
pub mod dlsym_next;
pub mod fd_broker;
pub mod file_info;
pub mod file_size_limit;
pub mod file_systems;
pub mod filter_program;
pub mod fork;
pub mod futex;
pub mod hash;
pub mod heap;
#[cfg(miri)]
pub mod heap_under_miri;
pub mod kernel;
pub mod kernel_version;
pub mod leak_check;
pub mod lock;
pub mod log;
pub mod memory;
pub mod mount_signs;
pub mod mounts;
pub mod number_queue;
#[cfg(not(feature = "libaio-abi"))]
pub mod on_demand_thread;
pub mod path;
pub mod pool;
pub mod positional_io;
pub mod proc_file;
pub mod raw_thread;
pub mod references;
pub mod scheduling;
pub mod seccomp;
pub mod settings;
pub mod siginfo;
pub mod signal_mask;
#[cfg(test)]
pub mod simulation;
pub mod socket_options;
pub mod this_thread;
pub mod thread;
pub mod thread_exit_hook;
pub mod thread_identity;
#[cfg(miri)]
pub mod under_miri;
pub mod user_access;
pub mod valgrind;
