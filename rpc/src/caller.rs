//! Who asks, as far as a node can tell, and how much each may ask of what costs the node something.

use keyshare_primitives::AccountId;
use parking_lot::Mutex;
use std::{
	collections::HashMap,
	hash::Hash,
	net::{IpAddr, Ipv6Addr},
	time::{Duration, Instant},
};

/// An address on the network, by which the node's work is shared out. Of IPv6, the network of 64 bits:
/// whoever has one of its addresses has them all.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Address(IpAddr);

impl From<IpAddr> for Address {
	fn from(address: IpAddr) -> Self {
		Self(match address.to_canonical() {
			IpAddr::V6(address) => {
				let network = u128::from(address) >> 64 << 64;
				Ipv6Addr::from(network).into()
			}
			address => address,
		})
	}
}

/// Whoever has sent a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caller {
	/// Over the share listener, from this address.
	At(Address),
	/// Over the node's ordinary RPC, which its operator keeps from the world.
	Ordinary,
}

/// How much of something each may have in a time. What is over is refused until the next begins.
pub struct Budget<Key> {
	limit: u32,
	window: Duration,
	spent: Mutex<Spent<Key>>,
}

struct Spent<Key> {
	since: Instant,
	by: HashMap<Key, u32>,
}

/// For how many a budget is kept at a time. Those beyond have none: there are so many only if somebody makes
/// them up, and then a common one would be spent by him, for everybody. The queues bound what they can do.
const MOST_KEYS: usize = 65_536;

impl<Key: Hash + Eq> Budget<Key> {
	/// So much for each in every `window`.
	pub fn new(limit: u32, window: Duration) -> Self {
		let spent = Spent { since: Instant::now(), by: HashMap::new() };
		Self { limit, window, spent: Mutex::new(spent) }
	}

	/// Whether something is left; if not, in how long it will be.
	pub fn left(&self, key: &Key, now: Instant) -> Result<(), Duration> {
		let mut spent = self.spent.lock();
		spent.begin_anew(self.window, now);
		if spent.by.get(key).is_none_or(|by| *by < self.limit) {
			return Ok(());
		}
		Err(self.window.saturating_sub(now.saturating_duration_since(spent.since)))
	}

	/// Takes one, whether or not it is left.
	pub fn spend(&self, key: Key, now: Instant) {
		let mut spent = self.spent.lock();
		spent.begin_anew(self.window, now);
		if spent.by.len() >= MOST_KEYS && !spent.by.contains_key(&key) {
			return;
		}
		let by = spent.by.entry(key).or_default();
		*by = by.saturating_add(1);
	}

	/// Takes one, if it is left.
	pub fn take(&self, key: Key, now: Instant) -> Result<(), Duration> {
		self.left(&key, now)?;
		self.spend(key, now);
		Ok(())
	}
}

impl<Key> Spent<Key> {
	fn begin_anew(&mut self, window: Duration, now: Instant) {
		if now.saturating_duration_since(self.since) >= window {
			// The memory of an attack is given back too.
			(self.since, self.by) = (now, HashMap::new());
		}
	}
}

/// The budgets of the intake, each for a minute. Honest callers keep far away from them; behind a proxy that
/// the listener is not told of, everybody has one in common.
pub struct Budgets {
	/// Envelopes that do not open, or hold a wrong share: each costs a curve operation.
	pub wrong_envelopes: Budget<Address>,
	/// Fresh proofs, and receipts for shares that are here already: each costs a curve operation.
	pub proofs: Budget<Address>,
	/// Requests for shares whose signature is wrong, which costs a curve operation.
	pub wrong_signatures: Budget<Address>,
	/// Requests for shares, by the server that has signed them: each costs as many curve operations as it
	/// asks for shares.
	pub handovers: Budget<AccountId>,
}

impl Default for Budgets {
	fn default() -> Self {
		let minute = Duration::from_secs(60);
		Self {
			wrong_envelopes: Budget::new(64, minute),
			proofs: Budget::new(1_200, minute),
			wrong_signatures: Budget::new(64, minute),
			// 3,200 shares a second: more than a newcomer can check and write.
			handovers: Budget::new(6_000, minute),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const WINDOW: Duration = Duration::from_secs(60);

	fn address(text: &str) -> Address {
		text.parse::<IpAddr>().expect("an address").into()
	}

	#[test]
	fn all_addresses_of_a_64_bit_network_are_one() {
		assert_eq!(address("2001:db8:1:2::3"), address("2001:db8:1:2:ffff::4"));
		assert_ne!(address("2001:db8:1:2::3"), address("2001:db8:1:3::3"));
		assert_eq!(address("::ffff:192.0.2.1"), address("192.0.2.1"));
		assert_ne!(address("192.0.2.1"), address("192.0.2.2"));
	}

	#[test]
	fn who_has_spent_its_budget_waits_for_the_next_and_others_do_not() {
		let (budget, now) = (Budget::new(2, WINDOW), Instant::now());
		let (one, other) = (address("192.0.2.1"), address("192.0.2.2"));
		assert_eq!(budget.take(one, now), Ok(()));
		assert_eq!(budget.take(one, now), Ok(()));
		let later = now + WINDOW / 4;
		let wait = budget.take(one, later).expect_err("spent");
		assert!(wait <= WINDOW * 3 / 4 && wait > WINDOW / 2, "{wait:?}");
		assert_eq!(budget.take(other, later), Ok(()));
		assert_eq!(budget.take(one, now + WINDOW * 2), Ok(()));
	}

	#[test]
	fn whoever_makes_up_addresses_spends_nobodys_budget_and_no_memory() {
		let (budget, now) = (Budget::new(2, WINDOW), Instant::now());
		let numbers = u32::try_from(MOST_KEYS).expect("small");
		for number in 0..numbers {
			budget.spend(number, now);
		}
		for _ in 0..3 {
			assert_eq!(budget.take(numbers, now), Ok(()));
		}
		assert_eq!(budget.take(0, now), Ok(()), "who was known before has its own");
		assert!(budget.take(0, now).is_err());
		assert_eq!(budget.spent.lock().by.len(), MOST_KEYS);
	}
}
