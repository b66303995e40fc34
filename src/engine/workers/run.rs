//! What a worker does with a job.

use core::sync::atomic::Ordering;

use super::crew::{Crew, Slot};
use super::epoll::Parked;
use super::execute::{self, Attempt};
use super::job::{Job, Task};
use super::nature::Nature;
use crate::engine::operation::{self, CANCELED, Kind, MAX_RW_BYTES, NO_DEVICE};
use crate::engine::read_times;
use crate::host::kernel::{self, Errno};

/// Does what is to be done for a job that the caller owns.
pub fn run(crew: &'static Crew, job: &'static Job, slot: &mut Slot) {
    let task = job.task();
    if task.kind == Kind::Nop || job.is_decided.get() {
        // Its file is still to be closed, which may take time.
        slot.leave();
        return crew.finish(job);
    }
    if !task.may_wait() {
        return finish(crew, job, timed(&task));
    }
    if let Some(result) = run_stream(crew, job, slot) {
        finish(crew, job, result);
    }
}

/// Makes the plain call of what ends by itself, and takes note of how long that took if it is of interest.
fn timed(task: &Task) -> i64 {
    if task.device == NO_DEVICE {
        return execute::blocking(task);
    }
    let start = kernel::now();
    let result = execute::blocking(task);
    let took = kernel::now().saturating_sub(start);
    read_times::note(task.device, result.max(0) as u64, took);
    result
}

fn finish(crew: &Crew, job: &'static Job, result: i64) {
    job.decide(result);
    crew.finish(job);
}

/// Does what may have to wait. The result, unless the job is the caller's no longer.
fn run_stream(crew: &'static Crew, job: &'static Job, slot: &mut Slot) -> Option<i64> {
    let life = job.life();
    let is_poll = job.task().kind == Kind::Poll;
    loop {
        if job.is_to_stop() {
            return Some(CANCELED);
        }
        let task = job.task();
        let events = if is_poll {
            task.events
        } else if execute::has_waiting_options(&task) && !task.nonblocking {
            return run_blocking(crew, job, slot);
        } else {
            match execute::attempt(&task, job) {
                Attempt::Answered(result) => match moved(job, &task, result) {
                    Some(result) => return Some(result),
                    None => continue,
                },
                Attempt::MustWait(events) => events,
                Attempt::MayBlock => return run_blocking(crew, job, slot),
            }
        };
        if task.is_trial {
            return trial(crew, job, events);
        }
        let is_unheard = execute::may_end_unheard(&task);
        job.is_unheard.store(is_unheard, Ordering::Relaxed);
        match crew.epoll.park(job, events) {
            Parked::Waits => {
                if is_unheard {
                    crew.note_unheard();
                }
                // It may have been asked to stop after it was looked at last, and before it could be found parked.
                return (job.is_to_stop() && job.try_claim_in(life)).then_some(CANCELED);
            }
            Parked::Ready(seen) if is_poll => return Some(seen.into()),
            Parked::Ready(_) => {}
            // What cannot be waited for does not make wait, as far as poll(2) knows.
            Parked::Refused(Errno(libc::EPERM)) if !is_poll => return run_blocking(crew, job, slot),
            Parked::Refused(errno) => return Some(errno.negated()),
        }
    }
}

/// Does it in a call that may wait for ever. It cannot be cancelled any more: another thread that broke off the call
/// could not know how much it had moved.
fn run_blocking(crew: &'static Crew, job: &'static Job, slot: &mut Slot) -> Option<i64> {
    let task = job.task();
    if task.is_trial {
        return would_wait(crew, job);
    }
    if slot.is_alone {
        // No other worker would hear what is submitted, for as long as this takes.
        crew.postpone(job);
        return None;
    }
    if !job.commit() {
        return Some(CANCELED);
    }
    slot.leave();
    let mut result = execute::blocking(&task);
    if job.is_registered.get() {
        result = execute::after_wait(&task, result);
    }
    let before = job.moved.get() as i64;
    job.is_broken.set(execute::raises_sigpipe(&task, before > 0, result));
    Some(if before == 0 || result > 0 { before + result } else { before })
}

/// Takes note of what an attempt has moved. The operation's result, unless it is a write that goes on: one that may
/// block moves everything, or meets an error.
fn moved(job: &Job, task: &Task, result: i64) -> Option<i64> {
    let before = job.moved.get();
    if result <= 0 {
        job.is_broken.set(execute::raises_sigpipe(task, before > 0, result));
        return Some(if before > 0 { before as i64 } else { result });
    }
    let now = before + result as usize;
    job.moved.set(now);
    if !task.writes() || task.nonblocking || task.nature == Nature::Device || now >= MAX_RW_BYTES {
        return Some(now as i64);
    }
    let mut rest = *task;
    // SAFETY: the face's copy of the array, which is the engine's to change.
    if unsafe { !operation::advance(rest.kind, &mut rest.address, &mut rest.length, result as usize) } {
        return Some(now as i64);
    }
    // SAFETY: the same.
    unsafe { operation::shorten(rest.kind, rest.address, &mut rest.length, MAX_RW_BYTES - now) };
    job.set_task(rest);
    // It is under way: it is not stopped any more, as if nothing had happened.
    job.commit_now();
    None
}

/// The end of an attempt of a job that must not wait: it is done, or would have to wait for one of these events.
fn trial(crew: &'static Crew, job: &'static Job, events: u32) -> Option<i64> {
    let task = job.task();
    if task.kind == Kind::Poll {
        match kernel::ready(task.fd, events) {
            Ok(0) => {}
            Ok(seen) => return Some(seen.into()),
            Err(errno) => return Some(errno.negated()),
        }
    }
    would_wait(crew, job)
}

fn would_wait(crew: &Crew, job: &'static Job) -> Option<i64> {
    if job.is_to_stop() {
        return Some(CANCELED);
    }
    job.would_wait.set(true);
    crew.finish(job);
    None
}
