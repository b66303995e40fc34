//! libaio on the simulated kernel ([`crate::engine::simulated`]): any sequence of calls, and each answer as the manual pages
//! and the documentation of this library promise it.
//!
//! The model knows what the program can know: which requests it has submitted, that each has one event with its data and a
//! true result, which bytes are moved, which order is promised, when there is room, whether a wait may go on, and what is due
//! from an eventfd. The kernel's own AIO is not simulated: it has no room for a context, so the library carries them all.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use core::cell::RefCell;
use core::ptr;

use super::calls::dispatch::{self, Caller, GetEvents};
use super::calls::io_setup;
use super::completion;
use super::iocb::{Iocb, RESFD};
use super::ring::layout::Event;
use crate::engine::simulated::check;
use crate::engine::simulated::program::{self, Common, Step};
use crate::engine::simulated::request::{FORGOTTEN, Request};
use crate::engine::simulated::step::drain_threads;
use crate::engine::simulated::world::{Program, World};
use crate::engine::{Kind, Operation, Order};
use crate::host::kernel::Errno;
use crate::submission::fd_cache;

#[derive(Clone, Copy, Debug)]
enum Call {
    /// `io_submit`.
    Submit,
    /// `io_getevents`.
    GetEvents,
    Cancel,
    /// `io_destroy`.
    Destroy,
    Other(Common),
}

/// The program's side of a request.
struct Asked {
    iocb: Box<Iocb>,
    request: &'static Request,
    /// The address of its context; 0 where it was not taken.
    context: usize,
    eventfd: Option<usize>,
    /// `io_cancel` has said that it is stopped.
    is_stopped: bool,
    has_event: bool,
}

/// A context.
#[derive(Clone, Copy)]
struct Context {
    address: usize,
    /// What `io_setup` was asked for.
    room: usize,
}

/// A run of the program.
struct Play {
    world: &'static World,
    asked: RefCell<Vec<Asked>>,
    contexts: RefCell<Vec<Context>>,
    /// Bytes that `io_getevents` writes events to, and bytes behind them.
    events: RefCell<Vec<Event>>,
}

const PROGRAM: Program = Program { handle, told: None, signalled: |_| panic!("a signal") };
const MOST_CONTEXTS: usize = 2;
const MOST_EVENTS: usize = 8;

fn handle(operation: &Operation) -> usize {
    completion::request_of(operation).expect("a request").object as usize
}

fn sequence(seed: u64) -> Vec<Step<Call>> {
    const CALLS: [Call; 24] = {
        let mut calls = [Call::Submit; 24];
        let mut index = 13;
        while index < 20 {
            calls[index] = Call::GetEvents;
            index += 1;
        }
        (calls[20], calls[21], calls[22], calls[23]) = (Call::Cancel, Call::Cancel, Call::Cancel, Call::Destroy);
        calls
    };
    program::sequence(seed, &CALLS, Call::Other)
}

fn run(steps: &[Step<Call>]) -> usize {
    let common = |call: &Call| if let Call::Other(what) = *call { Some(what) } else { None };
    let world = program::begin(PROGRAM, steps, common, |fd| fd_cache::lookup(fd).unwrap().device);
    let nothing = Event { data: 0, object: 0, result: 0, result2: 0 };
    let play = Play {
        world,
        asked: RefCell::default(),
        contexts: RefCell::default(),
        events: RefCell::new(vec![nothing; MOST_EVENTS + 1]),
    };
    for step in steps {
        world.random.reseed(step.number.into());
        match step.call {
            Call::Submit => play.submit(),
            Call::GetEvents => play.get_events(),
            Call::Cancel => play.cancel(),
            Call::Destroy => play.destroy(),
            Call::Other(what) => program::happen(world, what),
        }
    }
    play.end();
    let count = world.requests.borrow().len();
    world.end();
    count
}

impl Play {
    /// One of the contexts, or one more.
    fn context(&self) -> Option<Context> {
        let random = &self.world.random;
        let known = self.contexts.borrow().len();
        if known > 0 && (known == MOST_CONTEXTS || !random.one_in(8)) {
            return Some(self.contexts.borrow()[random.below(known)]);
        }
        let room = random.of(&[1, 2, 8, 64]);
        let mut address = 0usize;
        match io_setup::set_up(room, (&raw mut address).expose_provenance(), || ()) {
            Ok(_) => {
                let context = Context { address, room: room as usize };
                self.contexts.borrow_mut().push(context);
                Some(context)
            }
            Err(errno) => {
                let is_due = errno == Errno(libc::EAGAIN) || errno == Errno(libc::ENOMEM);
                assert!(is_due && self.world.has_refused_thread.get(), "io_setup answers {errno:?}");
                None
            }
        }
    }

    /// Makes a request and its iocb. Its number.
    fn make(&self) -> usize {
        let mut wanted = program::draw(self.world);
        if matches!(wanted.kind, Kind::Sync | Kind::DataSync) {
            // It waits for nothing, as the kernel's.
            wanted.order = Order::Free;
        } else if wanted.order != Order::Counted {
            // A transfer of no bytes is no transfer of a stream's.
            wanted.lengths[0] += 1;
        }
        let (eventfd, kind, fd) = (wanted.eventfd, wanted.kind, wanted.fd);
        let request = self.world.add(wanted);
        let number = self.asked.borrow().len();
        let mut record = request.record.borrow_mut();
        let opcode = match kind {
            Kind::Read => 0,
            Kind::Write => 1,
            Kind::Sync => 2,
            Kind::DataSync => 3,
            Kind::ReadVector => 7,
            _ => 8,
        };
        let is_sync = !kind.is_transfer();
        let iocb = Box::new(Iocb {
            data: number as u64,
            key: 77,
            rw_flags: 0,
            opcode,
            priority: 0,
            fd,
            buffer: if is_sync { 0 } else { record.address as u64 },
            length: if is_sync { 0 } else { record.length as u64 },
            offset: if is_sync { 0 } else { record.offset },
            reserved2: 0,
            flags: if eventfd.is_some() { RESFD } else { 0 },
            resfd: eventfd.map_or(0, |eventfd| eventfd.1),
        });
        record.handle = ptr::from_ref(&*iocb).expose_provenance();
        let eventfd = eventfd.map(|eventfd| eventfd.0);
        self.asked.borrow_mut().push(Asked { iocb, request, context: 0, eventfd, is_stopped: false, has_event: false });
        number
    }

    /// The requests of a context whose event was not taken.
    fn open(&self, context: Context) -> Vec<usize> {
        let asked = self.asked.borrow();
        (0..asked.len())
            .filter(|&number| asked[number].context == context.address && !asked[number].has_event)
            .collect()
    }

    fn submit(&self) {
        let Some(context) = self.context() else { return };
        let random = &self.world.random;
        let before = self.open(context).len();
        let numbers: Vec<usize> = (0..=random.below(4)).map(|_| self.make()).collect();
        let list: Vec<usize> =
            numbers.iter().map(|&number| self.asked.borrow()[number].request.record.borrow().handle).collect();
        let answer = dispatch::io_submit(context.address, list.len() as isize, list.as_ptr().expose_provenance());
        let taken = answer.unwrap_or(0);
        for (place, &number) in numbers.iter().enumerate() {
            let asked = &mut self.asked.borrow_mut()[number];
            if place < taken {
                asked.context = context.address;
            } else {
                asked.has_event = true;
                self.forget(asked, -i64::from(libc::EAGAIN));
            }
        }
        if taken < numbers.len() {
            let is_full = before + taken >= context.room;
            let refused = answer.err().unwrap_or(Errno(libc::EAGAIN));
            let is_due = is_full || self.world.has_refused_thread.get();
            assert!(
                is_due,
                "io_submit has taken {taken} of {numbers:?} beside {before} of {}: {refused:?}",
                context.room
            );
            assert!(
                refused == Errno(libc::EAGAIN) || self.world.has_refused_thread.get(),
                "io_submit answers {refused:?}"
            );
        }
    }

    /// A request is over, of whose end the program is not told.
    fn forget(&self, asked: &Asked, result: i64) {
        asked.request.record.borrow_mut().result = Some(result);
        self.world.forget(asked.request);
    }

    fn get_events(&self) {
        let random = &self.world.random;
        let known = self.contexts.borrow().len();
        if known == 0 {
            return;
        }
        let context = self.contexts.borrow()[random.below(known)];
        let open = self.open(context).len();
        let most = random.below(MOST_EVENTS + 1);
        let least = random.below(most.min(3) + 1);
        let time =
            libc::timespec { tv_sec: 0, tv_nsec: if random.one_in(2) { 0 } else { random.below(300_000) as i64 } };
        // More than there will be is waited for only for a while.
        let waits = least <= open && random.one_in(2);
        self.take(context, [least, most], if waits { None } else { Some(&time) });
    }

    /// Takes events. How many.
    fn take(&self, context: Context, [least, most]: [usize; 2], time: Option<&libc::timespec>) -> usize {
        let caller = if self.world.random.one_in(2) { Caller::Function } else { Caller::Raw };
        let events = self.events.borrow_mut().as_mut_ptr().expose_provenance();
        let timeout = time.map_or(0, |time| ptr::from_ref(time).expose_provenance());
        let call = GetEvents { context: context.address, min: least as isize, most: most as isize, events, timeout };
        let got = dispatch::io_getevents(caller, call).expect("io_getevents");
        assert!(got <= most && (got >= least || time.is_some()), "io_getevents of {least} to {most} gives {got}");
        for place in 0..got {
            let Event { data, object, result, result2 } = self.events.borrow()[place];
            let asked = &mut self.asked.borrow_mut()[data as usize];
            let record = asked.request.record.borrow();
            assert!(
                object as usize == record.handle && result2 == 0,
                "an event of {record:?} for {object:#x}, {result2}"
            );
            assert!(asked.context == context.address, "an event of {record:?} comes in another context");
            assert!(!asked.has_event, "a second event of {record:?}");
            assert!(!asked.is_stopped || result == -i64::from(libc::ECANCELED), "{record:?} was stopped: {result}");
            drop(record);
            asked.has_event = true;
            asked.request.ended(self.world, result);
            self.world.forget(asked.request);
            // SAFETY: an iocb is numbers; it is the program's again.
            unsafe { ptr::from_mut(&mut *asked.iocb).cast::<u8>().write_bytes(FORGOTTEN, size_of::<Iocb>()) };
        }
        got
    }

    fn cancel(&self) {
        let random = &self.world.random;
        let count = self.asked.borrow().len();
        if count == 0 {
            return;
        }
        let number = count - 1 - random.below(count.min(16));
        let (context, iocb) = {
            let asked = &self.asked.borrow()[number];
            if asked.has_event {
                return;
            }
            let mut record = asked.request.record.borrow_mut();
            record.asked.push(libc::ECANCELED.into());
            (asked.context, record.handle)
        };
        match dispatch::io_cancel(context, iocb, 0) {
            Err(Errno(libc::EINPROGRESS)) => self.asked.borrow_mut()[number].is_stopped = true,
            Err(Errno(libc::EINVAL)) => {}
            other => panic!("io_cancel answers {other:?}"),
        }
    }

    fn destroy(&self) {
        let known = self.contexts.borrow().len();
        if known == 0 {
            return;
        }
        let context = self.contexts.borrow_mut().swap_remove(self.world.random.below(known));
        let open = self.open(context);
        for &number in &open {
            // What may wait for ever is stopped.
            self.asked.borrow()[number].request.record.borrow_mut().asked.push(libc::ECANCELED.into());
        }
        assert_eq!(dispatch::io_destroy(context.address), Ok(0), "io_destroy");
        // From here on no buffer is touched: what is not over fails as it is issued or done.
        for number in open {
            let asked = &mut self.asked.borrow_mut()[number];
            asked.has_event = true;
            self.forget(asked, -i64::from(libc::ECANCELED));
        }
    }

    /// Everything ends, and the program was told of all as it asked.
    fn end(&self) {
        let world = self.world;
        world.is_calm.set(true);
        while world.pump_all() {}
        let contexts = self.contexts.borrow().clone();
        for context in contexts {
            let open = self.open(context);
            let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            let mut got = 0;
            while got < open.len() {
                let more = self.take(context, [0, MOST_EVENTS], Some(&now));
                assert!(more > 0, "{} events never come, of {:?}", open.len() - got, self.open(context));
                got += more;
            }
            assert_eq!(dispatch::io_destroy(context.address), Ok(0), "io_destroy");
        }
        assert!(world.open.borrow().is_empty());
        drain_threads(world);
        let mut counts: Vec<u64> = world.files.borrow().all().map(|_| 0).collect();
        for asked in self.asked.borrow().iter().filter(|asked| asked.context != 0) {
            asked.eventfd.into_iter().for_each(|file| counts[file] += 1);
        }
        let counted: Vec<u64> = world.files.borrow().all().map(|file| file.counts[0]).collect();
        assert_eq!(counted, counts, "the eventfds' counts, and what they are to be");
    }
}

#[test]
#[cfg_attr(miri, ignore = "it takes minutes")]
fn any_calls_are_as_promised() {
    check(sequence, run);
}
