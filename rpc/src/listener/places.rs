//! Places for connections and for requests, shared out by address: whoever takes all that it can get keeps
//! nobody else away.

use crate::caller::Address;
use parking_lot::Mutex;
use std::{cmp::Reverse, collections::HashMap, net::IpAddr, sync::Arc, time::Instant};
use tokio::sync::Notify;

/// How many connections there may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Most {
	/// In all.
	pub all: usize,
	/// Of one address.
	pub each: usize,
}

/// The places of the listener's connections.
pub(super) struct Places {
	most: Most,
	taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
	next: u64,
	connections: HashMap<u64, Connection>,
	by: HashMap<Address, usize>,
}

struct Connection {
	address: Address,
	/// Since when it asks for nothing; none while it has a request under way.
	idle_since: Option<Instant>,
	/// Told when another needs its place.
	leave: Arc<Notify>,
}

impl Places {
	pub fn new(most: Most) -> Arc<Self> {
		Arc::new(Self { most, taken: Mutex::default() })
	}

	/// A place for a connection from `address`; `is_proxy` if many come over it. If all are taken, the one
	/// that has been idle longest of the address with the most has to leave, unless the newcomer has as
	/// many itself; and for one that has none yet, the one that has been idle longest of all.
	pub fn take(self: &Arc<Self>, address: IpAddr, is_proxy: bool) -> Option<Place> {
		let address = Address::from(address);
		let mut taken = self.taken.lock();
		let own = taken.by.get(&address).copied().unwrap_or(0);
		if own >= self.most.each && !is_proxy {
			return None;
		}
		if taken.connections.len() >= self.most.all {
			let (most, held) = taken.by.iter().max_by_key(|(_, held)| **held)?;
			let of = (*held > own + 1).then_some(*most);
			if of.is_none() && own > 0 {
				return None;
			}
			taken.send_away(of)?;
		}
		let number = taken.next;
		taken.next += 1;
		let leave = Arc::new(Notify::new());
		let connection =
			Connection { address, idle_since: Some(Instant::now()), leave: leave.clone() };
		taken.connections.insert(number, connection);
		*taken.by.entry(address).or_default() += 1;
		Some(Place { places: self.clone(), number, leave })
	}
}

impl Taken {
	/// Has the connection of an address, or of any, leave that has been idle longest; none if all are at work.
	fn send_away(&mut self, of: Option<Address>) -> Option<()> {
		let is_its = |one: &Connection| of.is_none_or(|address| one.address == address);
		let idle = self.connections.iter().filter(|(_, one)| is_its(one));
		let idle = idle.filter_map(|(number, one)| Some((*number, one.idle_since?)));
		let (number, _) = idle.max_by_key(|(number, since)| Reverse((*since, *number)))?;
		let connection = self.remove(number)?;
		connection.leave.notify_one();
		Some(())
	}

	fn remove(&mut self, number: u64) -> Option<Connection> {
		let connection = self.connections.remove(&number)?;
		if let Some(held) = self.by.get_mut(&connection.address) {
			*held = held.saturating_sub(1);
			if *held == 0 {
				self.by.remove(&connection.address);
			}
		}
		Some(connection)
	}
}

/// A connection's place, until this is dropped or somebody else has it.
pub(super) struct Place {
	places: Arc<Places>,
	number: u64,
	leave: Arc<Notify>,
}

impl Place {
	/// Returns when somebody else has got the place.
	pub async fn lost(&self) {
		self.leave.notified().await;
	}

	/// The connection has a request under way as long as what is given back is there.
	pub fn at_work(&self) -> AtWork<'_> {
		self.set_idle(None);
		AtWork(self)
	}

	fn set_idle(&self, since: Option<Instant>) {
		if let Some(connection) = self.places.taken.lock().connections.get_mut(&self.number) {
			connection.idle_since = since;
		}
	}
}

impl Drop for Place {
	fn drop(&mut self) {
		self.places.taken.lock().remove(self.number);
	}
}

/// See [`Place::at_work`].
pub(super) struct AtWork<'a>(&'a Place);

impl Drop for AtWork<'_> {
	fn drop(&mut self) {
		self.0.set_idle(Some(Instant::now()));
	}
}

/// The requests under way, counted by whoever asks: behind a proxy these are many on one connection's
/// address.
pub(super) struct UnderWay {
	most: usize,
	by: Mutex<HashMap<Address, usize>>,
}

impl UnderWay {
	pub fn new(most: usize) -> Arc<Self> {
		Arc::new(Self { most, by: Mutex::default() })
	}

	/// One more of `address`, until what is given back is dropped; none if it has as many as it may.
	pub fn begin(self: &Arc<Self>, address: Address) -> Option<Request> {
		let mut by = self.by.lock();
		let held = by.entry(address).or_default();
		if *held >= self.most {
			return None;
		}
		*held += 1;
		Some(Request { under_way: self.clone(), address })
	}
}

/// See [`UnderWay::begin`].
pub(super) struct Request {
	under_way: Arc<UnderWay>,
	address: Address,
}

impl Drop for Request {
	fn drop(&mut self) {
		let mut by = self.under_way.by.lock();
		if let Some(held) = by.get_mut(&self.address) {
			*held = held.saturating_sub(1);
			if *held == 0 {
				by.remove(&self.address);
			}
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use futures::FutureExt;

	fn address(number: u8) -> IpAddr {
		[192, 0, 2, number].into()
	}

	fn is_lost(place: &Place) -> bool {
		place.lost().now_or_never().is_some()
	}

	#[test]
	fn one_address_has_no_more_than_its_share_but_for_a_proxy() {
		let places = Places::new(Most { all: 10, each: 2 });
		let held = [places.take(address(1), false), places.take(address(1), false)];
		assert!(held.iter().all(Option::is_some));
		assert!(places.take(address(1), false).is_none());
		assert!(places.take(address(1), true).is_some());
		assert!(places.take(address(2), false).is_some());
		drop(held);
		assert!(places.take(address(1), false).is_some(), "given back");
		assert!(places.taken.lock().by.is_empty(), "and forgotten");
	}

	#[test]
	fn who_has_most_gives_up_its_longest_idle_connection_to_a_newcomer() {
		let places = Places::new(Most { all: 4, each: 3 });
		let greedy: Vec<_> =
			(0..3).map(|_| places.take(address(1), false).expect("a place")).collect();
		let other = places.take(address(2), false).expect("a place");
		let at_work = greedy[0].at_work();
		let newcomer = places.take(address(3), false).expect("somebody leaves");
		assert_eq!(greedy.iter().map(is_lost).collect::<Vec<_>>(), [false, true, false]);
		assert!(!is_lost(&other) && !is_lost(&newcomer));
		let fourth = places.take(address(4), false).expect("one of two leaves");
		assert!(is_lost(&greedy[2]));
		// Each has one now, and the newcomers come from ever other addresses.
		let fifth = places.take(address(5), false).expect("who is idle gives way to who has none");
		assert!(is_lost(&other) && !is_lost(&fourth) && !is_lost(&fifth));
		assert!(places.take(address(5), false).is_none(), "who has one has its share");
		drop(at_work);
	}

	#[test]
	fn who_is_at_work_is_not_sent_away() {
		let places = Places::new(Most { all: 2, each: 2 });
		let held: Vec<_> =
			(0..2).map(|_| places.take(address(1), false).expect("a place")).collect();
		let at_work: Vec<_> = held.iter().map(Place::at_work).collect();
		assert!(places.take(address(2), false).is_none());
		drop(at_work);
		assert!(places.take(address(2), false).is_some());
		assert!(is_lost(&held[0]) != is_lost(&held[1]));
	}

	#[test]
	fn requests_under_way_are_counted_by_address() {
		let under_way = UnderWay::new(1);
		let one = Address::from(address(1));
		let first = under_way.begin(one).expect("the first");
		assert!(under_way.begin(one).is_none());
		assert!(under_way.begin(address(2).into()).is_some());
		drop(first);
		assert!(under_way.begin(one).is_some());
		assert!(under_way.by.lock().is_empty());
	}
}
