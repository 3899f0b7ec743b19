//! Users by the hundred, each with an account and a key made from its number, over the tool's own
//! library: starting a process for each would only measure that.

use keyshare_client::{
	account::signer_from_secret,
	call::Call,
	chain::Chain,
	dealing::{Checked, Dealing},
	deliver::deliver,
	progress::{silent, OnProgress},
	submit::{carry_out, Sent, Signer},
	Result,
};
use keyshare_primitives::{
	api::{AccountInfo, RegistrationInfo},
	split::PrivateKey,
	AccountId, Constraints, KeyScheme,
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};

/// Attempts that are under way at a time: as many as keep every block busy.
const AT_A_TIME: usize = 50;

/// A user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct User(pub u16);

impl User {
	/// Its account.
	pub fn account(self) -> AccountId {
		self.signer().account()
	}

	/// Who signs for it.
	pub fn signer(self) -> Signer {
		let secret = format!("0x{:064x}", u32::from(self.0) + 1);
		Signer::Key(Box::new(signer_from_secret(&secret).expect("a seed is a secret")))
	}

	/// Its private key: every other one is of the other scheme.
	pub fn key(self) -> PrivateKey {
		let mut secret = [7; 32];
		secret[..2].copy_from_slice(&self.0.to_be_bytes());
		let scheme = [KeyScheme::Ed25519, KeyScheme::Secp256k1][usize::from(self.0 % 2)];
		PrivateKey::new(scheme, secret).expect("far below the group's order")
	}

	/// Begins an attempt, and waits until the chain shows it. Sends nothing to any server.
	pub async fn begin(self, chain: &Chain, deadline: Instant) -> Result<Checked> {
		let (account, key) = (self.account(), self.key());
		let before = chain.registration(&account).await?;
		let generation = before.generation + 1;
		let (parameters, genesis) = (chain.parameters(), chain.genesis());
		let dealing = Dealing::new(&key, parameters, genesis, &account, generation)?;
		let call = Call::Register {
			constraint_account: account.clone(),
			constraints: Constraints::default(),
			bitcoin: Default::default(),
			key: dealing.commitments.clone(),
		};
		let (info, _) = carry_out(chain, &call, &self.signer(), deadline, &silent()).await?;
		let shown = shown(&info).find(|shown| shown.key.commitments == dealing.commitments);
		let record = &shown.expect("it was carried out").key;
		Ok(dealing.check(parameters, genesis, &account, record)?)
	}

	/// Registers its key within `patience`: with the attempt that the chain shows, if there is one.
	pub async fn register(
		self,
		chain: &Chain,
		patience: Duration,
		progress: &OnProgress,
	) -> Result<RegistrationInfo> {
		let deadline = Instant::now() + patience;
		let account = self.account();
		let info = chain.registration(&account).await?;
		let dealing = match shown(&info).next() {
			Some(RegistrationInfo { key, .. }) => {
				let (parameters, genesis) = (chain.parameters(), chain.genesis());
				Dealing::find(&self.key(), parameters, genesis, &account, key)?
					.check(parameters, genesis, &account, key)?
			}
			None => self.begin(chain, deadline).await?,
		};
		Ok(deliver(chain, &account, &dealing, Sent::nothing(), deadline, progress)
			.await?
			.registration)
	}
}

fn shown(info: &AccountInfo) -> impl Iterator<Item = &RegistrationInfo> {
	info.registering.iter().chain(&info.registered)
}

/// Registers the keys of several users, and gives what each came to.
pub async fn register_all(
	chain: &Arc<Chain>,
	users: impl IntoIterator<Item = User>,
	patience: Duration,
) -> Vec<(User, Result<RegistrationInfo>)> {
	let places = Arc::new(Semaphore::new(AT_A_TIME));
	let mut tasks = JoinSet::new();
	for user in users {
		let (chain, places) = (chain.clone(), places.clone());
		tasks.spawn(async move {
			let _place = places.acquire().await.expect("never closed");
			(user, user.register(&chain, patience, &silent()).await)
		});
	}
	tasks.join_all().await
}
