//! Adds up the bytes of a file with the kernel's AIO, by its system calls: sixteen reads in one io_submit. Programs that do
//! without libaio are served with URINGAIO_RAW=1.

use std::fs::File;
use std::io::{Error, Result};
use std::os::fd::AsRawFd;
use std::{env, mem, ptr};

use libc::{SYS_io_destroy, SYS_io_getevents, SYS_io_setup, SYS_io_submit, c_long, syscall};

const CHUNK: usize = 64 * 1024;
const DEPTH: usize = 16;
const IOCB_CMD_PREAD: u16 = 0;

/// The kernel's struct io_event.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Event {
    data: u64,
    iocb: u64,
    result: i64,
    result2: i64,
}

fn checked(answer: c_long) -> Result<usize> {
    usize::try_from(answer).map_err(|_| Error::last_os_error())
}

fn main() -> Result<()> {
    let file = File::open(env::args_os().nth(1).expect("usage: libaio FILE"))?;
    let size = file.metadata()?.len();
    let mut buffers = vec![[0_u8; CHUNK]; DEPTH];
    // SAFETY: an iocb is numbers, for which zero is a value.
    let mut requests: [libc::iocb; DEPTH] = unsafe { mem::zeroed() };
    let mut context: libc::c_ulong = 0;
    // SAFETY: the kernel writes one number.
    checked(unsafe { syscall(SYS_io_setup, DEPTH as c_long, &mut context) })?;
    let (mut bytes, mut sum, mut next) = (0, 0, 0);
    while next < size {
        let mut batch: Vec<*mut libc::iocb> = Vec::new();
        for (request, buffer) in requests.iter_mut().zip(&mut buffers) {
            if next < size {
                request.aio_data = batch.len() as u64;
                request.aio_lio_opcode = IOCB_CMD_PREAD;
                request.aio_fildes = file.as_raw_fd() as u32;
                request.aio_buf = buffer.as_mut_ptr() as u64;
                request.aio_nbytes = CHUNK as u64;
                request.aio_offset = next as i64;
                batch.push(request);
                next += CHUNK as u64;
            }
        }
        let mut submitted = 0;
        while submitted < batch.len() {
            let rest = &batch[submitted..];
            // SAFETY: requests and buffers stay where they are until all events of the batch are there.
            submitted += checked(unsafe { syscall(SYS_io_submit, context, rest.len(), rest.as_ptr()) })?;
        }
        let mut events = [Event::default(); DEPTH];
        let mut ended = 0;
        while ended < batch.len() {
            let (left, place) = (batch.len() - ended, events[ended..].as_mut_ptr());
            let no_limit = ptr::null::<libc::timespec>();
            // SAFETY: there is room for as many events as are asked for.
            ended += checked(unsafe { syscall(SYS_io_getevents, context, left, left, place, no_limit) })?;
        }
        for event in &events[..ended] {
            let length = usize::try_from(event.result).map_err(|_| Error::from_raw_os_error(-event.result as i32))?;
            bytes += length;
            sum += buffers[event.data as usize][..length].iter().map(|byte| u64::from(*byte)).sum::<u64>();
        }
    }
    // SAFETY: nothing is in flight.
    checked(unsafe { syscall(SYS_io_destroy, context) })?;
    println!("{bytes} bytes, sum {sum}");
    Ok(())
}
