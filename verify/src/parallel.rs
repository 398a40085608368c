//! Many files at once, on a bounded number of threads.

use std::cmp::Reverse;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::content::{OVERLAP_FROM, Reading};

/// Does `work` once for each of `order`, in that order, on at most `threads` threads. The outcomes come sorted by the numbers
/// in `order`.
pub fn in_parallel<T: Send>(
    order: &[usize],
    threads: NonZeroUsize,
    work: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::with_capacity(order.len()));
    let run = || {
        while let Some(place) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = work(*place);
            let mut outcomes = outcomes
                .lock()
                .expect("no thread panics while it holds the lock");
            outcomes.push((*place, outcome));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.get().min(order.len()) {
            // Where no more threads are to be had, those that there are do the work.
            let thread = std::thread::Builder::new();
            if thread.spawn_scoped(scope, run).is_err() {
                break;
            }
        }
        run();
    });
    let mut outcomes = outcomes
        .into_inner()
        .expect("no thread panics while it holds the lock");
    outcomes.sort_by_key(|(place, _)| *place);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Does `work` once for each file of these lengths, the largest first, on as many threads as pay off and at most `threads`. It is
/// told the file's place in `lengths`, and whether to read beside hashing. The outcomes come in the order of `lengths`.
pub fn over_files<T: Send>(
    lengths: &[u64],
    threads: NonZeroUsize,
    work: impl Fn(usize, Reading) -> T + Sync,
) -> Vec<T> {
    let total: u64 = lengths.iter().sum();
    let mut order: Vec<(u64, usize)> = lengths.iter().copied().zip(0..).collect();
    order.sort_by_key(|(length, place)| (Reverse(*length), *place));
    let order: Vec<usize> = order.into_iter().map(|(_, place)| place).collect();
    let useful = match NonZeroUsize::new(order.len()) {
        Some(files) if total >= OVERLAP_FROM => threads.min(files),
        _ => NonZeroUsize::MIN,
    };
    let share = total / u64::try_from(useful.get()).unwrap_or(u64::MAX);
    in_parallel(&order, useful, |place| {
        // One that is more than a thread's share of the work will be hashed alone in the end.
        let alone = useful < threads || lengths.get(place).is_some_and(|length| *length > share);
        let reading = if alone {
            Reading::Beside
        } else {
            Reading::InTurn
        };
        work(place, reading)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: u64 = 10 * OVERLAP_FROM;

    fn threads(number: usize) -> NonZeroUsize {
        NonZeroUsize::new(number).unwrap()
    }

    #[test]
    fn outcomes_come_in_order_whatever_the_threads() {
        for number in [1, 3, 64] {
            let order = [4, 0, 3, 1, 2];
            let outcomes = in_parallel(&order, threads(number), |place| place * 10);
            assert_eq!(outcomes, [0, 10, 20, 30, 40]);
        }
        assert!(in_parallel(&[], threads(4), |place| place).is_empty());
    }

    #[test]
    fn the_largest_file_is_begun_first() {
        let begun = Mutex::new(Vec::new());
        let lengths = [1, LARGE, 7, LARGE];
        over_files(&lengths, threads(1), |place, _| {
            begun.lock().unwrap().push(place)
        });
        assert_eq!(begun.into_inner().unwrap(), [1, 3, 2, 0]);
    }

    #[test]
    fn reading_is_beside_where_a_thread_would_idle() {
        let readings =
            |lengths: &[u64], number| over_files(lengths, threads(number), |_, reading| reading);
        let (beside, in_turn) = (Reading::Beside, Reading::InTurn);
        assert_eq!(readings(&[LARGE; 4], 2), [in_turn; 4]);
        assert_eq!(readings(&[LARGE], 2), [beside]);
        assert_eq!(
            readings(&[5 * LARGE, LARGE, LARGE], 2),
            [beside, in_turn, in_turn]
        );
        // Little work is done by one thread.
        assert_eq!(readings(&[1, 2], 2), [beside; 2]);
        assert_eq!(readings(&[], 2), []);
    }
}
