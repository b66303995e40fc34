//! What the program does: a sequence of calls and pauses, made from a seed. Every choice in a step comes from the step's own
//! number, so that a sequence from which others were removed still means much the same.

use core::ptr::NonNull;

use super::files::{EVENTFDS, Nature, REGULAR, STREAMS};
use super::random::Random;
use super::request::{Request, Wanted};
use super::world::{World, close_ring, world};
use crate::engine::cancel::Matcher;
use crate::engine::operation::{Kind, Operation, Order};
use crate::engine::{Carrier, Engine, chain, end_here, engines};
use crate::host::descriptors;
use crate::host::kernel::Errno;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Some requests at once.
    Submit,
    /// The others go on.
    Run,
    Cancel,
    Count,
    Close,
    /// What is kept is closed.
    LetGo,
    /// More than a second passes.
    Idle,
    LoseRing,
    CloseRing,
}

#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub call: Call,
    pub number: u32,
}

/// A sequence.
pub fn sequence(seed: u64) -> Vec<Step> {
    const CALLS: [Call; 40] = {
        let mut calls = [Call::Submit; 40];
        let mut index = 16;
        while index < 32 {
            calls[index] = Call::Run;
            index += 1;
        }
        (calls[32], calls[33], calls[34]) = (Call::Cancel, Call::Cancel, Call::Cancel);
        (calls[35], calls[36]) = (Call::Close, Call::Close);
        (calls[37], calls[38], calls[39]) = (Call::Count, Call::LetGo, Call::Idle);
        calls
    };
    let random = Random::new(seed);
    let length = 20 + random.below(200);
    let mut steps: Vec<Step> =
        (0..length).map(|_| Step { call: random.of(&CALLS), number: random.next() as u32 }).collect();
    if random.one_in(4) {
        let call = random.of(&[Call::LoseRing, Call::CloseRing]);
        steps[random.below(length)] = Step { call, number: random.next() as u32 };
    }
    steps
}

/// Runs a sequence to its end, and looks whether all is as it should be. How many requests there were.
///
/// # Panics
/// Something is not.
pub fn run(steps: &[Step]) -> usize {
    let loses = steps.iter().any(|step| matches!(step.call, Call::LoseRing | Call::CloseRing));
    let world = World::begin(steps.len() as u64, None);
    world.closes_eventfds.set(!loses);
    for step in steps {
        world.random.reseed(step.number.into());
        match step.call {
            Call::Submit => submit(world),
            Call::Run => (0..=world.random.below(24)).for_each(|_| _ = world.pump()),
            Call::Cancel => cancel(world),
            Call::Count => count(world),
            Call::Close => close(world),
            Call::LetGo => engines::let_go(-1),
            Call::Idle => world.pass_time(1_500_000_000),
            Call::LoseRing => world.lose_ring(),
            Call::CloseRing => close_ring(),
        }
    }
    drain(world);
    let count = world.requests.borrow().len();
    world.end();
    count
}

fn submit(world: &'static World) {
    let random = &world.random;
    let Some(engines) = engines::started() else {
        // As a call of the program's does first.
        let _ = engines::all().find(|engine| engine.serve());
        return;
    };
    let carrier = if random.one_in(2) { Carrier::Uring } else { Carrier::Workers };
    if random.one_in(6) {
        // By itself, as `aio_fsync` does it.
        let (order, engine) = match carrier {
            Carrier::Uring => (Order::BarrierEverywhere, engines.for_sync()),
            Carrier::Workers => (Order::Barrier, engines.workers()),
        };
        let request = make(world, carrier, Some(order)).operation();
        return push(engine, request, request);
    }
    let engine = if carrier == Carrier::Uring { engines.uring_or_workers() } else { engines.workers() };
    let most = if random.one_in(16) { 40 } else { 4 };
    let (mut newest, mut oldest) = (None::<NonNull<Operation>>, None);
    for _ in 0..=random.below(most) {
        let request = make(world, carrier, None).operation();
        if let Some(older) = newest {
            // SAFETY: both stay until the end of the simulation.
            unsafe { chain(older, request) };
        }
        newest = Some(request);
        oldest = oldest.or(newest);
    }
    if let (Some(newest), Some(oldest)) = (newest, oldest) {
        push(engine, newest, oldest);
    }
}

fn push(engine: Result<&'static Engine, Errno>, newest: NonNull<Operation>, oldest: NonNull<Operation>) {
    // SAFETY: requests stay, and their buffers with them.
    unsafe {
        match engine {
            Ok(engine) => engine.submit_chain(newest, oldest),
            Err(_) => end_here(newest, oldest),
        }
    }
}

/// A request of those that the router would send to this engine.
fn make(world: &'static World, carrier: Carrier, barrier: Option<Order>) -> &'static Request {
    const TRANSFERS: [Kind; 4] = [Kind::Read, Kind::Write, Kind::ReadVector, Kind::WriteVector];
    let random = &world.random;
    let is_uring = carrier == Carrier::Uring;
    let (kind, order, file) = match random.below(if is_uring { 12 } else { 20 }) {
        _ if barrier.is_some() => {
            (random.of(&[Kind::Sync, Kind::DataSync]), barrier.unwrap_or(Order::Barrier), random.below(REGULAR))
        }
        0 => (Kind::Nop, Order::Free, 0),
        1 if !is_uring => (random.of(&[Kind::Sync, Kind::DataSync]), Order::Free, random.below(REGULAR)),
        1..8 => (random.of(&TRANSFERS), Order::Free, random.below(REGULAR)),
        8..12 => (random.of(&TRANSFERS), Order::Counted, random.below(REGULAR)),
        12 => (Kind::Poll, Order::Free, REGULAR + random.below(STREAMS)),
        13..15 => (random.of(&[Kind::Write, Kind::WriteVector]), Order::Writing, random.below(REGULAR)),
        15..18 => (random.of(&[Kind::Write, Kind::WriteVector]), Order::Writing, REGULAR + random.below(STREAMS)),
        _ => (random.of(&[Kind::Read, Kind::ReadVector]), Order::Reading, REGULAR + random.below(STREAMS)),
    };
    let is_regular = world.files.borrow_mut().file(file).nature == Nature::Regular;
    let pieces = if kind.has_vector() { 1 + random.below(3) } else { 1 };
    let fd = world.descriptor_of(file);
    let eventfd = random.one_in(3).then(|| world.any_eventfd());
    let wanted = Wanted {
        kind,
        order,
        carrier,
        file,
        fd,
        offset: if is_regular && order != Order::Writing { random.below(200) as i64 } else { 0 },
        nowait: kind.is_transfer() && random.one_in(12),
        tries: is_regular && !random.one_in(4),
        lengths: (0..pieces).map(|_| random.below(48)).collect(),
        eventfd,
        partially_done: random.one_in(24),
    };
    world.add(wanted)
}

/// Which requests a call means: all on a descriptor, or one of so many. Those that the engine finds are noted as asked for.
fn is_meant(operation: &Operation, &[fd, share, errno]: &[usize; 3]) -> bool {
    if operation.is_internal {
        return false;
    }
    let request = Request::of(NonNull::from(operation));
    let mut record = request.record.borrow_mut();
    let is_meant = record.is_meant(fd as i32, share);
    if is_meant {
        if errno != 0 {
            record.asked.push(errno as i64);
        }
        world().matched.borrow_mut().push(request);
    }
    is_meant
}

fn is_asked_for(request: &Request, &Matcher { arguments: [fd, share, _], .. }: &Matcher) -> bool {
    request.record.borrow().is_meant(fd as i32, share)
}

fn matcher(world: &World, errno: i32) -> Matcher {
    let random = &world.random;
    let fd = world.files.borrow().any_descriptor(|open| random.below(open));
    let share = if random.one_in(2) { 0 } else { 1 + random.below(8) };
    world.matched.borrow_mut().clear();
    Matcher { test: is_meant, arguments: [fd as usize, share, errno as usize] }
}

fn cancel(world: &'static World) {
    let errno = world.random.of(&[libc::ECANCELED, libc::ECANCELED, libc::ETIMEDOUT]);
    let matcher = matcher(world, errno);
    let before: Vec<&Request> =
        world.open.borrow().iter().copied().filter(|request| is_asked_for(request, &matcher)).collect();
    let asked = |request: &Request| request.record.borrow().asked.len();
    let counts: Vec<usize> = before.iter().map(|request| asked(request)).collect();
    for engine in engines::running() {
        world.matched.borrow_mut().clear();
        let outcome = engine.stop(matcher, Errno(errno));
        let matched = world.matched.borrow();
        assert_eq!((outcome.canceled + outcome.refused) as usize, matched.len(), "{outcome:?} of {}", matched.len());
        let stopped = matched.iter().filter(|request| request.record.borrow().is_stopped()).count();
        assert!(outcome.canceled as usize <= stopped, "{outcome:?}, but {stopped} were stopped");
    }
    for (request, count) in before.into_iter().zip(counts) {
        let is_open = request.record.borrow().result.is_none();
        assert!(!is_open || asked(request) > count, "no engine has found {:?}", request.record.borrow());
    }
}

fn count(world: &'static World) {
    let matcher = matcher(world, 0);
    for engine in engines::running() {
        world.matched.borrow_mut().clear();
        assert_eq!(engine.count(matcher) as usize, world.matched.borrow().len());
    }
}

/// A descriptor is closed, and perhaps its number given to another file.
pub fn close(world: &'static World) {
    let random = &world.random;
    let fd = world.files.borrow().any_descriptor(|open| random.below(open));
    let is_of_many = world.files.borrow().is_one_of_many(fd);
    let file = world.files.borrow().named(fd);
    let is_eventfd = file.is_some_and(|file| world.files.borrow_mut().file(file).nature == Nature::Eventfd);
    if is_of_many && (!is_eventfd || world.closes_eventfds.get()) {
        descriptors::before_close(fd);
        for request in world.open.borrow().iter() {
            let mut record = request.record.borrow_mut();
            record.is_gone |= record.fd == fd;
        }
        world.files.borrow_mut().close(fd);
        descriptors::after_close(fd);
    }
    if random.one_in(2) {
        let file = random.below(REGULAR + STREAMS + EVENTFDS);
        world.files.borrow_mut().open(file);
    }
}

/// Everything ends: nothing is held back for ever.
fn drain(world: &'static World) {
    world.is_calm.set(true);
    while world.pump_all() {}
    let open = world.open.borrow().len();
    assert!(open == 0, "{open} requests never end; the first is {:?}", world.open.borrow()[0].record.borrow());
    drain_threads(world);
    let counts: Vec<_> = world.files.borrow().all().map(|file| file.counts).collect();
    assert!(
        counts.iter().all(|counts| counts[0] == counts[1]),
        "the eventfds' counts, and what they are to be: {counts:?}"
    );
    for request in world.requests.borrow().iter() {
        assert!(request.is_forgotten(), "{:?} was touched after its end", request.record.borrow());
    }
}

/// The threads end, and hold nothing; and the files are as they should be.
///
/// # Panics
/// They are not.
pub fn drain_threads(world: &'static World) {
    for _ in 0..4 {
        world.pass_time(2_000_000_000);
        while world.pump_all() {}
    }
    assert!(world.is_at_rest(), "a thread stays with nothing to do");
    for (index, file) in world.files.borrow().all().enumerate() {
        assert!(file.bytes == file.expected, "file {index} has other bytes than were written");
    }
}
