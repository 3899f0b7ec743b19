//! Operators, as JSON and in words.

use keyshare_client::operator::taken;
use keyshare_primitives::{
	api::{Later, OperatorInfo, OperatorStanding},
	BlockNumber, SubgroupId,
};
use serde::Serialize;

/// Result of `operator list`.
#[derive(Serialize)]
pub struct Operators {
	/// By subgroup.
	operators: Vec<Operator>,
}

/// One operator: result of `operator status`, and of the calls about one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Operator {
	operator: String,
	name: String,
	/// The subgroup of all its validators, for ever.
	subgroup: SubgroupId,
	/// `pending`, `in-force` or `dismissed`.
	standing: &'static str,
	/// With `dismissed`: whether its members go even if nobody else of the subgroup is ready.
	force: Option<bool>,
	/// The block from which on it stands so; with `pending`, the first in which it is in force.
	since: BlockNumber,
	/// With `pending`: how many blocks are left until then.
	blocks_left: Option<BlockNumber>,
	/// How many validators it may have now.
	seats: u32,
	/// How many of its seats are taken, by validators that have accepted or may yet.
	seats_taken: u64,
	/// How many it may have from a block on, if that is to change.
	next_seats: Option<NextSeats>,
	/// Validators that have accepted it.
	validators: Vec<String>,
	/// Validators that it has assigned and that have not accepted yet.
	assigned: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NextSeats {
	seats: u32,
	from: BlockNumber,
	blocks_left: BlockNumber,
}

/// An operator's name: the chain takes printable ASCII only.
pub fn name_of(info: &OperatorInfo) -> String {
	String::from_utf8_lossy(&info.name).into_owned()
}

impl From<&OperatorInfo> for Operator {
	fn from(info: &OperatorInfo) -> Self {
		let (standing, since, blocks_left) = match info.standing {
			OperatorStanding::Pending { from, blocks_left } => ("pending", from, Some(blocks_left)),
			OperatorStanding::Admitted { since } => ("in-force", since, None),
			OperatorStanding::Dismissed { since, .. } => ("dismissed", since, None),
		};
		let force = match info.standing {
			OperatorStanding::Dismissed { force, .. } => Some(force),
			_ => None,
		};
		let accounts = |list: &[keyshare_primitives::AccountId]| {
			list.iter().map(ToString::to_string).collect::<Vec<_>>()
		};
		Self {
			operator: info.account.to_string(),
			name: name_of(info),
			subgroup: info.subgroup,
			standing,
			force,
			since,
			blocks_left,
			seats: info.seats,
			seats_taken: taken(info),
			next_seats: info.next_seats.map(|Later { value, from, blocks_left }| NextSeats {
				seats: value,
				from,
				blocks_left,
			}),
			validators: accounts(&info.validators),
			assigned: accounts(&info.assigned),
		}
	}
}

impl Operator {
	/// The same in words.
	pub fn words(&self) -> String {
		format!("subgroup {}: {}", self.subgroup, self.in_its_subgroup())
	}

	fn in_its_subgroup(&self) -> String {
		let Self { operator, name, since, seats_taken, .. } = self;
		let standing = match (self.standing, self.blocks_left) {
			("pending", Some(left)) => format!("in force in {left} blocks, from block {since} on"),
			("dismissed", _) if self.force == Some(true) => {
				format!("dismissed in block {since}, with force")
			}
			("dismissed", _) => format!("dismissed in block {since}"),
			_ => format!("in force since block {since}"),
		};
		let seats = match (self.standing, &self.next_seats) {
			("dismissed", _) => "its validators are selected no more".into(),
			("pending", Some(then)) => format!("{seats_taken} of {} seats taken", then.seats),
			(_, None) => format!("{seats_taken} of {} seats taken", self.seats),
			(_, Some(NextSeats { seats, from, blocks_left })) => format!(
				"{seats_taken} of {} seats taken; {seats} seats in {blocks_left} blocks, from block \
				 {from} on",
				self.seats
			),
		};
		let mut words = format!("{name} ({operator})\n    {standing}\n    {seats}");
		for validator in &self.validators {
			words += &format!("\n    validator {validator}");
		}
		for validator in &self.assigned {
			words += &format!("\n    assigned, and has not accepted: {validator}");
		}
		words
	}
}

impl Operators {
	/// Every operator there ever was, by subgroup.
	pub fn new(operators: &[OperatorInfo]) -> Self {
		let mut operators: Vec<_> = operators.iter().map(Operator::from).collect();
		// Stable: within a subgroup as the chain names them.
		operators.sort_by_key(|operator| operator.subgroup);
		Self { operators }
	}

	/// The same in words.
	pub fn words(&self) -> String {
		if self.operators.is_empty() {
			return "no operator was ever admitted".into();
		}
		let mut lines = Vec::new();
		let mut subgroup = None;
		for operator in &self.operators {
			if subgroup != Some(operator.subgroup) {
				subgroup = Some(operator.subgroup);
				lines.push(format!("subgroup {}:", operator.subgroup));
			}
			lines.push(format!("  {}", operator.in_its_subgroup()));
		}
		lines.join("\n")
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use keyshare_primitives::AccountId;

	fn operator(byte: u8, subgroup: SubgroupId, standing: OperatorStanding) -> OperatorInfo {
		OperatorInfo {
			account: AccountId::new([byte; 32]),
			name: format!("Operator {byte}").into_bytes(),
			subgroup,
			standing,
			seats: 2,
			next_seats: None,
			validators: vec![AccountId::new([0x41; 32])],
			assigned: vec![AccountId::new([0x42; 32])],
		}
	}

	#[test]
	fn operators_are_listed_by_subgroup_with_their_standing_and_seats() {
		let later = |seats| Some(Later { value: seats, from: 20, blocks_left: 8 });
		let pending = OperatorInfo {
			seats: 0,
			next_seats: later(3),
			..operator(1, 1, OperatorStanding::Pending { from: 20, blocks_left: 8 })
		};
		let growing = OperatorInfo {
			next_seats: later(4),
			..operator(2, 0, OperatorStanding::Admitted { since: 5 })
		};
		let dismissed = operator(3, 1, OperatorStanding::Dismissed { since: 6, force: true });
		let words = Operators::new(&[pending, growing, dismissed]).words();
		let places: Vec<_> = [
			"subgroup 0:",
			"Operator 2",
			"in force since block 5",
			"2 of 2 seats taken; 4 seats in 8 blocks, from block 20 on",
			&AccountId::new([0x41; 32]).to_string(),
			"assigned, and has not accepted",
			"subgroup 1:",
			"Operator 1",
			"in force in 8 blocks, from block 20 on",
			"2 of 3 seats taken",
			"Operator 3",
			"dismissed in block 6, with force",
			"selected no more",
		]
		.into_iter()
		.map(|part| words.find(part).unwrap_or_else(|| panic!("{part} in {words}")))
		.collect();
		assert!(places.is_sorted(), "{words}");
		assert_eq!(words.matches("subgroup ").count(), 2);
	}

	#[test]
	fn nobody_is_said_to_be_nobody() {
		assert!(Operators::new(&[]).words().contains("no operator"));
	}
}
