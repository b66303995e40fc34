//! A device in the place of the workers: plain calls that end in any order, files that are kept and closed late.

use core::ptr::NonNull;
use std::collections::VecDeque;

use super::moved::Seen;
use super::request::{By, Request};
use super::world::{World, world};
use crate::engine::device::{Device, Event, Name, Verdict};
use crate::engine::fixed_files::FixedFile;
use crate::engine::operation::{CANCELED, Operation};
use crate::host::kernel::Errno;

/// What the reactor has of it.
pub struct Workers;

/// What a worker has.
struct Job {
    operation: NonNull<Operation>,
    /// What is to be done; none where a file is closed, and the result is known.
    seen: Result<Seen, i64>,
    held: Option<FixedFile>,
    /// The attempt to stop it.
    asked: Option<u64>,
}

/// What the simulation has of it.
#[derive(Default)]
pub struct Crew {
    table: Vec<Option<usize>>,
    jobs: Vec<Job>,
    pub events: VecDeque<Event>,
    /// The doorbell was notified since the last turn.
    pub is_called: bool,
}

const MAX_KEPT: u32 = 2;

impl Crew {
    fn hold(&mut self, file: usize) -> FixedFile {
        let free = self.table.iter().position(Option::is_none).unwrap_or_else(|| {
            self.table.push(None);
            self.table.len() - 1
        });
        self.table[free] = Some(file);
        FixedFile::new(free as u32)
    }

    fn release(&mut self, file: FixedFile) {
        assert!(self.table[file.slot() as usize].take().is_some(), "{file:?} is released twice");
    }

    pub fn held(&self) -> usize {
        self.table.iter().flatten().count()
    }

    /// A worker is done with something. Whether there was anything.
    pub fn progress(&mut self, world: &World) -> bool {
        if self.jobs.is_empty() {
            return false;
        }
        let random = &world.random;
        let Job { operation, seen, held, asked } = self.jobs.swap_remove(random.below(self.jobs.len()));
        if let Some(held) = held {
            self.release(held);
        }
        let result = seen.map_or_else(
            |result| result,
            |seen| {
                let request = Request::of(operation);
                let fails = [libc::EIO, libc::EAGAIN, libc::EINTR, libc::ENOSPC, libc::EACCES, libc::EOPNOTSUPP];
                match random.below(16) {
                    0 => request.refuse(By::Worker, -i64::from(random.of(&fails))),
                    1 => request.perform(world, By::Worker, seen, random.below(40)),
                    _ => request.perform(world, By::Worker, seen, usize::MAX),
                }
            },
        );
        let says_first = random.one_in(2);
        if let Some(ticket) = asked
            && says_first
        {
            self.events.push_back(Event::NotStopped(ticket));
        }
        self.events.push_back(Event::Done(operation, result));
        if let Some(ticket) = asked
            && !says_first
        {
            self.events.push_back(Event::NotStopped(ticket));
        }
        true
    }

    fn file(&self, world: &World, operation: &Operation) -> Option<usize> {
        match operation.held {
            Some(held) => self.table[held.slot() as usize],
            None => world.files.borrow().named(operation.fd),
        }
    }
}

impl Device for Workers {
    fn has_room(&self) -> bool {
        true
    }

    fn in_flight(&self) -> usize {
        world().crew.borrow().jobs.len()
    }

    fn issue(&mut self, mut operation: NonNull<Operation>, _: bool) {
        let world = world();
        let mut crew = world.crew.borrow_mut();
        // SAFETY: reactor-owned.
        let this = unsafe { operation.as_mut() };
        let Some(file) = crew.file(world, this) else {
            Request::of(operation).refuse(By::Worker, -i64::from(libc::EBADF));
            return crew.events.push_back(Event::Done(operation, -i64::from(libc::EBADF)));
        };
        // As where the table of descriptors is full.
        if !world.is_calm.get() && world.random.one_in(48) {
            let refused = -i64::from(libc::EMFILE);
            Request::of(operation).refuse(By::Worker, refused);
            return crew.events.push_back(Event::Done(operation, refused));
        }
        let seen = Seen { kind: this.kind, address: this.address, length: this.length, offset: this.offset, file };
        let held = this.held.take().unwrap_or_else(|| crew.hold(file));
        Request::of(operation).issued(world);
        crew.jobs.push(Job { operation, seen: Ok(seen), held: Some(held), asked: None });
    }

    fn judge(&self, _: &Operation, result: i64) -> Verdict {
        Verdict::Finish(result)
    }

    fn cancel(&mut self, operation: NonNull<Operation>, ticket: u64) {
        let world = world();
        let mut crew = world.crew.borrow_mut();
        let index = crew.jobs.iter().position(|job| job.operation == operation && job.seen.is_ok());
        match (index, world.random.below(3)) {
            (Some(index), 0) => {
                let job = crew.jobs.swap_remove(index);
                job.held.into_iter().for_each(|held| crew.release(held));
                Request::of(operation).refuse(By::Worker, CANCELED);
                crew.events.push_back(Event::Done(operation, CANCELED));
            }
            (Some(index), 1) if crew.jobs[index].asked.is_none() => crew.jobs[index].asked = Some(ticket),
            _ => crew.events.push_back(Event::NotStopped(ticket)),
        }
    }

    fn hold_file(&mut self, fd: i32, _: Option<Name>) -> Result<FixedFile, Errno> {
        let world = world();
        if !world.is_calm.get() && world.random.one_in(24) {
            world.has_refused_file.set(true);
            return Err(Errno(libc::ENFILE));
        }
        let file = world.files.borrow().named(fd).ok_or(Errno(libc::EBADF))?;
        Ok(world.crew.borrow_mut().hold(file))
    }

    fn release_file(&mut self, file: FixedFile) {
        world().crew.borrow_mut().release(file);
    }

    fn release_first(&mut self, file: FixedFile, operation: NonNull<Operation>, result: i64) -> bool {
        let world = world();
        let mut crew = world.crew.borrow_mut();
        if world.random.one_in(2) {
            crew.release(file);
            return false;
        }
        crew.jobs.push(Job { operation, seen: Err(result), held: Some(file), asked: None });
        true
    }

    fn close_kept(&mut self, _: i32, command: NonNull<Operation>) -> u32 {
        let world = world();
        let closing = world.random.below(MAX_KEPT as usize + 1) as u32;
        let job = || Job { operation: command, seen: Err(0), held: None, asked: None };
        world.crew.borrow_mut().jobs.extend((0..closing).map(|_| job()));
        closing
    }

    fn signal_eventfd(&mut self, file: FixedFile, count: u32) {
        let world = world();
        let mut crew = world.crew.borrow_mut();
        let named = crew.table[file.slot() as usize].expect("an eventfd that is held");
        world.signal(named, count.into());
        crew.events.push_back(Event::Signalled(file, count));
    }

    fn flush(&mut self) {}

    fn next(&mut self) -> Option<Event> {
        world().crew.borrow_mut().events.pop_front()
    }

    fn is_idle(&self) -> bool {
        let crew = world().crew.borrow();
        crew.jobs.is_empty() && crew.events.is_empty()
    }
}
