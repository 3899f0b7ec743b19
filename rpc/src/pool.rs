//! Threads of our own for work that would hold up the async workers: chain reads, cryptography,
//! and waiting for a place in the store's queue. The queue before them is bounded, so overload is
//! an answer and not a growing heap.

use crate::LOG_TARGET;
use std::{
	io,
	num::NonZeroUsize,
	panic::{catch_unwind, AssertUnwindSafe},
	sync::{
		mpsc::{sync_channel, Receiver, SyncSender, TrySendError},
		Arc, Mutex, PoisonError,
	},
	thread,
};

type Job = Box<dyn FnOnce() + Send>;

/// Every thread is at work and the queue is full.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PoolFull;

/// A fixed number of threads and the queue before them. The threads end when it is dropped, after
/// what has been queued.
pub struct Pool {
	jobs: SyncSender<Job>,
}

impl Pool {
	/// Starts `workers` threads behind a queue of `queue` places.
	pub fn new(workers: NonZeroUsize, queue: usize) -> io::Result<Self> {
		let (jobs, waiting) = sync_channel(queue);
		let waiting = Arc::new(Mutex::new(waiting));
		for number in 0..workers.get() {
			let waiting = waiting.clone();
			thread::Builder::new()
				.name(format!("share-intake-{number}"))
				.spawn(move || work(&waiting))?;
		}
		Ok(Self { jobs })
	}

	/// Queues `job`, or refuses it at once. A job that panics is dropped with what it holds, and
	/// its thread goes on.
	pub fn run(&self, job: impl FnOnce() + Send + 'static) -> Result<(), PoolFull> {
		self.jobs.try_send(Box::new(job)).map_err(|refused| match refused {
			TrySendError::Full(_) | TrySendError::Disconnected(_) => PoolFull,
		})
	}
}

fn work(waiting: &Mutex<Receiver<Job>>) {
	loop {
		// The lock is held while waiting: whoever holds it takes the next job.
		let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
		let Ok(job) = next else { return };
		if catch_unwind(AssertUnwindSafe(job)).is_err() {
			log::error!(target: LOG_TARGET, "A share request failed unexpectedly: this is a bug");
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::sync::mpsc::channel;

	const ONE: NonZeroUsize = NonZeroUsize::MIN;

	#[test]
	fn refuses_what_exceeds_threads_and_queue() {
		let pool = Pool::new(ONE, 1).expect("threads");
		let (entered, at_work) = channel();
		let (release, gate) = channel::<()>();
		let held = move || {
			entered.send(()).expect("the test waits");
			gate.recv().expect("released");
		};
		assert_eq!(pool.run(held), Ok(()));
		at_work.recv().expect("at work");
		let (done, finished) = channel();
		assert_eq!(pool.run(move || done.send(()).expect("the test waits")), Ok(()));
		assert_eq!(pool.run(|| ()), Err(PoolFull));
		release.send(()).expect("the job waits");
		finished.recv().expect("what was queued is done");
	}

	#[test]
	fn a_panicking_job_does_not_cost_a_thread() {
		let pool = Pool::new(ONE, 2).expect("threads");
		assert_eq!(pool.run(|| panic!("on purpose")), Ok(()));
		let (done, finished) = channel();
		assert_eq!(pool.run(move || done.send(()).expect("the test waits")), Ok(()));
		finished.recv().expect("the thread goes on");
	}
}
