//! Threads of our own for work that would hold up the async workers: chain reads, cryptography,
//! and waiting for a place in the store's queue. The queues before them are bounded, so overload is
//! an answer and not a growing heap.
//!
//! Each kind of work waits in a queue of its own, and the threads take from the queues in turn: however
//! many of one kind there are, those of another wait for one of them and not for all.

use crate::LOG_TARGET;
use parking_lot::{Condvar, Mutex};
use std::{
	collections::VecDeque,
	io,
	num::NonZeroUsize,
	panic::{catch_unwind, AssertUnwindSafe},
	sync::Arc,
	thread,
};

type Job = Box<dyn FnOnce() + Send>;

/// A kind of work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lane {
	/// Shares from clients.
	Submissions,
	/// Shares for other servers.
	Handovers,
	/// Everything else that is asked.
	Queries,
}

const LANES: usize = 3;

/// The lane's queue is full.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LaneFull;

/// A fixed number of threads and the queues before them. The threads end when it is dropped, after
/// what has been queued.
pub struct Pool {
	shared: Arc<Shared>,
	/// Places in each lane.
	places: usize,
}

#[derive(Default)]
struct Shared {
	queues: Mutex<Queues>,
	/// Something was queued, or the pool is closed.
	changed: Condvar,
}

#[derive(Default)]
struct Queues {
	waiting: [VecDeque<Job>; LANES],
	/// The lane whose turn it is.
	turn: usize,
	is_closed: bool,
}

impl Queues {
	/// The next job: of the lane whose turn it is, or of the first after it in which one waits.
	fn next(&mut self) -> Option<Job> {
		let lane = (self.turn..self.turn + LANES)
			.map(|lane| lane % LANES)
			.find(|lane| !self.waiting[*lane].is_empty())?;
		self.turn = (lane + 1) % LANES;
		self.waiting[lane].pop_front()
	}
}

impl Pool {
	/// Starts `workers` threads behind lanes of `places` places each.
	pub fn new(workers: NonZeroUsize, places: usize) -> io::Result<Self> {
		// If the system has too few threads to give, those that it gave end with this.
		let pool = Self { shared: Arc::default(), places };
		for number in 0..workers.get() {
			let shared = pool.shared.clone();
			thread::Builder::new()
				.name(format!("share-intake-{number}"))
				.spawn(move || work(&shared))?;
		}
		Ok(pool)
	}

	/// Queues `job`, or refuses it at once. A job that panics is dropped with what it holds, and
	/// its thread goes on.
	pub fn run(&self, lane: Lane, job: impl FnOnce() + Send + 'static) -> Result<(), LaneFull> {
		let mut queues = self.shared.queues.lock();
		let queue = &mut queues.waiting[lane as usize];
		if queue.len() >= self.places {
			return Err(LaneFull);
		}
		queue.push_back(Box::new(job));
		drop(queues);
		self.shared.changed.notify_one();
		Ok(())
	}
}

impl Drop for Pool {
	fn drop(&mut self) {
		self.shared.queues.lock().is_closed = true;
		self.shared.changed.notify_all();
	}
}

fn work(shared: &Shared) {
	loop {
		let mut queues = shared.queues.lock();
		let job = loop {
			if let Some(job) = queues.next() {
				break job;
			}
			if queues.is_closed {
				return;
			}
			shared.changed.wait(&mut queues);
		};
		drop(queues);
		if catch_unwind(AssertUnwindSafe(job)).is_err() {
			log::error!(target: LOG_TARGET, "A share request failed unexpectedly: this is a bug");
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::sync::mpsc::{channel, Sender};

	const ONE: NonZeroUsize = NonZeroUsize::MIN;

	/// Keeps the only thread at work until what is given back is used or dropped.
	fn held(pool: &Pool) -> Sender<()> {
		let (entered, at_work) = channel();
		let (release, gate) = channel::<()>();
		let hold = move || {
			entered.send(()).expect("the test waits");
			assert!(gate.recv().is_err(), "the sender is dropped");
		};
		assert_eq!(pool.run(Lane::Queries, hold), Ok(()));
		at_work.recv().expect("at work");
		release
	}

	#[test]
	fn refuses_what_exceeds_threads_and_queue() {
		let pool = Pool::new(ONE, 1).expect("threads");
		let release = held(&pool);
		let (done, finished) = channel();
		let job = move || done.send(()).expect("the test waits");
		assert_eq!(pool.run(Lane::Queries, job), Ok(()));
		assert_eq!(pool.run(Lane::Queries, || ()), Err(LaneFull));
		drop(release);
		finished.recv().expect("what was queued is done");
	}

	#[test]
	fn a_flood_of_one_kind_lets_the_others_pass() {
		let pool = Pool::new(ONE, 100).expect("threads");
		let release = held(&pool);
		let (done, finished) = channel();
		let job = |lane| {
			let done = done.clone();
			move || done.send(lane).expect("the test waits")
		};
		for _ in 0..100 {
			assert_eq!(pool.run(Lane::Submissions, job(Lane::Submissions)), Ok(()));
		}
		assert_eq!(pool.run(Lane::Submissions, || ()), Err(LaneFull));
		assert_eq!(pool.run(Lane::Handovers, job(Lane::Handovers)), Ok(()));
		assert_eq!(pool.run(Lane::Queries, job(Lane::Queries)), Ok(()));
		drop(release);
		let first: Vec<_> = finished.iter().take(LANES).collect();
		for lane in [Lane::Submissions, Lane::Handovers, Lane::Queries] {
			assert!(first.contains(&lane), "{lane:?} is among {first:?}");
		}
	}

	#[test]
	fn what_is_queued_is_done_though_the_pool_is_dropped() {
		let pool = Pool::new(ONE, 1).expect("threads");
		let release = held(&pool);
		let (done, finished) = channel();
		let job = move || done.send(()).expect("the test waits");
		assert_eq!(pool.run(Lane::Queries, job), Ok(()));
		drop((pool, release));
		finished.recv().expect("done");
	}

	#[test]
	fn a_panicking_job_does_not_cost_a_thread() {
		let pool = Pool::new(ONE, 2).expect("threads");
		assert_eq!(pool.run(Lane::Queries, || panic!("on purpose")), Ok(()));
		let (done, finished) = channel();
		let job = move || done.send(()).expect("the test waits");
		assert_eq!(pool.run(Lane::Queries, job), Ok(()));
		finished.recv().expect("the thread goes on");
	}
}
