//! Whether the writes on a file are to be carried out side by side or one at a time: what costs less time, measured.
//!
//! The kernel takes the writes on many a file one after another: it holds the inode's lock meanwhile, on FUSE until the
//! server has answered. Several workers then only wait for each other, and a wake-up is paid for each write. Which files
//! these are depends on the file system, on flags that its server has set, and on how the file was opened; none of that
//! can be asked for. So writes begin one at a time, and side by side is tried while there are always more to come: at once
//! if they are slow, otherwise after some dozens. It is chosen where it is clearly faster. The other way is tried again and
//! again, each time after twice as many writes, as long as that does not change the choice.

/// How the writes on a file are carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Side by side, by as many workers as there are.
    SideBySide = 0,
    /// One at a time.
    OneAtATime = 1,
}

/// Writes that are timed as one.
const WINDOW: u32 = 32;
/// Windows of a trial, and before the first one; the fastest of them counts, which had least of what else the machine does.
const TRIAL_WINDOWS: u32 = 3;
const FIRST_INTERVAL: u32 = 4;
const MAX_INTERVAL: u32 = 1024;

/// So many writes tell that a way is bad.
const LEAST_WRITES: u32 = 8;

/// When a write takes longer than this, a wake-up more for each is no matter.
const SLOW_NS: u64 = 200_000;

/// The choice for one file.
pub struct WritePace {
    way: Way,
    is_trial: bool,
    /// Nanoseconds for each write, by way: the fastest window.
    cost_ns: [u64; 2],
    /// When the window began, in nanoseconds; 0 before its beginning.
    began: u64,
    /// Writes in this window so far.
    writes: u32,
    /// When the last of them ended, and the shortest time between two ends, in nanoseconds.
    ended: u64,
    shortest_ns: u64,
    /// Writes that began in the other way, and are not counted.
    skipped: u32,
    /// Windows until the next change.
    windows: u32,
    /// Windows between two trials.
    interval: u32,
}

impl WritePace {
    /// Nothing is known yet.
    pub const fn new() -> Self {
        Self {
            way: Way::OneAtATime,
            is_trial: false,
            cost_ns: [u64::MAX; 2],
            began: 0,
            writes: 0,
            ended: 0,
            shortest_ns: u64::MAX,
            skipped: 0,
            windows: FIRST_INTERVAL,
            interval: FIRST_INTERVAL,
        }
    }

    /// How writes are to be carried out now.
    pub const fn way(&self) -> Way {
        self.way
    }

    /// One at a time does not get on.
    pub fn give_up(&mut self) {
        self.is_trial = false;
        self.cost_ns = [u64::MAX; 2];
        self.interval = (2 * self.interval).min(MAX_INTERVAL);
        self.go(Way::SideBySide, 0);
    }

    /// A write has ended at `now`. `running` others are at work, and there are more of them or waiting if `is_busy`.
    pub fn note(&mut self, now: u64, running: u32, is_busy: bool) {
        if self.skipped > 0 {
            self.skipped -= 1;
            return;
        }
        if !is_busy || self.began == 0 {
            // A time in which there was nothing to do says nothing.
            return self.begin(if is_busy { now } else { 0 });
        }
        self.writes += 1;
        self.shortest_ns = self.shortest_ns.min(now.saturating_sub(self.ended));
        self.ended = now;
        let cost_ns = now.saturating_sub(self.began) / u64::from(self.writes);
        let other_ns = self.cost_ns[1 - self.way as usize];
        let is_bad = if self.is_trial {
            cost_ns / 2 > other_ns
        } else {
            // Each of them: one may have waited for a processor.
            self.way == Way::OneAtATime && self.shortest_ns > SLOW_NS && other_ns == u64::MAX
        };
        let ends = is_bad && self.writes >= LEAST_WRITES;
        if self.writes < WINDOW && !ends {
            return;
        }
        self.begin(now);
        self.windows -= 1;
        let fastest = &mut self.cost_ns[self.way as usize];
        *fastest = cost_ns.min(*fastest);
        if ends || self.windows == 0 {
            self.change(running);
        } else if self.windows == TRIAL_WINDOWS {
            // What was long ago does not count.
            *fastest = u64::MAX;
        }
    }

    fn begin(&mut self, now: u64) {
        (self.began, self.writes, self.ended, self.shortest_ns) = (now, 0, now, u64::MAX);
    }

    fn change(&mut self, running: u32) {
        let [side_by_side, one_at_a_time] = self.cost_ns;
        if self.is_trial {
            // One at a time takes far less processor time.
            let best = if one_at_a_time / 3 * 2 > side_by_side { Way::SideBySide } else { Way::OneAtATime };
            self.interval = if best == self.way { FIRST_INTERVAL } else { (2 * self.interval).min(MAX_INTERVAL) };
            self.is_trial = false;
            self.go(best, running);
        } else if self.way == Way::OneAtATime {
            self.is_trial = true;
            self.go(Way::SideBySide, running);
        } else if side_by_side <= SLOW_NS {
            self.is_trial = true;
            self.go(Way::OneAtATime, running);
        } else {
            self.windows = self.interval;
        }
    }

    fn go(&mut self, way: Way, running: u32) {
        self.windows = if self.is_trial { TRIAL_WINDOWS } else { self.interval };
        self.skipped = if way == self.way { 0 } else { running };
        self.way = way;
        self.began = 0;
        self.cost_ns[way as usize] = u64::MAX;
    }
}

#[cfg(test)]
mod tests {
    use super::{FIRST_INTERVAL, MAX_INTERVAL, WINDOW, Way, WritePace};

    const LONG: u32 = 100 * MAX_INTERVAL * WINDOW;

    /// A file that is always written: a write takes so many nanoseconds in each way. The share of writes one at a time, in
    /// percent.
    fn share_alone(pace: &mut WritePace, writes: u32, beside_ns: u64, alone_ns: u64) -> u32 {
        let (mut now, mut alone) = (1, 0);
        for _ in 0..writes {
            let is_alone = pace.way() == Way::OneAtATime;
            alone += u32::from(is_alone);
            now += if is_alone { alone_ns } else { beside_ns };
            pace.note(now, if is_alone { 0 } else { 8 }, true);
        }
        (u64::from(alone) * 100 / u64::from(writes)) as u32
    }

    #[test]
    #[cfg_attr(miri, ignore = "millions of writes take Miri very long")]
    fn what_the_kernel_takes_one_by_one_goes_one_by_one() {
        assert!(share_alone(&mut WritePace::new(), LONG, 37_000, 25_000) >= 99);
        assert!(share_alone(&mut WritePace::new(), LONG, 25_000, 26_000) >= 99);
        assert!(share_alone(&mut WritePace::new(), 100 * WINDOW, 37_000, 25_000) >= 85);
    }

    #[test]
    #[cfg_attr(miri, ignore = "millions of writes take Miri very long")]
    fn what_the_kernel_takes_side_by_side_goes_side_by_side() {
        assert_eq!(share_alone(&mut WritePace::new(), LONG, 14_000, 25_000), 0);
        assert_eq!(share_alone(&mut WritePace::new(), 1000 * WINDOW, 31_000, 1_000_000), 0);
    }

    #[test]
    #[cfg_attr(miri, ignore = "millions of writes take Miri very long")]
    fn what_is_slow_is_soon_side_by_side() {
        let mut pace = WritePace::new();
        let alone = share_alone(&mut pace, 100, 312_000, 10_000_000);
        assert!(alone < 10, "{alone}");
        assert_eq!(share_alone(&mut pace, LONG, 312_000, 10_000_000), 0);
    }

    #[test]
    fn what_waits_for_a_processor_now_and_then_is_not_slow() {
        let mut pace = WritePace::new();
        let mut now = 1;
        for write in 0..WINDOW * FIRST_INTERVAL {
            assert_eq!(pace.way(), Way::OneAtATime);
            now += if write % 4 == 0 { 25_000 } else { 4_000_000 };
            pace.note(now, 0, true);
        }
    }

    #[test]
    fn a_trial_that_goes_badly_is_given_up() {
        let mut pace = WritePace::new();
        let (mut now, mut beside) = (1, 0);
        for _ in 0..WINDOW * (FIRST_INTERVAL + 2) {
            let is_beside = pace.way() == Way::SideBySide;
            beside += u32::from(is_beside);
            now += if is_beside { 1_000_000 } else { 30_000 };
            pace.note(now, 0, true);
        }
        assert!((1..12).contains(&beside), "{beside}");
    }

    #[test]
    #[cfg_attr(miri, ignore = "millions of writes take Miri very long")]
    fn the_choice_follows_the_file() {
        let mut pace = WritePace::new();
        share_alone(&mut pace, LONG, 37_000, 25_000);
        assert!(share_alone(&mut pace, LONG, 10_000, 25_000) < 2);
        assert!(share_alone(&mut pace, LONG, 37_000, 25_000) > 98);
        pace.give_up();
        assert_eq!(pace.way(), Way::SideBySide);
    }

    #[test]
    #[cfg_attr(miri, ignore = "millions of writes take Miri very long")]
    fn pauses_say_nothing() {
        let mut pace = WritePace::new();
        for write in 1..u64::from(LONG) {
            pace.note(write * 1000, 0, write % 16 != 0);
        }
        assert_eq!(pace.way(), Way::OneAtATime);
    }
}
