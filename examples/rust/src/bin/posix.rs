//! Adds up the bytes of a file with POSIX AIO: sixteen reads in flight.

use std::fs::File;
use std::io::{Error, Result};
use std::os::fd::AsRawFd;
use std::{env, mem, ptr};

const CHUNK: usize = 64 * 1024;
const DEPTH: usize = 16;

/// A request and its buffer. Neither may move while the request is in flight: so both are in boxes.
struct Read {
    request: Box<libc::aiocb>,
    buffer: Box<[u8; CHUNK]>,
}

impl Read {
    fn new() -> Read {
        // SAFETY: an aiocb is numbers and pointers, for which zero is a value.
        Read { request: Box::new(unsafe { mem::zeroed() }), buffer: Box::new([0; CHUNK]) }
    }

    fn start(&mut self, file: &File, offset: u64) -> Result<()> {
        // SAFETY: as in `new`.
        *self.request = unsafe { mem::zeroed() };
        self.request.aio_fildes = file.as_raw_fd();
        self.request.aio_buf = self.buffer.as_mut_ptr().cast();
        self.request.aio_nbytes = CHUNK;
        self.request.aio_offset = offset as libc::off_t;
        self.request.aio_sigevent.sigev_notify = libc::SIGEV_NONE;
        // SAFETY: request and buffer stay where they are until `finish` has returned.
        if unsafe { libc::aio_read(&mut *self.request) } == 0 { Ok(()) } else { Err(Error::last_os_error()) }
    }

    fn finish(&mut self) -> Result<&[u8]> {
        let request: *const libc::aiocb = &*self.request;
        // SAFETY: `start` has started the request.
        while unsafe { libc::aio_error(request) } == libc::EINPROGRESS {
            // SAFETY: a list of one request that is in flight.
            unsafe { libc::aio_suspend(&request, 1, ptr::null()) };
        }
        // SAFETY: the request has ended, and its result is taken once.
        match (unsafe { libc::aio_error(request) }, unsafe { libc::aio_return(&mut *self.request) }) {
            (0, length) => Ok(&self.buffer[..length as usize]),
            (error, _) => Err(Error::from_raw_os_error(error)),
        }
    }
}

fn main() -> Result<()> {
    let file = File::open(env::args_os().nth(1).expect("usage: posix FILE"))?;
    let chunks = file.metadata()?.len().div_ceil(CHUNK as u64);
    let mut reads: Vec<Read> = (0..DEPTH.min(chunks as usize)).map(|_| Read::new()).collect();
    for (read, chunk) in reads.iter_mut().zip(0..) {
        read.start(&file, chunk * CHUNK as u64)?;
    }
    let (mut bytes, mut sum) = (0, 0);
    for chunk in 0..chunks {
        let read = &mut reads[chunk as usize % DEPTH];
        let data = read.finish()?;
        bytes += data.len();
        sum += data.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        if chunk + (DEPTH as u64) < chunks {
            read.start(&file, (chunk + DEPTH as u64) * CHUNK as u64)?;
        }
    }
    println!("{bytes} bytes, sum {sum}");
    Ok(())
}
