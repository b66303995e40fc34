//! The engine by itself, on files, pipes and what goes wrong with them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::fs::{self, File, OpenOptions};
use std::os::fd::AsRawFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::{Engine, Kind, Matcher, Operation, Order, WakeBatch, get};
use crate::host::{descriptors, file_info};

/// An operation that tells a channel of its end.
#[repr(C)]
struct Probe {
    operation: Operation,
    name: u32,
    ended: Sender<(u32, i64)>,
}

unsafe fn finish(operation: NonNull<Operation>, result: i64, _: &mut WakeBatch) {
    // SAFETY: every operation here is the first field of a leaked box.
    let probe = unsafe { Box::from_raw(operation.cast::<Probe>().as_ptr()) };
    probe.ended.send((probe.name, result)).unwrap();
}

struct Bench {
    engine: &'static Engine,
    ended: Sender<(u32, i64)>,
    ends: Receiver<(u32, i64)>,
}

impl Bench {
    /// On io_uring where it can be used.
    fn new() -> Self {
        let (ended, ends) = channel();
        Self { engine: get().unwrap().expect("these tests need an engine").uring_or_workers().unwrap(), ended, ends }
    }

    /// On the workers, which have what streams need.
    fn on_workers() -> Self {
        let (ended, ends) = channel();
        Self { engine: get().unwrap().expect("these tests need an engine").workers().unwrap(), ended, ends }
    }

    fn submit(&self, name: u32, kind: Kind, order: Order, fd: i32, buffer: &mut [u8], offset: i64) {
        let mut operation = Operation::new(kind, fd, finish);
        operation.order = order;
        operation.address = buffer.as_mut_ptr() as usize;
        operation.length = buffer.len();
        operation.offset = offset;
        operation.file = file_info::info(fd).map_or(0, |info| info.identity);
        let probe = Box::leak(Box::new(Probe { operation, name, ended: self.ended.clone() }));
        // SAFETY: leaked until `finish`; the tests keep their buffers until then.
        unsafe { self.engine.submit(NonNull::from(probe).cast()) };
    }

    fn end(&self) -> (u32, i64) {
        self.ends.recv_timeout(Duration::from_secs(60)).unwrap()
    }
}

fn file(name: &str) -> File {
    let path = std::env::temp_dir().join(format!("uringaio-engine-{}-{name}", std::process::id()));
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
    fs::remove_file(path).unwrap();
    file
}

#[test]
#[cfg_attr(miri, ignore = "it needs the kernel")]
fn a_file_gives_back_what_it_was_given() {
    let bench = Bench::new();
    let file = file("back");
    let mut written = vec![7u8; 5000];
    bench.submit(1, Kind::Write, Order::Counted, file.as_raw_fd(), &mut written, 100);
    assert_eq!(bench.end(), (1, 5000));
    let mut read = vec![0u8; 6000];
    bench.submit(2, Kind::Read, Order::Counted, file.as_raw_fd(), &mut read, 0);
    assert_eq!(bench.end(), (2, 5100));
    assert!(read[..100].iter().all(|&byte| byte == 0) && read[100..5100].iter().all(|&byte| byte == 7));
    bench.submit(3, Kind::Read, Order::Free, 9999, &mut read, 0);
    assert_eq!(bench.end(), (3, -i64::from(libc::EBADF)));
}

/// Numbers share the counters that tell one file from the next under the same number.
#[test]
#[cfg_attr(miri, ignore = "it needs the kernel")]
fn numbers_closed_elsewhere_do_a_request_no_harm() {
    for bench in [Bench::new(), Bench::on_workers()] {
        let file = file("elsewhere");
        let fd = file.as_raw_fd();
        let is_over = AtomicBool::new(false);
        let mut buffer = [0u8; 16];
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    descriptors::note_closed(fd + 4096);
                }
            });
            let wrong = (0..2000).find_map(|name| {
                bench.submit(name, Kind::Read, Order::Free, fd, &mut buffer, 0);
                Some(bench.end()).filter(|&end| end != (name, 0))
            });
            is_over.store(true, Ordering::Relaxed);
            assert_eq!(wrong, None);
        });
    }
}

#[test]
#[cfg_attr(miri, ignore = "it needs the kernel")]
fn a_held_read_keeps_its_file_and_a_long_write_is_whole() {
    let bench = Bench::on_workers();
    let (reader, writer) = std::io::pipe().unwrap();
    let (mut first, mut second) = ([0u8; 4], [0u8; 4]);
    bench.submit(1, Kind::Read, Order::Reading, reader.as_raw_fd(), &mut first, 0);
    bench.submit(2, Kind::Read, Order::Reading, reader.as_raw_fd(), &mut second, 0);
    bench.engine.settle();
    drop(reader);
    let mut text = *b"onetwo12";
    bench.submit(3, Kind::Write, Order::Writing, writer.as_raw_fd(), &mut text, 0);
    let mut ends = [bench.end(), bench.end(), bench.end()];
    ends.sort_unstable();
    assert_eq!(ends, [(1, 4), (2, 4), (3, 8)]);
    assert_eq!((&first, &second), (b"onet", b"wo12"));

    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut long = vec![3u8; 1 << 20];
    bench.submit(4, Kind::Write, Order::Writing, writer.as_raw_fd(), &mut long, 0);
    bench.engine.settle();
    drop(writer);
    let mut all = Vec::new();
    std::io::Read::read_to_end(&mut reader, &mut all).unwrap();
    assert_eq!(bench.end(), (4, 1 << 20));
    assert_eq!(all.len(), 1 << 20);
}

#[test]
#[cfg_attr(miri, ignore = "it needs the kernel")]
fn what_waits_can_be_stopped() {
    // By the buffers: the number may be another test's a moment later.
    fn is_in(operation: &Operation, &[start, end, _]: &[usize; 3]) -> bool {
        (start..end).contains(&operation.address)
    }
    let bench = Bench::on_workers();
    let (reader, _writer) = std::io::pipe().unwrap();
    let fd = reader.as_raw_fd();
    let mut buffers = [0u8; 8];
    let start = buffers.as_ptr().addr();
    let (first, second) = buffers.split_at_mut(4);
    bench.submit(1, Kind::Read, Order::Reading, fd, first, 0);
    bench.submit(2, Kind::Read, Order::Reading, fd, second, 0);
    let outcome = bench.engine.cancel(Matcher { test: is_in, arguments: [start, start + 8, 0] });
    assert_eq!((outcome.canceled, outcome.refused), (2, 0));
    let mut ends = [bench.end(), bench.end()];
    ends.sort_unstable();
    assert_eq!(ends, [(1, -i64::from(libc::ECANCELED)), (2, -i64::from(libc::ECANCELED))]);
}

#[test]
#[cfg_attr(miri, ignore = "it needs the kernel")]
fn a_barrier_waits_for_what_came_before() {
    let bench = Bench::on_workers();
    let (reader, mut writer) = std::io::pipe().unwrap();
    let file = file("barrier");
    // A read that lasts, counted as if it were of the file.
    let mut operation = Operation::new(Kind::Read, reader.as_raw_fd(), finish);
    let mut buffer = [0u8; 1];
    operation.order = Order::Counted;
    operation.file = file_info::info(file.as_raw_fd()).unwrap().identity;
    operation.address = buffer.as_mut_ptr() as usize;
    operation.length = 1;
    let probe = Box::leak(Box::new(Probe { operation, name: 1, ended: bench.ended.clone() }));
    // SAFETY: as in `Bench::submit`.
    unsafe { bench.engine.submit(NonNull::from(probe).cast()) };
    bench.submit(2, Kind::Sync, Order::Barrier, file.as_raw_fd(), &mut [], 0);
    let mut later = [0u8; 8];
    bench.submit(3, Kind::Write, Order::Counted, file.as_raw_fd(), &mut later, 0);
    assert_eq!(bench.end(), (3, 8));
    std::io::Write::write_all(&mut writer, b"x").unwrap();
    assert_eq!(bench.end(), (1, 1));
    assert_eq!(bench.end(), (2, 0));
}

#[test]
#[cfg_attr(miri, ignore = "it needs the kernel")]
fn more_than_the_ring_holds() {
    static READ: AtomicU32 = AtomicU32::new(0);
    unsafe fn count(operation: NonNull<Operation>, result: i64, _: &mut WakeBatch) {
        assert_eq!(result, 512);
        // SAFETY: leaked from a box below.
        drop(unsafe { Box::from_raw(operation.as_ptr()) });
        READ.fetch_add(1, Ordering::Relaxed);
    }
    const MANY: u32 = 40_000;
    let bench = Bench::new();
    let file = file("many");
    file.set_len(512 * 16).unwrap();
    let mut buffer = [0u8; 512];
    for index in 0..MANY {
        let mut operation = Operation::new(Kind::Read, file.as_raw_fd(), count);
        operation.address = buffer.as_mut_ptr() as usize;
        operation.length = 512;
        operation.offset = i64::from(index % 16) * 512;
        let operation = Box::leak(Box::new(operation));
        // SAFETY: leaked until it is finished.
        unsafe { bench.engine.submit(NonNull::from(operation)) };
    }
    let begun = std::time::Instant::now();
    while READ.load(Ordering::Relaxed) < MANY {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::yield_now();
    }
}
