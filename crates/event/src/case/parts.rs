//! Judging many objects with several threads.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::case::inquiry::Inquiry;
use crate::case::{Case, Findings};

/// How many objects a thread takes at once. Fewer than these take less time than another thread takes to begin.
const PART: usize = 1024;

impl Case {
    /// Judges with so many threads where there are many objects; with one, unless this is called. What is found does not
    /// depend on it.
    pub const fn judge_with(&mut self, threads: usize) {
        self.threads = threads;
    }
}

impl Findings {
    pub(super) fn add(&mut self, mut more: Self) {
        self.answers.append(&mut more.answers);
        self.related.append(&mut more.related);
    }
}

impl Inquiry<'_> {
    /// Judges `count` things part by part, with as many threads as there may be; returns what was found of each part, in their
    /// order. What is missed is noted here, whichever thread missed it.
    pub(crate) fn in_parts<T: Send>(
        &self,
        count: usize,
        judge: impl Fn(&Self, Range<usize>) -> T + Sync,
    ) -> Vec<T> {
        let parts = count.div_ceil(PART);
        let threads = self.threads.min(parts);
        if threads < 2 {
            return vec![judge(self, 0..count)];
        }
        let next = AtomicUsize::new(0);
        let run = |inquiry: &Self| {
            let taken = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
            let taken = taken.take_while(|number| *number < parts);
            let judge =
                |number: usize| judge(inquiry, number * PART..count.min((number + 1).saturating_mul(PART)));
            taken.map(|number| (number, judge(number))).collect::<Vec<_>>()
        };
        let mut found = thread::scope(|scope| {
            let run = &run;
            let helpers: Vec<_> = (1..threads)
                .map_while(|_| {
                    let inquiry = self.another();
                    // A thread that can't be had leaves its work to the others.
                    thread::Builder::new().spawn_scoped(scope, move || (run(&inquiry), inquiry)).ok()
                })
                .collect();
            let mut found = run(self);
            for helper in helpers {
                let (more, inquiry) = helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                found.extend(more);
                self.add(inquiry);
            }
            found
        });
        found.sort_unstable_by_key(|(number, _)| *number);
        found.into_iter().map(|(_, found)| found).collect()
    }
}
