//! POSIX AIO on the simulated kernel ([`crate::engine::simulated`]): any sequence of calls, and each answer as POSIX and the
//! documentation of this library promise it.
//!
//! The model knows what the program can know: which requests are in progress, what `aio_error` and `aio_return` may say, which
//! bytes are moved, which order is promised, whether a wait may go on, which notifications are due, and that an aiocb is the
//! program's own from its end on. `SIGEV_THREAD` is not among them: its functions run in threads of their own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use core::cell::{Cell, RefCell, UnsafeCell};
use core::ffi::c_int;
use core::ptr;

use super::abi::{deadline, run_list, transfer};
use super::aiocb::{AiocbRef, LIO_READV, LIO_WRITEV};
use super::cancel;
use super::sigevent::SIGEV_EVENTFD;
use super::{submit, suspend};
use crate::engine::simulated::check;
use crate::engine::simulated::program::{self, Common, Step};
use crate::engine::simulated::request::{By, FORGOTTEN, Record, Request};
use crate::engine::simulated::step::drain_threads;
use crate::engine::simulated::world::{Program, World};
use crate::engine::{Kind, Operation, Order};
use crate::host::kernel::Errno;
use crate::submission::{fd_cache, order_counts};

#[derive(Clone, Copy, Debug)]
enum Call {
    /// `aio_read`, `aio_write`, `aio_readv`, `aio_writev`, `aio_fsync`.
    Submit,
    List,
    Suspend,
    CancelOne,
    CancelAll,
    Other(Common),
}

/// A notification that is due, and how often it came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Not,
    BySignal(u32),
    /// By this eventfd.
    ByEventfd(usize),
}

/// The program's side of a request.
struct Asked {
    aiocb: UnsafeCell<libc::aiocb>,
    request: &'static Request,
    notification: Cell<Told>,
    /// Whether it was refused by the call: then no notification comes.
    is_refused: Cell<bool>,
    /// The list that silences it, if it is one of the first version of glibc's.
    is_silenced: Cell<bool>,
}

/// A list that sends a notification.
struct List {
    requests: Vec<usize>,
    notification: Cell<Told>,
    is_refused: Cell<bool>,
}

/// A run of the program.
struct Play {
    world: &'static World,
    asked: RefCell<Vec<&'static Asked>>,
    lists: RefCell<Vec<List>>,
}

thread_local! {
    static PLAY: Cell<*const Play> = const { Cell::new(ptr::null()) };
}

/// The value of a list's signal is its number, and this.
const OF_LIST: usize = 1 << 40;
const SIGNAL: c_int = libc::SIGUSR1;

/// `aio_error` of glibc's layout.
const ERROR: usize = 112;

const PROGRAM: Program = Program { handle, told: Some(told), signalled };

fn handle(operation: &Operation) -> usize {
    submit::aiocb_of(operation).expect("a request").address()
}

/// How it ended, if it has; then the aiocb is the program's, which uses it for something else.
fn told(record: &Record) -> Option<i64> {
    let place = ptr::with_exposed_provenance_mut::<libc::aiocb>(record.handle);
    let aiocb = AiocbRef::at(place)?;
    // What `aio_error` and `aio_return` say.
    let (error, result) = (aiocb.error(), aiocb.result());
    if error == libc::EINPROGRESS {
        assert_eq!(result, 0, "{record:?} is in progress");
        return None;
    }
    assert!(if error == 0 { result >= 0 } else { result == -1 }, "{record:?}: {result} with error {error}");
    // SAFETY: an aiocb that stays until the end of the simulation.
    unsafe { place.cast::<u8>().write_bytes(FORGOTTEN, size_of::<libc::aiocb>()) };
    Some(if error == 0 { result } else { -i64::from(error) })
}

/// The functions are called below the C boundary, out of which no panic comes.
fn value(answer: Result<c_int, Errno>) -> Result<c_int, c_int> {
    answer.map_err(|errno| errno.0)
}

fn no_glibc(_: *mut libc::aiocb) -> c_int {
    panic!("the C library's own AIO is to serve");
}

/// A signal is queued: its request, or all of its list, can be seen to have ended.
fn signalled(value: usize) {
    // SAFETY: set while anything in the simulation runs.
    let play = unsafe { PLAY.get().as_ref() }.expect("a run");
    play.world.look();
    let count = |notification: &Cell<Told>| match notification.get() {
        Told::BySignal(0) => notification.set(Told::BySignal(1)),
        _ => panic!("signal {value:#x} comes twice, or was not asked for"),
    };
    let (asked, lists) = (play.asked.borrow(), play.lists.borrow());
    let ends = |number: usize| {
        let record = asked[number].request.record.borrow();
        assert!(record.result.is_some(), "signal {value:#x} comes before the end of {record:?}");
    };
    if let Some(list) = value.checked_sub(OF_LIST) {
        lists[list].requests.iter().copied().for_each(ends);
        count(&lists[list].notification);
    } else {
        ends(value);
        count(&asked[value].notification);
    }
}

fn errno() -> c_int {
    // SAFETY: errno is this thread's own.
    unsafe { *libc::__errno_location() }
}

fn sequence(seed: u64) -> Vec<Step<Call>> {
    const CALLS: [Call; 16] = {
        let mut calls = [Call::Submit; 16];
        (calls[11], calls[12], calls[13]) = (Call::List, Call::List, Call::Suspend);
        (calls[14], calls[15]) = (Call::CancelOne, Call::CancelAll);
        calls
    };
    program::sequence(seed, &CALLS, Call::Other)
}

fn run(steps: &[Step<Call>]) -> usize {
    let common = |call: &Call| if let Call::Other(what) = *call { Some(what) } else { None };
    let world = program::begin(PROGRAM, steps, common, |fd| fd_cache::lookup(fd).unwrap().device);
    let play = Play { world, asked: RefCell::default(), lists: RefCell::default() };
    PLAY.set(&raw const play);
    for step in steps {
        world.random.reseed(step.number.into());
        match step.call {
            Call::Submit => play.submit(),
            Call::List => play.list(),
            Call::Suspend => play.suspend(),
            Call::CancelOne => play.cancel_one(),
            Call::CancelAll => play.cancel_all(),
            Call::Other(what) => program::happen(world, what),
        }
        world.look();
    }
    play.end();
    let count = world.requests.borrow().len();
    world.end();
    for asked in play.asked.take() {
        // SAFETY: leaked when it was made; nothing refers to it any more.
        drop(unsafe { Box::from_raw(ptr::from_ref(asked).cast_mut()) });
    }
    count
}

impl Play {
    /// Makes a request and its aiocb. Its number.
    fn make(&self) -> usize {
        let random = &self.world.random;
        let wanted = program::draw(self.world);
        let (eventfd, kind, fd) = (wanted.eventfd, wanted.kind, wanted.fd);
        let has_position = matches!(wanted.order, Order::Counted | Order::BarrierEverywhere);
        let request = self.world.add(wanted);
        let number = self.asked.borrow().len();
        // SAFETY: zero bytes are a valid aiocb.
        let mut aiocb: libc::aiocb = unsafe { core::mem::zeroed() };
        {
            let record = request.record.borrow();
            aiocb.aio_fildes = fd;
            aiocb.aio_buf = ptr::with_exposed_provenance_mut(record.address);
            aiocb.aio_nbytes = record.length;
            // Where nothing has a position, it means nothing.
            aiocb.aio_offset = if has_position || random.one_in(2) { record.offset } else { random.below(1000) as i64 };
        }
        aiocb.aio_lio_opcode = match kind {
            Kind::Read => libc::LIO_READ,
            Kind::Write => libc::LIO_WRITE,
            Kind::ReadVector => LIO_READV,
            Kind::WriteVector => LIO_WRITEV,
            Kind::DataSync => 3,
            _ => 4,
        };
        aiocb.aio_sigevent.sigev_notify = libc::SIGEV_NONE;
        let notification = self.draw_notification(eventfd, number, &mut aiocb.aio_sigevent);
        let asked: &Asked = Box::leak(Box::new(Asked {
            aiocb: UnsafeCell::new(aiocb),
            request,
            notification: Cell::new(notification),
            is_refused: Cell::new(false),
            is_silenced: Cell::new(false),
        }));
        let place = asked.aiocb.get();
        // SAFETY: within the aiocb. Until the call it is in progress, for all that the model asks.
        unsafe { place.byte_add(ERROR).cast::<c_int>().write(libc::EINPROGRESS) };
        let mut record = request.record.borrow_mut();
        record.handle = place.expose_provenance();
        // Of eventfds that a request holds.
        if !matches!(notification, Told::ByEventfd(_)) {
            record.eventfd = None;
        }
        self.asked.borrow_mut().push(asked);
        number
    }

    fn draw_notification(&self, eventfd: Option<(usize, i32)>, value: usize, to: &mut libc::sigevent) -> Told {
        if let Some((file, fd)) = eventfd {
            (to.sigev_notify, to.sigev_signo) = (SIGEV_EVENTFD, fd);
            return Told::ByEventfd(file);
        }
        if self.world.random.one_in(3) {
            to.sigev_notify = self.world.random.of(&[libc::SIGEV_SIGNAL, libc::SIGEV_THREAD_ID]);
            to.sigev_signo = SIGNAL;
            to.sigev_notify_thread_id = 1;
            to.sigev_value.sival_ptr = ptr::without_provenance_mut(value);
            return Told::BySignal(0);
        }
        Told::Not
    }

    fn aiocb(&self, number: usize) -> *mut libc::aiocb {
        self.asked.borrow()[number].aiocb.get()
    }

    fn is_over(&self, number: usize) -> bool {
        self.asked.borrow()[number].request.look(self.world)
    }

    /// What has come of requests by now; of one in progress nothing.
    fn results(&self, numbers: &[usize]) -> Vec<Option<i64>> {
        let result = |&number: &usize| {
            let _ = self.is_over(number);
            self.asked.borrow()[number].request.record.borrow().result
        };
        numbers.iter().map(result).collect()
    }

    /// A call has refused a request: it has ended, with the error that the call told.
    fn note_refused(&self, number: usize, errno: c_int) {
        let asked = self.asked.borrow();
        asked[number].is_refused.set(true);
        assert!(asked[number].request.look(self.world), "a request that was refused is in progress");
        let record = asked[number].request.record.borrow();
        assert_eq!(record.result, Some(-i64::from(errno)), "{record:?} was refused");
        assert!(
            self.world.has_refused_thread.get() && errno == libc::EAGAIN,
            "{record:?} was refused without a reason"
        );
    }

    fn submit(&self) {
        let number = self.make();
        let aiocb = self.aiocb(number);
        let kind = self.asked.borrow()[number].request.record.borrow().kind;
        if transfer(aiocb, kind, no_glibc) != 0 {
            self.note_refused(number, errno());
        }
    }

    fn list(&self) {
        let random = &self.world.random;
        let numbers: Vec<usize> = (0..random.below(6)).map(|_| self.make()).collect();
        let mut entries: Vec<*mut libc::aiocb> = numbers.iter().map(|&number| self.aiocb(number)).collect();
        // SAFETY: zero bytes are a valid aiocb.
        let mut nothing: libc::aiocb = unsafe { core::mem::zeroed() };
        nothing.aio_lio_opcode = libc::LIO_NOP;
        for entry in [ptr::null_mut(), &raw mut nothing] {
            if random.one_in(4) {
                entries.insert(random.below(entries.len() + 1), entry);
            }
        }
        let (waits, is_oldest) = (random.one_in(2), random.one_in(8));
        // SAFETY: as above.
        let mut event: libc::sigevent = unsafe { core::mem::zeroed() };
        event.sigev_notify = libc::SIGEV_NONE;
        let list = self.lists.borrow().len();
        let notification = if waits {
            Told::Not
        } else {
            let eventfd = random.one_in(3).then(|| self.world.any_eventfd());
            self.draw_notification(eventfd, OF_LIST + list, &mut event)
        };
        let (requests, is_refused) = (numbers.clone(), Cell::new(false));
        self.lists.borrow_mut().push(List { requests, notification: Cell::new(notification), is_refused });
        for &number in &numbers {
            let asked = self.asked.borrow();
            asked[number].is_silenced.set(is_oldest);
            if let Told::ByEventfd(file) = notification {
                // Each request holds the list's.
                asked[number].request.record.borrow_mut().eventfd = Some(file);
            }
        }
        let mode = if waits { libc::LIO_WAIT } else { libc::LIO_NOWAIT };
        // SAFETY: aiocbs and buffers stay.
        let answer = unsafe { run_list(mode, entries.as_ptr(), entries.len() as c_int, &raw mut event, is_oldest) };
        let errno = if answer == 0 { 0 } else { errno() };
        let results = self.results(&numbers);
        let have_all_ended = results.iter().all(Option::is_some);
        let has_failed = results.iter().flatten().any(|&result| result < 0);
        let is_as_promised = match errno {
            0 => !waits || (have_all_ended && !has_failed),
            libc::EIO => waits && have_all_ended && has_failed,
            libc::EINTR => waits,
            libc::EAGAIN => self.world.has_refused_thread.get(),
            _ => false,
        };
        assert!(is_as_promised, "lio_listio of {numbers:?}, waiting {waits}: {answer}, error {errno}, {results:?}");
        if errno == libc::EAGAIN {
            self.lists.borrow()[list].is_refused.set(true);
        }
    }

    /// Some of the requests that are in progress, and perhaps others.
    fn some_aiocbs(&self) -> Vec<usize> {
        let random = &self.world.random;
        let count = self.asked.borrow().len();
        if count == 0 {
            return Vec::new();
        }
        (0..random.below(4)).map(|_| count - 1 - random.below(count.min(24))).collect()
    }

    fn suspend(&self) {
        let random = &self.world.random;
        let numbers = self.some_aiocbs();
        let mut entries: Vec<*const libc::aiocb> =
            numbers.iter().map(|&number| self.aiocb(number).cast_const()).collect();
        if random.one_in(4) {
            entries.push(ptr::null());
        }
        let time =
            libc::timespec { tv_sec: 0, tv_nsec: if random.one_in(2) { 0 } else { random.below(300_000) as i64 } };
        let limit = if random.one_in(2) { ptr::null() } else { &raw const time };
        let aiocbs = entries.iter().filter_map(|&entry| AiocbRef::at(entry));
        // SAFETY: null or a time.
        let limit = unsafe { deadline(limit) }.unwrap();
        let answer = value(suspend::suspend(&aiocbs, limit).map(|()| 0));
        let is_any_over = numbers.is_empty() || numbers.iter().any(|&number| self.is_over(number));
        match answer {
            Ok(_) => assert!(is_any_over, "aio_suspend of {numbers:?} returns, and all are in progress"),
            Err(libc::EAGAIN) => assert!(limit.is_some() && !is_any_over, "aio_suspend of {numbers:?} finds no end"),
            Err(libc::EINTR) => assert!(limit.is_none(), "aio_suspend of {numbers:?} is interrupted"),
            other => panic!("aio_suspend answers {other:?}"),
        }
    }

    fn cancel_one(&self) {
        let Some(&number) = self.some_aiocbs().first() else { return };
        if self.is_over(number) {
            return;
        }
        let fd = self.asked.borrow()[number].request.record.borrow().fd;
        if self.world.files.borrow().named(fd).is_some() {
            self.cancel(fd, self.aiocb(number), &[number]);
        }
    }

    fn cancel_all(&self) {
        let fd = self.world.files.borrow().any_descriptor(|open| self.world.random.below(open));
        let asked = self.asked.borrow();
        let is_meant = |number: &usize| {
            let record = asked[*number].request.record.borrow();
            record.result.is_none() && record.fd == fd && !record.is_gone
        };
        let meant: Vec<usize> = (0..asked.len()).filter(is_meant).collect();
        drop(asked);
        self.cancel(fd, ptr::null_mut(), &meant);
    }

    fn cancel(&self, fd: c_int, aiocb: *mut libc::aiocb, meant: &[usize]) {
        for &number in meant {
            self.asked.borrow()[number].request.record.borrow_mut().asked.push(libc::ECANCELED.into());
        }
        let answer = value(cancel::cancel(fd, AiocbRef::at(aiocb)));
        let asked = self.asked.borrow();
        let results = self.results(meant);
        let is_stopped = |result: &Option<i64>| *result == Some(-i64::from(libc::ECANCELED));
        let have_all_ended = results.iter().all(Option::is_some);
        let may_be_late =
            |number: &usize| matches!(asked[*number].request.record.borrow().answer, Some((By::Uring, _)));
        let is_true = match answer {
            Ok(libc::AIO_CANCELED) => have_all_ended && results.iter().any(is_stopped),
            // io_uring may stop one after it has said that it cannot, and while the call waits for others.
            Ok(libc::AIO_NOTCANCELED) => !results.iter().all(is_stopped) || meant.iter().any(may_be_late),
            Ok(libc::AIO_ALLDONE) => have_all_ended && !results.iter().any(is_stopped),
            _ => false,
        };
        assert!(is_true, "aio_cancel of {meant:?} on {fd} answers {answer:?}: {results:?}");
    }

    /// Everything ends, and the program was told of all as it asked.
    fn end(&self) {
        let world = self.world;
        world.is_calm.set(true);
        while world.pump_all() {}
        if let Some(first) = world.open.borrow().first() {
            panic!("{} requests never end; the first is {:?}", world.open.borrow().len(), first.record.borrow());
        }
        drain_threads(world);
        let mut counts: Vec<[u64; 2]> = world.files.borrow().all().map(|_| [0; 2]).collect();
        // Where it is not known whether a call has begun it, one may come.
        let mut due = |notification: Told, may_fail: bool, what: &dyn core::fmt::Debug| match notification {
            Told::Not | Told::BySignal(1) => {}
            Told::BySignal(_) => assert!(may_fail, "no signal has told of {what:?}"),
            Told::ByEventfd(file) => {
                counts[file][0] += u64::from(!may_fail);
                counts[file][1] += 1;
            }
        };
        for asked in self.asked.borrow().iter() {
            let record = asked.request.record.borrow();
            // SAFETY: an aiocb.
            let bytes =
                unsafe { core::slice::from_raw_parts(asked.aiocb.get().cast::<u8>(), size_of::<libc::aiocb>()) };
            assert!(bytes.iter().all(|&byte| byte == FORGOTTEN), "the aiocb of {record:?} was touched after its end");
            if asked.is_refused.get() || asked.is_silenced.get() {
                assert!(asked.notification.get() != Told::BySignal(1), "a signal that must not come, for {record:?}");
            } else {
                let is_perhaps_refused =
                    record.result == Some(-i64::from(libc::EAGAIN)) && world.has_refused_thread.get();
                due(asked.notification.get(), is_perhaps_refused, &record);
            }
        }
        for list in self.lists.borrow().iter() {
            due(list.notification.get(), list.is_refused.get(), &list.requests);
        }
        for (index, file) in world.files.borrow().all().enumerate() {
            let (count, [least, most]) = (file.counts[0], counts[index]);
            assert!((least..=most).contains(&count), "eventfd {index} counts {count}, not {least} to {most}");
        }
        let numbers = world.files.borrow().numbers();
        for fd in numbers {
            if let Ok(file) = fd_cache::lookup(fd) {
                let is_idle = |order| order_counts::is_idle(file.identity, order);
                assert!(is_idle(Order::Reading) && is_idle(Order::Writing), "a request of {fd} is counted for ever");
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "it takes minutes")]
fn any_calls_are_as_promised() {
    check(sequence, run);
}
