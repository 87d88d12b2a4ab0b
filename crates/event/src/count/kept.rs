//! Rows by key, at most so many.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::sums::Sums;
use crate::note::Generation;

/// The rows of the keys with the smallest hashes, and one row for all other keys.
///
/// Which keys those are depends on the set of keys alone, not on their order, nor on how they were dealt out to folds: a
/// key that is among the smallest of all is so in each part too, so its row is never given up and its sums are whole.
#[derive(Debug)]
pub(super) struct Kept {
    limit: usize,
    /// By key, the number of its row.
    numbers: HashMap<Box<str>, usize>,
    rows: Vec<Sums>,
    /// Keys with a greater hash have no row of their own.
    bound: u64,
    others: Option<Sums>,
    /// Another one whenever rows get other numbers.
    generation: Generation,
}

impl Kept {
    /// Room for `limit` keys.
    pub(super) fn new(limit: usize) -> Self {
        let (numbers, rows) = (HashMap::new(), Vec::new());
        Self { limit, numbers, rows, bound: u64::MAX, others: None, generation: Generation::begin() }
    }

    /// Changes the row that a key counts in. Returns its number, if it is one of its own.
    pub(super) fn change(&mut self, key: &str, change: impl FnOnce(&mut Sums)) -> Option<usize> {
        if let Some(number) = self.numbers.get(key) {
            change(&mut self.rows[*number]);
            return Some(*number);
        }
        if hash(key) > self.bound {
            change(self.others.get_or_insert_default());
            return None;
        }
        let number = self.rows.len();
        self.numbers.insert(key.into(), number);
        self.rows.push(Sums::default());
        change(&mut self.rows[number]);
        // Giving up many at once makes it cheap.
        if self.rows.len() > self.limit + self.limit / 4 {
            self.give_up_the_rest();
            return None;
        }
        Some(number)
    }

    /// The row with a number.
    pub(super) fn row(&mut self, number: usize) -> &mut Sums {
        &mut self.rows[number]
    }

    /// Notes of this generation tell numbers that rows still have.
    pub(super) const fn generation(&self) -> Generation {
        self.generation
    }

    /// Gives up all notes.
    pub(super) fn begin_generation(&mut self) {
        self.generation = Generation::begin();
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.bound = self.bound.min(other.bound);
        for (key, number) in &other.numbers {
            let _ = self.change(key, |own| own.merge(&other.rows[*number]));
        }
        if let Some(row) = &other.others {
            self.others.get_or_insert_default().merge(row);
        }
    }

    /// The rows by key, in no order, and the row of all other keys if there are any.
    pub(super) fn into_rows(mut self) -> (Vec<(Box<str>, Sums)>, Option<Sums>) {
        self.give_up_the_rest();
        let Self { numbers, mut rows, others, .. } = self;
        (numbers.into_iter().map(|(key, number)| (key, std::mem::take(&mut rows[number]))).collect(), others)
    }

    fn give_up_the_rest(&mut self) {
        if self.rows.len() <= self.limit {
            return;
        }
        let mut order: Vec<(u64, Box<str>, usize)> =
            self.numbers.drain().map(|(key, number)| (hash(&key), key, number)).collect();
        let (_, (first_given_up, ..), _) = order.select_nth_unstable(self.limit);
        self.bound = self.bound.min(*first_given_up);
        let mut rows = std::mem::take(&mut self.rows);
        self.begin_generation();
        for (place, (_, key, number)) in order.into_iter().enumerate() {
            let row = std::mem::take(&mut rows[number]);
            if place < self.limit {
                self.numbers.insert(key, self.rows.len());
                self.rows.push(row);
            } else {
                self.others.get_or_insert_default().merge(&row);
            }
        }
    }
}

/// The same for the same key in every thread and every run.
fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_keys_take_no_more_room_and_lose_no_request() {
        let mut kept = Kept::new(10);
        for number in 0..1000 {
            kept.change(&format!("key{number}"), |row| row.requests += 1);
            kept.change("key0", |row| row.requests += 1);
            assert!(kept.rows.len() <= 13);
        }
        let (rows, others) = kept.into_rows();
        assert_eq!(rows.len(), 10);
        assert!(rows.iter().all(|(_, row)| row.requests == 1 || row.requests == 1001));
        let sum = |rows: &[(Box<str>, Sums)]| rows.iter().map(|(_, row)| row.requests).sum::<u64>();
        assert_eq!(sum(&rows) + others.unwrap().requests, 2000);
    }
}
