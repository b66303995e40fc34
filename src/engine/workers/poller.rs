//! The poller: the thread that waits for streams, and starts the workers.
//!
//! It is the first thread in the workers' descriptor table, and the last. It starts all workers, so that one thread
//! alone takes the memory that the C library takes for threads (glibc gives each thread that asks for some an arena of
//! its own). It makes no transfer, and closes no file whose closing may take time: both are left to a worker.

use core::ffi::c_int;
use core::sync::atomic::Ordering;

use super::crew::Crew;
use super::epoll::WAKEUP;
use super::job::Job;
use super::nature::Nature;
use super::shared_reactor::SharedReactor;
use super::worker;
use crate::engine::lifecycle::IDLE_EXIT_MS;
use crate::engine::operation::Kind;
use crate::host::{kernel, socket_options};

/// Events that are taken at a time.
const EVENTS_AT_ONCE: usize = 64;

/// How often writes to Unix sockets that wait are tried again: poll(2) does not tell of one that has no room that it was shut down
/// (`unix_poll` of net/unix/af_unix.c).
const LOOK_MS: c_int = 100;

/// What the poller does until it is dismissed.
pub fn run(reactor: &'static SharedReactor) {
    let (crew, me) = (reactor.crew, kernel::thread_id());
    let mut events = [libc::epoll_event { events: 0, u64: 0 }; EVENTS_AT_ONCE];
    let mut next_look = 0;
    loop {
        let has_unheard = crew.has_unheard.load(Ordering::Relaxed);
        // After the last operation, this thread may be the only one to notice that there has been nothing to do for
        // long.
        let most_ms = match crew.quiet_since() {
            _ if has_unheard => LOOK_MS,
            Some(_) => IDLE_EXIT_MS as c_int,
            None => -1,
        };
        let seen = crew.epoll.wait(&mut events, most_ms);
        let mut finished = false;
        for event in &events[..seen] {
            let (data, seen) = (event.u64, event.events);
            if data == WAKEUP {
                if crew.epoll.take_wakeup() {
                    return;
                }
                worker::start(reactor);
                continue;
            }
            // The phase tells whether the job is still meant.
            if let Some(job) = crew.jobs.get((data & 0xffff_ffff) as usize)
                && job.fire((data >> 32) as u32, seen)
            {
                finished |= proceed(crew, job, seen);
            }
        }
        if has_unheard && kernel::now() >= next_look {
            next_look = kernel::now() + LOOK_MS as u64 * 1_000_000;
            crew.try_unheard();
        }
        if finished {
            reactor.run(me);
            crew.call_for_work();
        }
        if seen == 0 && crew.quiet_since().is_some() {
            crew.wake_worker();
        }
    }
}

/// Goes on with a job that this thread has taken from the epoll. Whether it is done.
fn proceed(crew: &'static Crew, job: &'static Job, seen: u32) -> bool {
    let task = job.task();
    if task.kind == Kind::Poll {
        job.decide(seen.into());
        let closes_at_once = match task.nature {
            Nature::Stream => true,
            Nature::Socket => !socket_options::lingers(task.fd),
            Nature::Device | Nature::File => false,
        };
        if closes_at_once {
            crew.finish(job);
            return true;
        }
    }
    crew.push_stream(job);
    false
}
