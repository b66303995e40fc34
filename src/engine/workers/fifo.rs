//! A list of jobs, of which the first to come is the first to go.

use core::ptr;

use super::job::Job;

/// A first-in first-out list of jobs through their own links.
#[derive(Default)]
pub struct Fifo {
    first: Option<&'static Job>,
    last: Option<&'static Job>,
}

impl Fifo {
    /// No job.
    pub const fn new() -> Self {
        Self { first: None, last: None }
    }

    /// A job that was in no list.
    pub fn of(job: &'static Job) -> Self {
        job.next.set(None);
        Self { first: Some(job), last: Some(job) }
    }

    /// Adds a job that is in no list.
    pub fn push(&mut self, job: &'static Job) {
        self.append(Self::of(job));
    }

    /// Adds all jobs of another list.
    pub fn append(&mut self, Self { first, last }: Self) {
        match self.last {
            Some(before) => before.next.set(first),
            None => self.first = first,
        }
        self.last = last.or(self.last);
    }

    /// Whether there is no job.
    pub const fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Takes the first job.
    pub fn pop(&mut self) -> Option<&'static Job> {
        let job = self.first?;
        self.first = job.next.take();
        if self.first.is_none() {
            self.last = None;
        }
        Some(job)
    }

    /// Takes a job out, if it is in the list.
    pub fn remove(&mut self, job: &'static Job) -> bool {
        let mut before: Option<&'static Job> = None;
        let mut at = self.first;
        while let Some(this) = at {
            let after = this.next.get();
            if ptr::eq(this, job) {
                match before {
                    Some(before) => before.next.set(after),
                    None => self.first = after,
                }
                if after.is_none() {
                    self.last = before;
                }
                this.next.set(None);
                return true;
            }
            before = at;
            at = after;
        }
        false
    }
}
