//! What the simulated programs of both faces have in common: the requests that they make, and the calls beside the face's own.

use super::files::{ALL_REGULAR, DIRECT, Files, Nature, REGULAR, STREAMS};
use super::random::Random;
use super::request::Wanted;
use super::step;
use super::world::{Program, World, close_ring};
use crate::engine::operation::{Kind, Order};
use crate::engine::{Carrier, device_times, engines};

/// A call or an event, by the number of which all in it is chosen.
#[derive(Clone, Copy, Debug)]
pub struct Step<C> {
    pub call: C,
    pub number: u32,
}

/// What happens in the program of either face.
#[derive(Clone, Copy, Debug)]
pub enum Common {
    /// The others go on.
    Run,
    /// A descriptor is closed, or opened.
    Close,
    /// What is kept is closed.
    LetGo,
    /// More than a second passes.
    Idle,
    LoseRing,
    CloseRing,
}

/// A sequence: calls of the face's own half of the time, or one of the others.
pub fn sequence<C: Copy>(seed: u64, own: &[C], common: fn(Common) -> C) -> Vec<Step<C>> {
    use Common::{Close, CloseRing, Idle, LetGo, LoseRing, Run};
    const OTHERS: [Common; 16] =
        [Run, Run, Run, Run, Run, Run, Run, Run, Run, Run, Run, Close, Close, Close, LetGo, Idle];
    let random = Random::new(seed);
    let length = 20 + random.below(200);
    let step = |call| Step { call, number: random.next() as u32 };
    let mut steps: Vec<_> =
        (0..length).map(|_| step(if random.one_in(2) { random.of(own) } else { common(random.of(&OTHERS)) })).collect();
    if random.one_in(4) {
        steps[random.below(length)] = step(common(random.of(&[LoseRing, CloseRing])));
    }
    steps
}

/// The process in which steps are to be run. `device` says which device is known of a descriptor.
pub fn begin<C>(
    program: Program,
    steps: &[Step<C>],
    common: impl Fn(&C) -> Option<Common>,
    device: impl Fn(i32) -> u8,
) -> &'static World {
    let world = World::begin(steps.len() as u64, Some(program));
    let loses = |step: &Step<C>| matches!(common(&step.call), Some(Common::LoseRing | Common::CloseRing));
    world.closes_eventfds.set(!steps.iter().any(loses));
    // What is known of devices is no process's state.
    let direct = world.files.borrow().descriptor(DIRECT);
    let device = device(direct);
    device_times::forget(device);
    device_times::set_immediate(device, steps.first().is_some_and(|step| step.number.is_multiple_of(4)));
    world
}

/// Lets it happen.
pub fn happen(world: &'static World, what: Common) {
    match what {
        Common::Run => (0..=world.random.below(24)).for_each(|_| _ = world.pump()),
        Common::Close => step::close(world),
        Common::LetGo => engines::let_go(-1),
        Common::Idle => world.pass_time(1_500_000_000),
        Common::LoseRing => world.lose_ring(),
        Common::CloseRing => close_ring(),
    }
}

/// A request on any file, a sync or a transfer, with buffers of its own.
pub fn draw(world: &World) -> Wanted {
    const TRANSFERS: [Kind; 6] =
        [Kind::Read, Kind::Write, Kind::Read, Kind::Write, Kind::ReadVector, Kind::WriteVector];
    let random = &world.random;
    let is_sync = random.one_in(10);
    let kind = if is_sync { random.of(&[Kind::Sync, Kind::DataSync]) } else { random.of(&TRANSFERS) };
    let file = if !is_sync && random.one_in(4) {
        REGULAR + random.below(STREAMS)
    } else {
        Files::regular(random.below(ALL_REGULAR))
    };
    let is_regular = world.files.borrow_mut().file(file).nature == Nature::Regular;
    let flags = Files::traits(file).flags;
    let order = match (is_sync, is_regular, kind.writes()) {
        (true, ..) => Order::BarrierEverywhere,
        (_, true, true) if flags & libc::O_APPEND != 0 => Order::Writing,
        (_, true, _) => Order::Counted,
        (_, false, true) => Order::Writing,
        (_, false, false) => Order::Reading,
    };
    let pieces = if kind.has_vector() { 1 + random.below(3) } else { 1 };
    let longest = if random.one_in(8) { 1 } else { 48 };
    Wanted {
        kind,
        order,
        carrier: Carrier::Workers,
        file,
        fd: world.descriptor_of(file),
        offset: if is_regular { random.below(200) as i64 } else { 0 },
        nowait: false,
        // A write through the page cache.
        tries: is_regular && kind.writes() && flags & libc::O_DIRECT == 0,
        lengths: (0..pieces).map(|_| random.below(longest)).collect(),
        eventfd: random.one_in(4).then(|| world.any_eventfd()),
        partially_done: false,
    }
}
