//! Operators: who is admitted to run validators, and whose validators are whose.
//!
//! Root admits and dismisses operators: these calls are made as `Sudo.sudo(call)`. The operator
//! itself says which validators are its own. What the chain would refuse is found out before
//! anybody signs, as far as the chain's state shows it.

use crate::{
	chain::{At, Chain},
	error::{Error, Refusal, Result, LOOK_AT_OPERATOR, LOOK_AT_VALIDATOR},
	payload::{Payload, SUDO},
	progress::OnProgress,
	submit::{carry_out_until, Signer},
	validator::check_subgroup,
};
use codec::Encode;
use keyshare_primitives::{
	api::{Obstacle, OperatorInfo, OperatorStanding, Readiness, SubgroupInfo, ValidatorInfo},
	membership::MAX_SEATS,
	storage::SUBGROUPS,
	AccountId, SubgroupId,
};
use tokio::time::Instant;

/// The longest name of an operator, in bytes.
pub const MAX_NAME_LENGTH: usize = 32;

/// A call about operators.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OperatorCall {
	/// Admits an operator, or changes the name and the seats of one; as root.
	Admit {
		/// The operator.
		operator: AccountId,
		/// Its name.
		name: String,
		/// The subgroup of all its validators, for ever.
		subgroup: SubgroupId,
		/// How many validators it may have.
		seats: u32,
	},
	/// Dismisses an operator; as root.
	Dismiss {
		/// The operator.
		operator: AccountId,
		/// Whether its members go even if nobody else of the subgroup is ready.
		force: bool,
	},
	/// Wants a validator to be the operator's that signs.
	Assign {
		/// The validator.
		validator: AccountId,
	},
	/// Does not want it any more.
	Unassign {
		/// The validator.
		validator: AccountId,
	},
	/// Lets a validator that was idle be selected again.
	Back {
		/// The validator.
		validator: AccountId,
	},
}

/// What the chain shows of those whom a call is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
	/// Every operator there ever was.
	pub operators: Vec<OperatorInfo>,
	/// The validator that the call names.
	pub validator: Option<ValidatorInfo>,
}

impl Seen {
	/// What the best block shows.
	pub async fn read(chain: &Chain, call: &OperatorCall) -> Result<Self> {
		Self::read_at(chain, call, At::Best).await
	}

	async fn read_at(chain: &Chain, call: &OperatorCall, at: At) -> Result<Self> {
		let operators = chain.operators_at(at).await?;
		let validator = match call.validator() {
			Some(validator) => Some(chain.validator_at(validator, at).await?),
			None => None,
		};
		Ok(Self { operators, validator })
	}

	/// An operator.
	pub fn operator(&self, account: &AccountId) -> Option<&OperatorInfo> {
		self.operators.iter().find(|operator| operator.account == *account)
	}

	fn admitted(&self, account: &AccountId) -> std::result::Result<&OperatorInfo, Refusal> {
		self.operator(account).ok_or_else(|| {
			Refusal::subgroups(
				"NotAnOperator",
				format!("{account} was never admitted as an operator"),
			)
		})
	}
}

impl OperatorCall {
	/// The operator that the call is about, when `signer` signs it.
	pub fn operator<'a>(&'a self, signer: &'a AccountId) -> &'a AccountId {
		match self {
			Self::Admit { operator, .. } | Self::Dismiss { operator, .. } => operator,
			_ => signer,
		}
	}

	/// The validator that the call names.
	pub fn validator(&self) -> Option<&AccountId> {
		match self {
			Self::Assign { validator }
			| Self::Unassign { validator }
			| Self::Back { validator } => Some(validator),
			Self::Admit { .. } | Self::Dismiss { .. } => None,
		}
	}

	/// Whether `now` shows that the call has been made.
	pub fn is_done(&self, signer: &AccountId, now: &Seen) -> bool {
		let operator = self.operator(signer);
		let Some(info) = now.operator(operator) else { return false };
		match self {
			Self::Admit { name, subgroup, seats, .. } => {
				let will_have = info.next_seats.map_or(info.seats, |later| later.value);
				!is_dismissed(info)
					&& info.name == name.as_bytes()
					&& info.subgroup == *subgroup
					&& will_have == *seats
			}
			// Force can be added to a dismissal.
			Self::Dismiss { force, .. } => match info.standing {
				OperatorStanding::Dismissed { force: with_force, .. } => with_force || !force,
				_ => false,
			},
			Self::Assign { validator } => is_among(validator, info),
			Self::Unassign { validator } => !is_among(validator, info),
			Self::Back { .. } => !now.validator.as_ref().is_some_and(is_idle),
		}
	}

	/// What the chain would refuse the call for, when `signer` signs it, on a chain of so many
	/// `subgroups`.
	pub fn check(&self, signer: &AccountId, subgroups: u8, seen: &Seen) -> Result<()> {
		if let Self::Admit { name, subgroup, seats, .. } = self {
			check_input(name, *subgroup, *seats, subgroups)?;
		}
		self.check_state(signer, seen).map_err(Error::Refused)
	}

	fn check_state(&self, signer: &AccountId, seen: &Seen) -> std::result::Result<(), Refusal> {
		let refuse = |name, description: String| Err(Refusal::subgroups(name, description));
		match self {
			Self::Admit { operator, name, subgroup, seats } => {
				check_admission(operator, name, *subgroup, *seats, seen)
			}
			Self::Dismiss { operator, .. } => seen.admitted(operator).map(drop),
			Self::Assign { validator } => {
				let operator = seen.admitted(signer)?;
				if is_dismissed(operator) {
					return refuse("OperatorDismissed", format!("{signer} was dismissed"));
				}
				if is_among(validator, operator) {
					return Ok(());
				}
				if let Some(info) = &seen.validator {
					check_subgroup(validator, info, operator)?;
				}
				let (taken, seats) = (taken(operator), most_seats(operator));
				if taken >= u64::from(seats) {
					return refuse(
						"NoSeatForValidator",
						format!("{signer} has {seats} seats, and {taken} of them are taken"),
					);
				}
				Ok(())
			}
			Self::Unassign { validator } => {
				if is_among(validator, seen.admitted(signer)?) {
					return Ok(());
				}
				refuse("NotAssigned", format!("{signer} has not assigned {validator}"))
			}
			Self::Back { validator } => {
				if !seen.admitted(signer)?.validators.contains(validator) {
					return refuse(
						"NotItsOperator",
						format!("{validator} is not a validator of {signer}"),
					);
				}
				if !seen.validator.as_ref().is_some_and(is_idle) {
					return refuse("NotIdle", format!("{validator} is not idle"));
				}
				Ok(())
			}
		}
	}
}

impl Payload for OperatorCall {
	fn pallet(&self) -> &'static str {
		SUBGROUPS
	}

	fn name(&self) -> &'static str {
		match self {
			Self::Admit { .. } => "admit",
			Self::Dismiss { .. } => "dismiss",
			Self::Assign { .. } => "assign",
			Self::Unassign { .. } => "unassign",
			Self::Back { .. } => "back",
		}
	}

	fn arguments(&self) -> Vec<u8> {
		match self {
			Self::Admit { operator, name, subgroup, seats } => {
				(operator, name.as_bytes(), subgroup, seats).encode()
			}
			Self::Dismiss { operator, force } => (operator, force).encode(),
			Self::Assign { validator }
			| Self::Unassign { validator }
			| Self::Back { validator } => validator.encode(),
		}
	}

	fn needs_root(&self) -> bool {
		matches!(self, Self::Admit { .. } | Self::Dismiss { .. })
	}

	fn if_too_late(&self) -> &'static str {
		match self {
			Self::Back { .. } => LOOK_AT_VALIDATOR,
			_ => LOOK_AT_OPERATOR,
		}
	}

	fn in_words(&self) -> String {
		let details = match self {
			Self::Admit { operator, name, subgroup, seats } => format!(
				"\n  operator: {operator}\n  name: {name}\n  subgroup: {subgroup}, for ever\n  \
				 validators it may have: {seats}"
			),
			Self::Dismiss { operator, force } => {
				let stays = if *force {
					"its members go, even if nobody else of the subgroup is ready"
				} else {
					"if nobody else of the subgroup is ready, its members stay until somebody is"
				};
				format!(
					"\n  operator: {operator}\n  its validators are selected no more; {stays}\n  the \
					 shares that it holds stay in its hands"
				)
			}
			Self::Assign { validator } => format!(
				"\n  validator: {validator}, which has to accept before it is the operator's"
			),
			Self::Unassign { validator } => {
				format!("\n  validator: {validator}, which is the operator's no more")
			}
			Self::Back { validator } => {
				format!("\n  validator: {validator}, which was idle and may be selected again")
			}
		};
		let call = format!("{SUBGROUPS}.{}", self.name());
		if self.needs_root() {
			return format!("{SUDO}.sudo({call}), as root: for the sudo key to sign{details}");
		}
		format!("{call}{details}")
	}
}

/// Makes `call` and waits until the chain shows it done. Gives what the chain shows then.
///
/// Fails without asking for a signature if the chain would refuse the call. A call that is done
/// already is not made again.
pub async fn make(
	chain: &Chain,
	call: &OperatorCall,
	signer: &Signer,
	deadline: Instant,
	progress: &OnProgress,
) -> Result<Seen> {
	let account = signer.account();
	let before = Seen::read(chain, call).await?;
	call.check(&account, chain.parameters().subgroups, &before)?;
	if !call.is_done(&account, &before) && call.needs_root() {
		check_root(&account, chain.sudo_key().await?.as_ref()).map_err(Error::Refused)?;
	}
	carry_out_until(chain, call, signer, deadline, progress, async |at| {
		Ok(call.is_done(&account, &Seen::read_at(chain, call, at).await?))
	})
	.await?;
	Seen::read(chain, call).await
}

/// Whether every ready member of the operator's subgroup is its own, and there is one.
pub fn is_all_that_is_ready(operator: &OperatorInfo, subgroups: &[SubgroupInfo]) -> bool {
	let mut ready = subgroups
		.iter()
		.filter(|subgroup| subgroup.id == operator.subgroup)
		.flat_map(|subgroup| &subgroup.members)
		.filter(|member| member.readiness == Readiness::Ready)
		.peekable();
	ready.peek().is_some()
		&& ready.all(|member| member.operator.as_ref() == Some(&operator.account))
}

fn check_root(
	signer: &AccountId,
	sudo_key: Option<&AccountId>,
) -> std::result::Result<(), Refusal> {
	let description = match sudo_key {
		Some(key) if key == signer => return Ok(()),
		Some(key) => format!("only root may make this call, and the sudo key is {key}"),
		None => "only root may make this call, and this chain has no sudo key any more".into(),
	};
	Err(Refusal { name: Some(format!("{SUDO}::RequireSudo")), description })
}

fn check_input(name: &str, subgroup: SubgroupId, seats: u32, subgroups: u8) -> Result<()> {
	if !name_is_well_formed(name) {
		return Err(Error::Input(format!(
			"an operator's name has 1 to {MAX_NAME_LENGTH} characters of printable ASCII, no space at \
			 either end and no two in a row: choose another"
		)));
	}
	if subgroup >= subgroups {
		return Err(Error::Input(format!(
			"there is no subgroup {subgroup}: this chain has {subgroups}, numbered from 0"
		)));
	}
	if !(1..=MAX_SEATS).contains(&seats) {
		return Err(Error::Input(format!(
			"an operator has 1 to {MAX_SEATS} seats, not {seats}; `keyshare operator dismiss` is for \
			 one that shall have none"
		)));
	}
	Ok(())
}

fn check_admission(
	operator: &AccountId,
	name: &str,
	subgroup: SubgroupId,
	seats: u32,
	seen: &Seen,
) -> std::result::Result<(), Refusal> {
	let others: Vec<_> = seen.operators.iter().filter(|other| other.account != *operator).collect();
	let same_name = |other: &&&OperatorInfo| other.name.eq_ignore_ascii_case(name.as_bytes());
	if let Some(owner) = others.iter().find(same_name) {
		return Err(Refusal::subgroups(
			"NameTaken",
			format!("the name is that of the operator {}", owner.account),
		));
	}
	if let Some(before) = seen.operator(operator).filter(|before| before.subgroup != subgroup) {
		return Err(Refusal::subgroups(
			"OperatorOfAnotherSubgroup",
			format!(
				"{operator} was admitted to subgroup {}, and that is for ever",
				before.subgroup
			),
		));
	}
	let of_others = others
		.iter()
		.filter(|other| other.subgroup == subgroup)
		.fold(0u32, |sum, other| sum.saturating_add(most_seats(other)));
	let room = MAX_SEATS.saturating_sub(of_others);
	if seats > room {
		return Err(Refusal::subgroups(
			"NoSeatsLeft",
			format!("subgroup {subgroup} has room for {room} seats, and not for {seats}"),
		));
	}
	Ok(())
}

fn name_is_well_formed(name: &str) -> bool {
	(1..=MAX_NAME_LENGTH).contains(&name.len())
		&& name.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
		&& name.trim() == name
		&& !name.contains("  ")
}

fn is_dismissed(operator: &OperatorInfo) -> bool {
	matches!(operator.standing, OperatorStanding::Dismissed { .. })
}

/// The most validators it may have as things are.
fn most_seats(operator: &OperatorInfo) -> u32 {
	if is_dismissed(operator) {
		return 0;
	}
	operator.next_seats.map_or(operator.seats, |later| later.value.max(operator.seats))
}

/// How many of its seats are taken, by validators that have accepted or may yet.
pub fn taken(operator: &OperatorInfo) -> u64 {
	operator.validators.len() as u64 + operator.assigned.len() as u64
}

fn is_among(validator: &AccountId, operator: &OperatorInfo) -> bool {
	operator.validators.contains(validator) || operator.assigned.contains(validator)
}

fn is_idle(validator: &ValidatorInfo) -> bool {
	validator.obstacles.iter().any(|obstacle| matches!(obstacle, Obstacle::Idle { .. }))
}

#[cfg(test)]
mod tests;
