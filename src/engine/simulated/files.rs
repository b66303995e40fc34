//! The files of the simulated kernel: small arrays of bytes, beside each what the model says is in it; and the program's
//! descriptors.

use core::sync::atomic::{AtomicI32, Ordering};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// It has positions.
    Regular,
    /// Its bytes come and go in an order.
    Stream,
    Eventfd,
    /// The signalfd that some rings poll.
    Doorbell,
}

pub struct File {
    pub nature: Nature,
    /// What has been written, through the addresses that the engine gave.
    pub bytes: Vec<u8>,
    /// The same, as the requests were submitted.
    pub expected: Vec<u8>,
    /// Bytes of a stream that were read.
    pub read: usize,
    /// The count of an eventfd, and what it is to be.
    pub counts: [u64; 2],
}

/// What the program of a face can tell a file by: where it is kept, and how it was opened.
#[derive(Clone, Copy)]
pub struct Traits {
    /// The type's name of its file system.
    pub file_system: &'static [u8],
    /// `O_APPEND`, `O_DIRECT`.
    pub flags: i32,
}

/// By number.
pub struct Files {
    files: Vec<File>,
    /// What the program's descriptors name, from the first one on.
    descriptors: Vec<Option<usize>>,
    first: i32,
}

/// Descriptors of one simulation. No other has the same: how often a number was closed is counted for the whole process.
const DESCRIPTORS: usize = 24;
pub const REGULAR: usize = 3;
pub const STREAMS: usize = 2;
pub const EVENTFDS: usize = 2;
/// The one behind them.
pub const DOORBELL: usize = REGULAR + STREAMS + EVENTFDS;

/// Open with `O_DIRECT`.
pub const DIRECT: usize = 2;
const MORE_FIRST: usize = DOORBELL + 1;
const MORE_SECOND: usize = DOORBELL + 2;
const MORE_THIRD: usize = DOORBELL + 3;

/// Regular files behind these, for the programs of faces.
const MORE: usize = 3;
pub const ALL_REGULAR: usize = REGULAR + MORE;

/// No real descriptor is as high. What is known of them is kept as that of any other.
const LOWEST: i32 = (1 << 24) - (1 << 16);

thread_local! {
    static FIRST: i32 = {
        static NEXT: AtomicI32 = AtomicI32::new(0);
        // Far from the real ones also where the numbers share counters.
        LOWEST + 2048 + NEXT.fetch_add(1, Ordering::Relaxed) % 64 * DESCRIPTORS as i32
    };
}

/// A byte that belongs to a request or a stream, at a place in it.
pub const fn pattern(of: usize, place: usize) -> u8 {
    (of.wrapping_mul(0x9e37).wrapping_add(place.wrapping_mul(0x85eb_ca6b)) >> 7) as u8
}

impl Files {
    /// The files that are there at first; `has_more`: those for the program of a face as well.
    pub fn new(has_more: bool) -> Self {
        let natures = [
            (Nature::Regular, REGULAR),
            (Nature::Stream, STREAMS),
            (Nature::Eventfd, EVENTFDS),
            (Nature::Doorbell, 1),
            (Nature::Regular, if has_more { MORE } else { 0 }),
        ];
        let natures = natures.iter().flat_map(|&(nature, count)| core::iter::repeat_n(nature, count));
        let new = |nature| File { nature, bytes: Vec::new(), expected: Vec::new(), read: 0, counts: [0; 2] };
        let mut this = Self {
            files: natures.map(new).collect(),
            descriptors: vec![None; DESCRIPTORS],
            first: FIRST.with(|&first| first),
        };
        for index in 0..this.files.len() {
            this.descriptors[index] = Some(index);
        }
        this
    }

    /// One of the [`ALL_REGULAR`] regular files of a face's program.
    pub fn regular(number: usize) -> usize {
        if number < REGULAR { number } else { MORE_FIRST + number - REGULAR }
    }

    /// What a file is, for the program of a face.
    pub fn traits(file: usize) -> Traits {
        let (file_system, flags): (&[u8], i32) = match file {
            0 => (b"ext4", 0),
            1 => (b"ext4", libc::O_APPEND),
            DIRECT => (b"ext4", libc::O_DIRECT),
            MORE_FIRST => (b"fuse.simulated", 0),
            MORE_SECOND => (b"tmpfs", 0),
            MORE_THIRD => (b"fuse.simulated", libc::O_APPEND),
            _ => (b"", 0),
        };
        Traits { file_system, flags }
    }

    pub fn file(&mut self, index: usize) -> &mut File {
        &mut self.files[index]
    }

    pub fn all(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    /// The file that a descriptor names.
    pub fn named(&self, fd: i32) -> Option<usize> {
        let place = usize::try_from(fd.checked_sub(self.first)?).ok()?;
        *self.descriptors.get(place)?
    }

    /// A descriptor of the file.
    pub fn descriptor(&self, file: usize) -> i32 {
        let place = self.descriptors.iter().position(|&named| named == Some(file));
        self.first + place.expect("each file has a descriptor") as i32
    }

    /// Whether this may be closed: a file keeps one.
    pub fn is_one_of_many(&self, fd: i32) -> bool {
        self.named(fd).is_some_and(|file| self.descriptors.iter().filter(|&&named| named == Some(file)).count() > 1)
    }

    /// Opens a file once more, by the lowest number that is free; none, if all are in use.
    pub fn open(&mut self, file: usize) {
        if let Some(free) = self.descriptors.iter_mut().find(|named| named.is_none()) {
            *free = Some(file);
        }
    }

    pub fn close(&mut self, fd: i32) {
        self.descriptors[(fd - self.first) as usize] = None;
    }

    /// All numbers that it may give.
    pub fn numbers(&self) -> core::ops::Range<i32> {
        self.first..self.first + DESCRIPTORS as i32
    }

    /// A descriptor that is open, by a number from 0 on.
    pub fn any_descriptor(&self, choice: impl Fn(usize) -> usize) -> i32 {
        let open = self.descriptors.iter().filter(|named| named.is_some()).count();
        let mut left = choice(open);
        for (place, named) in self.descriptors.iter().enumerate() {
            if named.is_some() {
                if left == 0 {
                    return self.first + place as i32;
                }
                left -= 1;
            }
        }
        self.first
    }
}
