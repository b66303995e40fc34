//! Which writes wait for another on the same file, where that is [cheaper](super::write_pace) than carrying them out side
//! by side.
//!
//! A write that waits takes no worker's place. The worker that ends the one before it finds it as the next in the queue,
//! so that no other is woken for it. A write that has been under way for [`STUCK_NS`] holds up no other any longer: if
//! the kernel lets it pass, it passes.

use super::fifo::Fifo;
use super::job::{Job, WritePlace};
use super::write_pace::{Way, WritePace};
use crate::host::kernel::Errno;
use crate::host::memory;

/// When a write has been under way for so long, others on its file go on beside it; and when work that waits for a worker
/// of its class has seen none get free for so long, there is one worker more.
pub const STUCK_NS: u64 = 10_000_000;

/// Files at a time whose writes may wait for each other.
const FILES: usize = 64;

const _: () = assert!(FILES <= 1 << WritePlace::BITS);

struct File {
    /// Which file it is, or was: what was measured of it stays until another takes its place.
    identity: u64,
    pace: WritePace,
    /// Writes that may go and wait for a worker.
    ready: u32,
    /// Writes that workers are at.
    running: u32,
    /// Writes that wait for another.
    held: Fifo,
    /// When a write began or ended last, in nanoseconds.
    moved: u64,
}

impl File {
    const fn new() -> Self {
        Self { identity: 0, pace: WritePace::new(), ready: 0, running: 0, held: Fifo::new(), moved: 0 }
    }

    const fn is_idle(&self) -> bool {
        self.ready + self.running == 0 && self.held.is_empty()
    }

    const fn must_wait(&self, others: u32) -> bool {
        matches!(self.pace.way(), Way::OneAtATime) && others > 0
    }
}

/// The files with writes. Under the queue's lock.
pub struct FileWrites {
    /// As many as `FILES`. Not in line: the thread that makes a crew may have a small stack.
    files: Box<[File]>,
    /// Writes that wait for another.
    held: u32,
    /// When it was last looked for writes that are stuck, in nanoseconds.
    looked: u64,
}

impl FileWrites {
    /// No file.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub fn new() -> Result<Self, Errno> {
        Ok(Self { files: memory::boxed_slice(FILES, File::new)?, held: 0, looked: 0 })
    }

    /// Whether any write waits for another.
    pub const fn holds_any(&self) -> bool {
        self.held > 0
    }

    fn file(&mut self, place: WritePlace) -> &mut File {
        &mut self.files[usize::from(place)]
    }

    /// Takes note of a job that was submitted. False: it waits here.
    pub fn admit(&mut self, job: &'static Job) -> bool {
        job.place.set(None);
        let identity = job.task().written;
        if identity == 0 || job.is_decided.get() {
            return true;
        }
        let number = (identity ^ identity >> 32) as usize % FILES;
        let file = &mut self.files[number];
        if file.identity != identity {
            if !file.is_idle() {
                // Of two files, the second is not measured as long as the first is written.
                return true;
            }
            *file = File { identity, ..File::new() };
        }
        job.place.set(Some(number as WritePlace));
        if file.must_wait(file.ready + file.running) {
            file.held.push(job);
            self.held += 1;
            return false;
        }
        file.ready += 1;
        true
    }

    /// A worker would begin with a job that was admitted. False: it waits here.
    pub fn begin(&mut self, job: &'static Job, now: impl FnOnce() -> u64) -> bool {
        let Some(place) = job.place.get() else { return true };
        let file = self.file(place);
        file.ready -= 1;
        if file.must_wait(file.running) {
            file.held.push(job);
            self.held += 1;
            return false;
        }
        file.running += 1;
        file.moved = now();
        true
    }

    /// A worker has ended one. Those that may go now.
    pub fn end(&mut self, place: Option<WritePlace>, now: impl FnOnce() -> u64) -> Fifo {
        let Some(place) = place else { return Fifo::new() };
        let file = self.file(place);
        file.running -= 1;
        file.moved = now();
        let is_busy = file.ready + file.running > 0 || !file.held.is_empty();
        file.pace.note(file.moved, file.running, is_busy);
        self.release(place)
    }

    /// A job that was admitted is taken back. Those that may go now.
    pub fn withdraw(&mut self, job: &'static Job) -> Fifo {
        let Some(place) = job.place.take() else { return Fifo::new() };
        self.file(place).ready -= 1;
        self.release(place)
    }

    /// Takes a job back that waits here. Whether it does.
    pub fn remove(&mut self, job: &'static Job) -> bool {
        let Some(place) = job.place.get() else { return false };
        let removes = self.file(place).held.remove(job);
        self.held -= u32::from(removes);
        removes
    }

    /// Those that wait for a write that is stuck. It is looked for now and then.
    pub fn release_stuck(&mut self, now: u64) -> Fifo {
        let mut released = Fifo::new();
        if now.saturating_sub(self.looked) < STUCK_NS / 4 {
            return released;
        }
        self.looked = now;
        for number in 0..FILES {
            let file = &mut self.files[number];
            if !file.held.is_empty() && file.running > 0 && now.saturating_sub(file.moved) >= STUCK_NS {
                file.pace.give_up();
                released.append(self.release(number as WritePlace));
            }
        }
        released
    }

    fn release(&mut self, place: WritePlace) -> Fifo {
        let file = self.file(place);
        let mut released = Fifo::new();
        let mut count = 0;
        while !file.must_wait(file.ready + file.running)
            && let Some(job) = file.held.pop()
        {
            file.ready += 1;
            count += 1;
            released.push(job);
        }
        self.held -= count;
        released
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use core::ptr;

    use super::super::blocks::Blocks;
    use super::super::fifo::Fifo;
    use super::super::job::{Job, Jobs, Task};
    use super::super::nature::Nature;
    use super::{FileWrites, STUCK_NS};
    use crate::engine::operation::{Kind, Operation};
    use crate::engine::wake_batch::WakeBatch;

    unsafe fn finish(_: ptr::NonNull<Operation>, _: i64, _: &mut WakeBatch) {}

    fn jobs() -> Jobs {
        // SAFETY: as in the crew.
        Jobs::new(Box::leak(Box::new(unsafe { Blocks::new() })))
    }

    fn write(jobs: &mut Jobs, identity: u64) -> &'static Job {
        let operation = Operation::new(Kind::Write, 0, finish);
        let task = Task { written: identity, ..Task::of(&operation, 0, 0, Nature::File) };
        jobs.take(ptr::null_mut(), task).unwrap_or_else(|_| std::process::abort())
    }

    fn count(mut fifo: Fifo) -> usize {
        core::iter::from_fn(|| fifo.pop()).count()
    }

    #[test]
    fn one_goes_at_a_time_and_other_files_beside_it() {
        let (mut writes, mut jobs) = (FileWrites::new().unwrap(), jobs());
        let (first, second, third) = (write(&mut jobs, 7), write(&mut jobs, 7), write(&mut jobs, 7));
        assert!(writes.admit(first) && !writes.admit(second) && !writes.admit(third));
        let (other, read) = (write(&mut jobs, 8), write(&mut jobs, 0));
        assert!(writes.admit(other) && writes.admit(read));
        assert!(writes.begin(first, || 1) && writes.begin(other, || 1) && writes.begin(read, || 1));
        assert_eq!(count(writes.end(other.place.get(), || 2)), 0);
        let mut next = writes.end(first.place.get(), || 3);
        assert!(next.pop().is_some_and(|job| ptr::eq(job, second)) && next.is_empty());
        assert!(writes.holds_any() && writes.begin(second, || 4));
        assert_eq!(count(writes.end(second.place.get(), || 5)), 1);
        assert!(!writes.holds_any());
    }

    #[test]
    fn what_is_taken_back_leaves_its_place() {
        let (mut writes, mut jobs) = (FileWrites::new().unwrap(), jobs());
        let (first, second, third) = (write(&mut jobs, 7), write(&mut jobs, 7), write(&mut jobs, 7));
        assert!(writes.admit(first) && !writes.admit(second) && !writes.admit(third));
        assert!(writes.remove(second) && !writes.remove(first) && !writes.remove(second));
        let mut next = writes.withdraw(first);
        assert!(next.pop().is_some_and(|job| ptr::eq(job, third)) && next.is_empty());
        assert!(!writes.holds_any());
        // Its end is reported by a worker, whatever else is under way.
        second.decide(-1);
        assert!(writes.admit(second) && second.place.get().is_none());
    }

    #[test]
    fn what_is_stuck_holds_up_no_other() {
        let (mut writes, mut jobs) = (FileWrites::new().unwrap(), jobs());
        let (first, second, third) = (write(&mut jobs, 7), write(&mut jobs, 7), write(&mut jobs, 7));
        assert!(writes.admit(first) && !writes.admit(second) && !writes.admit(third));
        assert!(writes.begin(first, || STUCK_NS));
        assert_eq!(count(writes.release_stuck(2 * STUCK_NS - 1)), 0);
        assert_eq!(count(writes.release_stuck(3 * STUCK_NS)), 2);
        assert!(writes.begin(second, || 3 * STUCK_NS) && writes.begin(third, || 3 * STUCK_NS));
        // From then on they go side by side.
        assert!(writes.admit(write(&mut jobs, 7)) && !writes.holds_any());
    }

    #[test]
    fn two_files_of_one_place_do_not_wait_for_each_other() {
        let (mut writes, mut jobs) = (FileWrites::new().unwrap(), jobs());
        let (first, other) = (write(&mut jobs, 7), write(&mut jobs, 7 + super::FILES as u64));
        assert!(writes.admit(first) && writes.admit(other) && other.place.get().is_none());
        let (again, after) = (write(&mut jobs, 7), write(&mut jobs, 7));
        assert!(writes.begin(first, || 1) && writes.begin(other, || 1) && !writes.admit(again));
        assert_eq!(count(writes.end(first.place.get(), || 2)), 1);
        assert_eq!(count(writes.withdraw(again)), 0);
        assert!(writes.admit(after));
    }
}
