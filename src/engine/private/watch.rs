//! The watch over private rings: the engine's thread looks now and then whether completions wait in a ring for a thread that
//! does not come, and sends for it.
//!
//! A thread that runs (and reads the completion ring in memory, perhaps) is interrupted by a signal without noticing. One
//! that sleeps is sent for if it sleeps for another thread, which may in turn wait for the completion; where the signal could
//! end its call with `EINTR`, only after a second, and once. Which of these it is tells `/proc`, and is found out by a thread with a descriptor
//! table of its own: a number that the program did not open must not turn up in the program's, not even for a moment.

use core::ffi::{c_long, c_void};
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};

use super::rescue;
use super::ring::Ring;
use super::{TABLE, Table};
use crate::engine::started;
use crate::host::futex;
use crate::host::kernel::{self, syscall};
use crate::host::path::Path;
use crate::host::thread;

/// How often to look, in nanoseconds.
const INTERVAL: u64 = 25_000_000;

/// Looks without anything having come, after which a thread that runs is sent for, and one that sleeps.
const RUNS: u32 = 2;
const SLEEPS: u32 = 8;

/// After so many looks a thread is sent for whatever it sleeps in, once: somebody may wait for ever.
const LONG: u32 = 40;

/// How often a thread is sent for before it has shown that its ways are not those of a ring.
const OFTEN: u32 = 4;

/// What was seen of a ring at the last look.
pub(super) struct Seen {
    visits: AtomicU32,
    /// Looks in a row at which work was waiting.
    stuck: AtomicU32,
    /// The thread was sent for, whatever it sleeps in, since it last came.
    sent: AtomicBool,
    /// Somebody is finding out what the thread does.
    examined: AtomicBool,
}

impl Seen {
    pub const fn new() -> Self {
        Self {
            visits: AtomicU32::new(0),
            stuck: AtomicU32::new(0),
            sent: AtomicBool::new(false),
            examined: AtomicBool::new(false),
        }
    }
}

/// How often to look at desks that were left open, in nanoseconds: whoever has laid something down there waits for a thread
/// that was taken to be back at once.
const DESKS_INTERVAL: u64 = 2_000_000;

/// What is looked after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    Rings,
    /// Desks that were left open as well.
    Desks,
}

/// When to look next, in units of [`INTERVAL`] and of [`DESKS_INTERVAL`].
static NEXT: AtomicU32 = AtomicU32::new(0);
static DESKS_NEXT: AtomicU32 = AtomicU32::new(0);

/// Something is under way in a ring, or was laid on a desk: sees to it that the engine's thread looks.
#[inline]
pub fn begin(pace: Pace) {
    if let Some(table) = TABLE.get()
        // SeqCst pairs with the fence of `end_unless`: what has begun was counted, or laid down, before.
        && !(table.watched.load(Ordering::SeqCst) && (pace == Pace::Rings || table.desks_watched.load(Ordering::SeqCst)))
    {
        begin_watch(table, pace);
    }
}

#[cold]
fn begin_watch(table: &Table, pace: Pace) {
    let hurries = pace == Pace::Desks && !table.desks_watched.swap(true, Ordering::SeqCst);
    if (!table.watched.swap(true, Ordering::SeqCst) || hurries)
        && let Some(engine) = started()
    {
        engine.ring_doorbell();
    }
}

/// How long the engine's thread may sleep before it has to look, in nanoseconds; as long as it likes if it need not. To be
/// asked after it has read the doorbell.
#[must_use]
pub fn pause() -> Option<u32> {
    let table = TABLE.get()?;
    let interval = if table.desks_watched.load(Ordering::SeqCst) { DESKS_INTERVAL } else { INTERVAL };
    table.watched.load(Ordering::SeqCst).then_some(interval as u32)
}

/// Looks, if it is time. By the engine's thread.
pub fn look() {
    let Some(table) = TABLE.get() else { return };
    if !table.watched.load(Ordering::Relaxed) {
        return;
    }
    let hurries = table.desks_watched.load(Ordering::Relaxed);
    if is_time(INTERVAL, &NEXT) {
        let mut quiet = true;
        for (ring, seen) in table.rings.iter().zip(&table.seen) {
            quiet &= look_at(table, ring, seen);
        }
        if !hurries {
            quiet &= look_after_desks(table);
        }
        end_if(quiet, &table.watched, table, |ring| ring.in_flight() > 0 || ring.has_been_handed());
    }
    if hurries && is_time(DESKS_INTERVAL, &DESKS_NEXT) {
        let quiet = look_after_desks(table);
        end_if(quiet, &table.desks_watched, table, Ring::has_been_handed);
    }
}

/// Whether a new interval has begun.
fn is_time(interval: u64, next: &AtomicU32) -> bool {
    let now = (kernel::now() / interval) as u32;
    now != next.swap(now, Ordering::Relaxed)
}

/// Looks at all desks. Whether nothing happens there.
fn look_after_desks(table: &Table) -> bool {
    table.rings.iter().zip(&table.desks_seen).fold(true, |quiet, (ring, seen)| ring.look_after_desk(seen) & quiet)
}

/// Ends a watch if it was quiet, unless something has begun meanwhile.
fn end_if(quiet: bool, watched: &AtomicBool, table: &Table, is_busy: impl Fn(&Ring) -> bool) {
    if !quiet {
        return;
    }
    watched.store(false, Ordering::SeqCst);
    // Pairs with `Batch::enter` and `Ring::hand`: either they see that nobody watches, or we see what they have begun.
    fence(Ordering::SeqCst);
    if table.rings.iter().any(is_busy) {
        watched.store(true, Ordering::SeqCst);
    }
}

/// Looks at one ring. Whether it was not used since the last time.
fn look_at(table: &'static Table, ring: &'static Ring, seen: &Seen) -> bool {
    let visits = ring.visits();
    let came = seen.visits.swap(visits, Ordering::Relaxed) != visits;
    if ring.in_flight() == 0 {
        seen.stuck.store(0, Ordering::Relaxed);
        return !came;
    }
    let stuck =
        if came || ring.is_waited_in() || !ring.has_work() { 0 } else { seen.stuck.load(Ordering::Relaxed) + 1 };
    seen.stuck.store(stuck, Ordering::Relaxed);
    if stuck == 0 {
        seen.sent.store(false, Ordering::Relaxed);
    }
    if stuck >= RUNS && !seen.examined.swap(true, Ordering::Acquire) {
        let place = (ptr::from_ref(ring).addr() - table.rings.as_ptr().addr()) / size_of::<Ring>();
        if thread::start(examine, ptr::without_provenance_mut(place)).is_err() {
            // No thread can be had, so it stays unknown what this one does.
            act(ring, ring.thread(), seen, Activity::Sleeps);
            seen.examined.store(false, Ordering::Release);
        }
    }
    false
}

/// Finds out what the thread of a stuck ring does, and sends for it if that does no harm.
extern "C" fn examine(place: *mut c_void) -> *mut c_void {
    let place = place.addr();
    thread::set_name(c"uringaio");
    // SAFETY: gives this thread, which soon ends, a descriptor table of its own.
    let own_table = unsafe { syscall!(libc::SYS_unshare, libc::CLONE_FILES) }.is_ok();
    if let Some(table) = TABLE.get() {
        let (ring, seen) = (&table.rings[place], &table.seen[place]);
        let thread = ring.thread();
        let activity = match if own_table { activity(thread) } else { Activity::Sleeps } {
            Activity::Runs if !runs_its_own_code(thread) => Activity::IsInCalls,
            activity => activity,
        };
        act(ring, thread, seen, activity);
        seen.examined.store(false, Ordering::Release);
    }
    ptr::null_mut()
}

/// Sends for the thread of a stuck ring if that does no harm; `activity` was this thread's.
fn act(ring: &Ring, thread: i32, seen: &Seen, activity: Activity) {
    let stuck = seen.stuck.load(Ordering::Relaxed);
    let send = match activity {
        Activity::Gone => {
            rescue::adopt(ring, thread);
            false
        }
        Activity::Runs => stuck > 0,
        Activity::IsInCalls => stuck >= LONG && !seen.sent.swap(true, Ordering::Relaxed),
        Activity::SleepsForAnother => stuck >= SLEEPS && stuck.is_multiple_of(SLEEPS),
        Activity::Sleeps => {
            // Its ways are others than they were.
            ring.retire();
            // At the first look from then on: not every look finds out in time for the next.
            stuck >= LONG && !seen.sent.swap(true, Ordering::Relaxed)
        }
    };
    if send {
        rescue::send_or_adopt(ring);
    }
    if send && ring.times_fetched() >= OFTEN {
        ring.retire();
    }
}

/// What a thread is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Activity {
    Runs,
    /// It is on a processor, or would be, but in calls of the kernel as far as can be seen: a write to a pipe that a signal
    /// would cut short, perhaps.
    IsInCalls,
    /// In a call that goes on after a signal handler with `SA_RESTART`, and that another thread can end.
    SleepsForAnother,
    Sleeps,
    Gone,
}

/// How long a thread is watched, in naps of a millisecond: its times are told in units of 10 ms.
const WATCHED: u32 = 40;

/// Whether a thread that runs does so in code of its own, and not in the kernel, which tells of both alike.
fn runs_its_own_code(thread: i32) -> bool {
    let before = times(thread);
    for _ in 0..WATCHED {
        futex::nap();
    }
    match (before, times(thread)) {
        (Some((own, kernels)), Some((own_now, kernels_now))) => {
            own_now > own && kernels_now == kernels && activity(thread) == Activity::Runs
        }
        _ => false,
    }
}

/// How long a thread has run in its own code and in the kernel.
fn times(thread: i32) -> Option<(u64, u64)> {
    let mut text = [0u8; 512];
    parse_times(read(thread, "stat", &mut text)?)
}

/// Reads a line of `/proc/PID/task/TID/stat` (proc_pid_stat(5)): fields 14 and 15.
fn parse_times(line: &str) -> Option<(u64, u64)> {
    let mut words = line.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

fn activity(thread: i32) -> Activity {
    // SAFETY: signal 0 only asks whether the thread is there.
    let asked = unsafe { syscall!(libc::SYS_tgkill, kernel::process_id(), thread, 0) };
    if asked == Err(kernel::Errno(libc::ESRCH)) {
        return Activity::Gone;
    }
    let mut text = [0u8; 128];
    read(thread, "syscall", &mut text).map_or(Activity::Sleeps, parse)
}

/// What the kernel tells of a thread in one of its files.
fn read<'a>(thread: i32, name: &str, text: &'a mut [u8]) -> Option<&'a str> {
    let path = Path::of(format_args!("/proc/self/task/{thread}/{name}"))?;
    // SAFETY: opens by a C string, reads into the buffer and closes; in a table of this thread's own.
    let length = unsafe {
        let flags = libc::O_RDONLY | libc::O_CLOEXEC;
        let fd = syscall!(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), flags, 0).ok()?;
        let length = syscall!(libc::SYS_read, fd, text.as_mut_ptr(), text.len());
        kernel::close(fd as i32);
        length.ok()?
    };
    core::str::from_utf8(text.get(..length)?).ok()
}

/// Reads a line of `/proc/PID/task/TID/syscall`: `running`, or the call's number and arguments (proc_pid_syscall(5)).
fn parse(line: &str) -> Activity {
    let mut words = line.split_ascii_whitespace();
    match words.next() {
        Some("running") => Activity::Runs,
        Some(number) => match number.parse::<c_long>() {
            // Without a time limit it goes on after a handler.
            Ok(libc::SYS_futex) if words.nth(3) == Some("0x0") => Activity::SleepsForAnother,
            Ok(libc::SYS_wait4 | libc::SYS_waitid) => Activity::SleepsForAnother,
            _ => Activity::Sleeps,
        },
        None => Activity::Sleeps,
    }
}

#[cfg(test)]
mod tests {
    use super::{Activity, parse, parse_times};

    #[test]
    fn reads_what_proc_says() {
        assert_eq!(parse("running\n"), Activity::Runs);
        assert_eq!(parse("202 0x7f0 0x189 0x0 0x0 0x0 0xffffffff 0x7ffd 0x7f12\n"), Activity::SleepsForAnother);
        assert_eq!(parse("202 0x7f0 0x189 0x0 0x7ffd 0x0 0xffffffff 0x7ffd 0x7f12\n"), Activity::Sleeps);
        assert_eq!(parse("232 0x3 0x7f0 0x10 0xffffffff 0x0 0x8 0x7ffd 0x7f12\n"), Activity::Sleeps);
        assert_eq!(parse(""), Activity::Sleeps);
        let line = "77 (a) b) R 1 2 3 4 5 6 7 8 9 10 1234 56 0 0 20 0 1 0\n";
        assert_eq!(parse_times(line), Some((1234, 56)));
        assert_eq!(parse_times("77 (a"), None);
    }
}
