//! The terminal of `uringaio top`: a screen of its own, keys as they are pressed, and signals as events. It is left as it was
//! found, however the command ends, unless it is killed.

use std::io::{Error, Result, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

use terminal_size::{Height, Width, terminal_size_of};

/// The other screen; no cursor; long lines are cut.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";
/// Where the terminal does not tell its size.
const USUAL_SIZE: (usize, usize) = (80, 24);
const SIGNALS: [libc::c_int; 7] =
    [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGWINCH, libc::SIGTSTP, libc::SIGCONT];

/// What happened while the command waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    None,
    Quit,
    Sort,
    Refresh,
    Resized,
}

/// The terminal while it is ours.
pub struct Terminal {
    signals: OwnedFd,
    /// How the terminal was, if keys come from one.
    before: Option<libc::termios>,
    /// Whether the other screen is shown: not while the command is stopped.
    is_taken: bool,
}

/// Whether the terminal knows what a screen is.
pub fn has_screen() -> bool {
    std::env::var_os("TERM").is_some_and(|name| !name.is_empty() && name != "dumb")
}

/// Columns and rows.
pub fn size() -> (usize, usize) {
    let told = terminal_size_of(std::io::stdout()).map(|(Width(columns), Height(rows))| (columns.into(), rows.into()));
    told.filter(|&(columns, rows)| columns > 0 && rows > 0).unwrap_or(USUAL_SIZE)
}

impl Terminal {
    pub fn enter() -> Result<Self> {
        let mut set = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: `sigemptyset` fills the set; the other calls read it. There is one thread, whose mask this is.
        let signals = unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            for signal in SIGNALS {
                libc::sigaddset(set.as_mut_ptr(), signal);
            }
            libc::sigprocmask(libc::SIG_BLOCK, set.as_ptr(), std::ptr::null_mut());
            libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
        };
        if signals < 0 {
            return Err(Error::last_os_error());
        }
        // SAFETY: a descriptor that was just made, and that nothing else owns.
        let signals = unsafe { OwnedFd::from_raw_fd(signals) };
        let mut terminal = Self { signals, before: settings(), is_taken: false };
        terminal.take();
        Ok(terminal)
    }

    /// Switches to the other screen, and to keys as they are pressed.
    fn take(&mut self) {
        if self.is_taken {
            return;
        }
        self.is_taken = true;
        if let Some(mut settings) = self.before {
            settings.c_lflag &= !(libc::ICANON | libc::ECHO);
            settings.c_cc[libc::VMIN] = 0;
            settings.c_cc[libc::VTIME] = 0;
            apply(&settings);
        }
        write(ENTER);
    }

    /// Back to what was there before.
    fn give_back(&mut self) {
        if !self.is_taken {
            return;
        }
        self.is_taken = false;
        write(LEAVE);
        if let Some(settings) = &self.before {
            apply(settings);
        }
    }

    /// Waits for a key or a signal, for `time` at most.
    pub fn wait(&mut self, time: Duration) -> Event {
        let of = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        let keys = if self.before.is_some() { libc::STDIN_FILENO } else { -1 };
        let mut files = [of(self.signals.as_raw_fd()), of(keys)];
        let milliseconds = time.as_millis().max(1) as libc::c_int;
        // SAFETY: an array of so many entries; -1 is passed over.
        if unsafe { libc::poll(files.as_mut_ptr(), files.len() as libc::nfds_t, milliseconds) } <= 0 {
            return Event::None;
        }
        if files[0].revents != 0 {
            return self.signal();
        }
        key()
    }

    fn signal(&mut self) -> Event {
        let mut told = std::mem::MaybeUninit::<libc::signalfd_siginfo>::uninit();
        let size = size_of::<libc::signalfd_siginfo>();
        // SAFETY: so many bytes of the structure are written, or nothing is.
        let read = unsafe { libc::read(self.signals.as_raw_fd(), told.as_mut_ptr().cast(), size) };
        if read != size as isize {
            return Event::None;
        }
        // SAFETY: the read filled it.
        match unsafe { told.assume_init() }.ssi_signo.cast_signed() {
            libc::SIGWINCH => Event::Resized,
            libc::SIGTSTP => {
                self.give_back();
                // SAFETY: stops this process until SIGCONT, of which the file of signals tells.
                unsafe { libc::raise(libc::SIGSTOP) };
                self.take();
                Event::Resized
            }
            libc::SIGCONT => {
                // Stopped by SIGSTOP, it was not told: what the shell has set meanwhile is set again.
                self.give_back();
                self.take();
                Event::Resized
            }
            _ => Event::Quit,
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// The key that was pressed.
fn key() -> Event {
    let mut key = 0u8;
    // SAFETY: writes at most this byte. More keys are read the next time.
    if unsafe { libc::read(libc::STDIN_FILENO, (&raw mut key).cast(), 1) } != 1 {
        // The terminal has gone.
        return Event::Quit;
    }
    match key {
        b'q' | b'Q' => Event::Quit,
        b's' => Event::Sort,
        b' ' | b'\n' => Event::Refresh,
        0x1b => {
            // The rest of a key such as an arrow.
            // SAFETY: throws away what has been typed.
            unsafe { libc::tcflush(libc::STDIN_FILENO, libc::TCIFLUSH) };
            Event::None
        }
        _ => Event::None,
    }
}

/// The settings of the terminal that standard input is.
fn settings() -> Option<libc::termios> {
    let mut settings = std::mem::MaybeUninit::<libc::termios>::uninit();
    // SAFETY: fills the structure, or fails.
    unsafe { (libc::tcgetattr(libc::STDIN_FILENO, settings.as_mut_ptr()) == 0).then(|| settings.assume_init()) }
}

fn apply(settings: &libc::termios) {
    // SAFETY: reads the structure. Should it fail, the terminal has gone.
    unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSADRAIN, settings) };
}

fn write(text: &str) {
    let mut output = std::io::stdout();
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}
