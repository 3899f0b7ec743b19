//! What one share costs, piece by piece.

#[path = "../tests/all/common/mod.rs"]
mod common;

use crate::common::*;
use criterion::{criterion_group, criterion_main, BatchSize, Criterion, Throughput};
use keyshare_primitives::{
	messages,
	seal::{SealedShare, ShareContext},
	KeyScheme, RegistrationId,
};
use keyshare_rpc::store::{ShareRecord, ShareStore};
use rand_chacha::{
	rand_core::{RngCore, SeedableRng},
	ChaCha20Rng,
};
use std::{hint::black_box, sync::mpsc};

/// Shares that wait together at the store.
const GROUP: u64 = 64;

fn cryptography(criterion: &mut Criterion) {
	for scheme in SCHEMES {
		let mut group = criterion.benchmark_group(format!("{scheme:?}"));
		let dealt = deal(user(1), 1, scheme);
		let (request, account, key) = (dealt.request(0), server(0), secret(0));
		let sealed = SealedShare { enc: request.enc.0, ciphertext: request.ciphertext.0 };
		let context = ShareContext { id: &dealt.key.id, server: &account, subgroup: 0 };
		group.bench_function("HPKE open", |bencher| {
			bencher.iter(|| key.open(black_box(&sealed), context).expect("sealed for it"));
		});
		let promised = dealt.key.verifying_share(0).expect("one a subgroup");
		group.bench_function("share check", |bencher| {
			bencher.iter_batched(
				|| dealt.shares[0].clone(),
				|share| share.verify(black_box(promised)).expect("dealt for it"),
				BatchSize::SmallInput,
			);
		});
		let share = dealt.verified(0);
		let message = messages::custody_message(&dealt.key.id, &account);
		group.bench_function("custody proof", |bencher| {
			bencher.iter(|| share.prove(black_box(&message)));
		});
		group.finish();
	}
}

/// A durable commit of one share, and of many that wait together.
fn store(criterion: &mut Criterion) {
	let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
	let store = open_store(&folder);
	let mut fresh = Fresh::new();
	let mut group = criterion.benchmark_group("store");
	for size in [1, GROUP] {
		group.throughput(Throughput::Elements(size));
		group.bench_function(format!("commit of {size}"), |bencher| {
			bencher.iter_batched(
				|| (0..size).map(|_| fresh.record()).collect::<Vec<_>>(),
				|records| put_all(&store, records),
				BatchSize::PerIteration,
			);
		});
	}
	group.finish();
}

/// Records of one key's share under ever new ids: the store does not look at proofs.
struct Fresh {
	record: ShareRecord,
	ids: ChaCha20Rng,
}

impl Fresh {
	fn new() -> Self {
		let record = deal(user(1), 1, KeyScheme::Ed25519).record(0);
		Self { record, ids: ChaCha20Rng::seed_from_u64(0) }
	}

	fn record(&mut self) -> ShareRecord {
		let mut id = [0; 32];
		self.ids.fill_bytes(&mut id);
		ShareRecord { id: RegistrationId::from(id), ..self.record.clone() }
	}
}

fn put_all(store: &ShareStore, records: Vec<ShareRecord>) {
	let share = deal(user(1), 1, KeyScheme::Ed25519).verified(0);
	let (reply, answers) = mpsc::channel();
	for record in records {
		let reply = reply.clone();
		store.put(record, &share, move |result| {
			reply.send(result.is_ok()).expect("the bench waits");
		});
	}
	drop(reply);
	assert!(answers.iter().all(|stored| stored));
}

criterion_group!(pieces, cryptography, store);
criterion_main!(pieces);
