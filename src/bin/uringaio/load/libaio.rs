//! The load through libaio: its functions where a library brings them, else the kernel's system calls, which is all that
//! libaio itself does.

use std::ffi::{c_int, c_long};
use std::fs::File;
use std::os::fd::AsRawFd;

use super::meter::{BLOCK, Meter, Plan, buffer};
use crate::failure::Failure;
use crate::probe::symbol;

const PREAD: u16 = 0;
const PWRITE: u16 = 1;

/// `struct io_event` of `linux/aio_abi.h`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Event {
    data: u64,
    iocb: u64,
    result: i64,
    result2: i64,
}

type Setup = unsafe extern "C" fn(c_int, *mut usize) -> c_int;
type Submit = unsafe extern "C" fn(usize, c_long, *mut *mut libc::iocb) -> c_int;
type GetEvents = unsafe extern "C" fn(usize, c_long, c_long, *mut Event, *mut libc::timespec) -> c_int;

struct Functions {
    setup: Setup,
    submit: Submit,
    get_events: GetEvents,
}

/// The functions that this process would be bound to.
fn functions() -> Functions {
    match (symbol(c"io_setup"), symbol(c"io_submit"), symbol(c"io_getevents")) {
        (Some(setup), Some(submit), Some(get_events)) => {
            // SAFETY: these are libaio's names, and its signatures.
            unsafe {
                Functions {
                    setup: std::mem::transmute::<*mut std::ffi::c_void, Setup>(setup),
                    submit: std::mem::transmute::<*mut std::ffi::c_void, Submit>(submit),
                    get_events: std::mem::transmute::<*mut std::ffi::c_void, GetEvents>(get_events),
                }
            }
        }
        _ => Functions { setup, submit, get_events },
    }
}

unsafe extern "C" fn setup(events: c_int, context: *mut usize) -> c_int {
    // SAFETY: the caller's arguments, as the system call wants them.
    answer(unsafe { libc::syscall(libc::SYS_io_setup, events, context) })
}

unsafe extern "C" fn submit(context: usize, count: c_long, iocbs: *mut *mut libc::iocb) -> c_int {
    // SAFETY: as above.
    answer(unsafe { libc::syscall(libc::SYS_io_submit, context, count, iocbs) })
}

unsafe extern "C" fn get_events(
    context: usize,
    least: c_long,
    most: c_long,
    events: *mut Event,
    timeout: *mut libc::timespec,
) -> c_int {
    // SAFETY: as above.
    answer(unsafe { libc::syscall(libc::SYS_io_getevents, context, least, most, events, timeout) })
}

fn answer(value: c_long) -> c_int {
    if value >= 0 { value as c_int } else { -std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO) }
}

/// The request with this number; its position is still to be set.
fn request(file: &File, plan: &Plan, index: usize) -> libc::iocb {
    // SAFETY: a structure of numbers, of which zeros are a value.
    let mut iocb: libc::iocb = unsafe { std::mem::zeroed() };
    iocb.aio_data = index as u64;
    iocb.aio_lio_opcode = if plan.write { PWRITE } else { PREAD };
    iocb.aio_fildes = file.as_raw_fd().cast_unsigned();
    iocb.aio_buf = buffer() as u64;
    iocb.aio_nbytes = BLOCK as u64;
    iocb
}

pub fn run(file: &File, plan: &Plan, meter: &mut Meter) -> Result<(), Failure> {
    let failed =
        |what: &str, answer: c_int| Failure::wanting(format!("{what}: {}", std::io::Error::from_raw_os_error(-answer)));
    let functions = functions();
    let mut context = 0;
    // SAFETY: writes the context.
    let made = unsafe { (functions.setup)(plan.depth as c_int, &raw mut context) };
    if made != 0 {
        return Err(failed("io_setup", made));
    }
    let mut iocbs: Vec<libc::iocb> = (0..plan.depth).map(|index| request(file, plan, index)).collect();
    let mut since = vec![0; plan.depth];
    let mut events = vec![Event::default(); plan.depth];
    let mut list: Vec<*mut libc::iocb> = Vec::with_capacity(plan.depth);
    let mut due: Vec<usize> = (0..plan.depth).collect();
    let mut in_flight = 0;
    loop {
        if meter.goes_on() {
            list.clear();
            for &index in &due {
                iocbs[index].aio_offset = meter.position();
                since[index] = meter.now();
                list.push(&raw mut iocbs[index]);
            }
            let mut rest = &mut list[..];
            while !rest.is_empty() {
                // SAFETY: the iocbs and their buffers stay.
                let taken = unsafe { (functions.submit)(context, rest.len() as c_long, rest.as_mut_ptr()) };
                if taken <= 0 {
                    return Err(failed("io_submit", taken));
                }
                rest = &mut rest[taken as usize..];
            }
            in_flight += due.len();
        }
        due.clear();
        if in_flight == 0 {
            return Ok(());
        }
        // SAFETY: there is room for as many events as can be in flight.
        let got = unsafe {
            (functions.get_events)(context, 1, plan.depth as c_long, events.as_mut_ptr(), std::ptr::null_mut())
        };
        if got == -libc::EINTR {
            continue;
        }
        if got < 0 {
            return Err(failed("io_getevents", got));
        }
        for event in &events[..got as usize] {
            let index = event.data as usize;
            meter.done(event.result, since[index])?;
            due.push(index);
        }
        in_flight -= got as usize;
    }
}
