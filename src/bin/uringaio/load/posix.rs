//! The load through `aio_read`, `aio_write` and `aio_suspend`.

use std::fs::File;
use std::os::fd::AsRawFd;

use super::meter::{BLOCK, Meter, Plan, buffer, last_error};
use crate::failure::Failure;

struct Request {
    block: libc::aiocb,
    since: u64,
}

pub fn run(file: &File, plan: &Plan, meter: &mut Meter) -> Result<(), Failure> {
    // Requests stay where they are from submission to completion: the vector is not touched again.
    let mut requests: Vec<Request> = (0..plan.depth)
        .map(|_| {
            // SAFETY: an aiocb of zeros is how POSIX programs begin.
            let mut block: libc::aiocb = unsafe { std::mem::zeroed() };
            block.aio_fildes = file.as_raw_fd();
            block.aio_buf = buffer().cast();
            block.aio_nbytes = BLOCK;
            block.aio_sigevent.sigev_notify = libc::SIGEV_NONE;
            Request { block, since: 0 }
        })
        .collect();
    let mut waiting: Vec<*const libc::aiocb> = requests.iter().map(|request| &raw const request.block).collect();
    for request in &mut requests {
        submit(request, plan.write, meter)?;
    }
    let mut in_flight = plan.depth;
    while in_flight > 0 {
        // SAFETY: the list and what it points to are alive.
        if unsafe { libc::aio_suspend(waiting.as_ptr(), waiting.len() as i32, std::ptr::null()) } != 0
            && std::io::Error::last_os_error().raw_os_error() != Some(libc::EINTR)
        {
            return Err(last_error("aio_suspend"));
        }
        for (request, entry) in requests.iter_mut().zip(&mut waiting) {
            if entry.is_null() {
                continue;
            }
            // SAFETY: the request was submitted.
            let status = unsafe { libc::aio_error(&raw const request.block) };
            if status == libc::EINPROGRESS {
                continue;
            }
            // SAFETY: the request is done.
            let result = unsafe { libc::aio_return(&raw mut request.block) };
            meter.done(if status == 0 { result as i64 } else { -i64::from(status) }, request.since)?;
            if meter.goes_on() {
                submit(request, plan.write, meter)?;
            } else {
                *entry = std::ptr::null();
                in_flight -= 1;
            }
        }
    }
    Ok(())
}

fn submit(request: &mut Request, write: bool, meter: &mut Meter) -> Result<(), Failure> {
    request.block.aio_offset = meter.position();
    request.since = meter.now();
    // SAFETY: the request and its buffer stay until it is done.
    let answer =
        unsafe { if write { libc::aio_write(&raw mut request.block) } else { libc::aio_read(&raw mut request.block) } };
    if answer == 0 { Ok(()) } else { Err(last_error("submission")) }
}
