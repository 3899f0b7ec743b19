//! The intake measured against its own floor, in one run on one machine.
//!
//! The floor is what cannot be saved: opening, checking, proving and resealing each share on
//! every core, and making them durable in groups. The whole is the share listener on loopback
//! over a chain in memory, with 64 clients that keep their connections and send requests made
//! beforehand, each waiting for its durable acknowledgement.
//!
//! `cargo bench --bench load -- [--quick] [--secp256k1] [--shares N]`

#[path = "../tests/all/common/mod.rs"]
mod common;

use crate::common::*;
use keyshare_primitives::{
	messages,
	seal::{SealedShare, ShareContext},
	KeyScheme,
};
use keyshare_rpc::{
	api,
	intake::{Intake, IntakeConfig},
	listener::{self, ListenerConfig},
	store::{ShareStore, FILE_NAME},
};
use rand_chacha::{
	rand_core::{RngCore, SeedableRng},
	ChaCha20Rng,
};
use std::{
	error::Error,
	fs,
	net::SocketAddr,
	num::NonZeroUsize,
	path::Path,
	sync::{
		atomic::{AtomicUsize, Ordering},
		mpsc, Arc,
	},
	thread,
	time::{Duration, Instant},
};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::TcpStream,
	runtime,
};

/// Clients at once.
const CONCURRENCY: usize = 64;
/// Shares by which the floor is measured, and by which the whole warms up.
const SAMPLE: usize = 4_000;

struct Options {
	shares: usize,
	scheme: KeyScheme,
}

impl Options {
	fn read() -> Result<Self, Box<dyn Error>> {
		let mut options = Self { shares: 100_000, scheme: KeyScheme::Ed25519 };
		let mut arguments = std::env::args().skip(1);
		while let Some(argument) = arguments.next() {
			match argument.as_str() {
				"--quick" => options.shares = 12_000,
				"--secp256k1" => options.scheme = KeyScheme::Secp256k1,
				"--shares" => {
					options.shares = arguments.next().ok_or("--shares needs a number")?.parse()?;
				}
				// Cargo adds it.
				"--bench" => {}
				other => return Err(format!("unknown option {other}").into()),
			}
		}
		Ok(options)
	}
}

fn main() -> Result<(), Box<dyn Error>> {
	let options = Options::read()?;
	let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
	let Options { shares, scheme } = options;
	println!("{shares} shares of {scheme:?}, {CONCURRENCY} clients, {cores} cores");
	let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
	let chain = MockChain::new();
	let requests = prepare(&chain, shares + SAMPLE, scheme, cores);

	let (cpu, used) = floor_of_all_cores(scheme, cores)?;
	let disk = floor_of_the_store(&folder.path().join("floor.sqlite"), scheme)?;
	let floor = cpu.min(disk);
	println!("floor: {cpu:.0}/s checked on all cores, {disk:.0}/s made durable → {floor:.0}/s");
	println!("       {:.0} µs of processor a share", microseconds_each(used, SAMPLE));

	let store = ShareStore::open(&folder.path().join(FILE_NAME), &"bench".into(), GENESIS)?;
	let config = IntakeConfig { workers: cores, ..IntakeConfig::default() };
	let intake = Intake::new(config, chain, hosted(), store, uncounted())?;
	let server =
		runtime::Builder::new_multi_thread().worker_threads(cores.get()).enable_all().build()?;
	let listening = server.block_on(listener::start(
		ListenerConfig::at(([127, 0, 0, 1], 0).into()),
		api::module(intake.clone()),
		intake.health().clone(),
	))?;
	let whole = drive(listening.local_addr(), requests)?;
	whole.report(floor);
	Ok(())
}

/// Registers enough keys at the mock chain and makes the requests, each with its HTTP head.
fn prepare(
	chain: &MockChain,
	count: usize,
	scheme: KeyScheme,
	cores: NonZeroUsize,
) -> Vec<Vec<u8>> {
	let keys = count.div_ceil(usize::from(SUBGROUPS));
	let next = AtomicUsize::new(0);
	let deal_some = || {
		let mut dealt = Vec::new();
		loop {
			let number = next.fetch_add(1, Ordering::Relaxed);
			if number >= keys {
				return dealt;
			}
			let key = deal(user(u32::try_from(number).expect("few enough")), 1, scheme);
			let requests = (0..SUBGROUPS).map(|subgroup| http_request(&key.request(subgroup)));
			dealt.push((requests.collect::<Vec<_>>(), key.account, key.key));
		}
	};
	let dealt: Vec<_> = thread::scope(|scope| {
		let threads: Vec<_> = (0..cores.get()).map(|_| scope.spawn(deal_some)).collect();
		threads.into_iter().flat_map(|thread| thread.join().expect("does not panic")).collect()
	});
	let mut made = Vec::with_capacity(keys * usize::from(SUBGROUPS));
	chain.at_best(|view| {
		for (requests, account, key) in dealt {
			made.extend(requests);
			view.begin(account, key);
		}
	});
	made.truncate(count);
	made
}

fn http_request(request: &keyshare_primitives::wire::SubmitShare) -> Vec<u8> {
	let params = serde_json::to_string(request).expect("serializes");
	let body = format!(
		r#"{{"jsonrpc":"2.0","id":1,"method":"keyshare_submitShare","params":[{params}]}}"#
	);
	let length = body.len();
	let head = format!(
		"POST / HTTP/1.1\r\nhost: share\r\ncontent-type: application/json\r\n\
		 content-length: {length}\r\n\r\n"
	);
	(head + &body).into_bytes()
}

/// Shares a second that all cores open, check, prove and reseal, and the processor time of
/// [`SAMPLE`] of them.
fn floor_of_all_cores(
	scheme: KeyScheme,
	cores: NonZeroUsize,
) -> Result<(f64, Duration), Box<dyn Error>> {
	let dealt = deal(user(1), 1, scheme);
	let request = dealt.request(0);
	let sealed = SealedShare { enc: request.enc.0, ciphertext: request.ciphertext.0 };
	let left = AtomicUsize::new(SAMPLE);
	let begin = Instant::now();
	let used: Result<Vec<Duration>, String> = thread::scope(|scope| {
		let check = || check_some(&dealt, &sealed, &left).map_err(|error| error.to_string());
		let threads: Vec<_> = (0..cores.get()).map(|_| scope.spawn(check)).collect();
		threads.into_iter().map(|thread| thread.join().expect("does not panic")).collect()
	});
	Ok((SAMPLE as f64 / begin.elapsed().as_secs_f64(), used?.iter().sum()))
}

/// Takes its part of what is left, and says how long it was at work.
fn check_some(
	dealt: &Dealt,
	sealed: &SealedShare,
	left: &AtomicUsize,
) -> Result<Duration, Box<dyn Error>> {
	use chacha20poly1305::{aead::Aead, KeyInit, XChaCha20Poly1305};
	let (account, key) = (server(0), secret(0));
	let promised = dealt.key.verifying_share(0).expect("one a subgroup");
	let context = ShareContext { id: &dealt.key.id, server: &account, subgroup: 0 };
	let cipher = XChaCha20Poly1305::new(&[7; 32].into());
	let one_less = |left: usize| left.checked_sub(1);
	while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
		let share = key.open(sealed, context).expect("sealed for it");
		let share = share.verify(promised).expect("dealt for it");
		let proof = share.prove(&messages::custody_message(&dealt.key.id, &account));
		let resealed = cipher.encrypt(&[9; 24].into(), share.share().expose_secret().as_slice());
		std::hint::black_box((proof, resealed.is_ok()));
	}
	processor_time_of(Path::new("/proc/thread-self"))
}

/// Shares a second that the store makes durable when they never have to wait for each other.
fn floor_of_the_store(path: &Path, scheme: KeyScheme) -> Result<f64, Box<dyn Error>> {
	let store = ShareStore::open(path, &"bench".into(), GENESIS)?;
	let dealt = deal(user(1), 1, scheme);
	let (share, record) = (dealt.verified(0), dealt.record(0));
	let mut ids = ChaCha20Rng::seed_from_u64(0);
	let (reply, answers) = mpsc::channel();
	let begin = Instant::now();
	for _ in 0..10 * SAMPLE {
		let mut record = record.clone();
		ids.fill_bytes(record.id.as_bytes_mut());
		let reply = reply.clone();
		store.put(record, &share, move |result| {
			reply.send(result.is_ok()).expect("the bench waits");
		});
	}
	drop(reply);
	let stored = answers.iter().filter(|stored| *stored).count();
	let rate = stored as f64 / begin.elapsed().as_secs_f64();
	if stored == 10 * SAMPLE {
		Ok(rate)
	} else {
		Err("the store failed".into())
	}
}

/// What the clients saw.
struct Whole {
	elapsed: Duration,
	/// Of each request, sorted.
	latencies: Vec<Duration>,
	/// Of every thread, the clients' too.
	processor: Duration,
	/// Resident memory in KiB at start, in the middle and at the end.
	resident: [u64; 3],
}

/// Sends every request from [`CONCURRENCY`] clients on a thread of their own; the first
/// [`SAMPLE`] only warm up.
fn drive(addr: SocketAddr, requests: Vec<Vec<u8>>) -> Result<Whole, Box<dyn Error>> {
	let requests = Arc::new(requests);
	let clients = runtime::Builder::new_current_thread().enable_all().build()?;
	clients.block_on(async {
		send(addr, requests.clone(), 0..SAMPLE).await?;
		let middle = SAMPLE + (requests.len() - SAMPLE) / 2;
		let start = resident_kib()?;
		let (begin, used) = (Instant::now(), processor_time()?);
		let mut latencies = send(addr, requests.clone(), SAMPLE..middle).await?;
		let half = resident_kib()?;
		latencies.extend(send(addr, requests.clone(), middle..requests.len()).await?);
		let (elapsed, processor) = (begin.elapsed(), processor_time()? - used);
		let resident = [start, half, resident_kib()?];
		latencies.sort_unstable();
		Ok(Whole { elapsed, latencies, processor, resident })
	})
}

async fn send(
	addr: SocketAddr,
	requests: Arc<Vec<Vec<u8>>>,
	range: std::ops::Range<usize>,
) -> Result<Vec<Duration>, Box<dyn Error>> {
	let next = Arc::new(AtomicUsize::new(range.start));
	let clients: Vec<_> = (0..CONCURRENCY)
		.map(|_| tokio::spawn(client(addr, requests.clone(), next.clone(), range.end)))
		.collect();
	let mut latencies = Vec::with_capacity(range.len());
	for client in clients {
		latencies.extend(client.await??);
	}
	Ok(latencies)
}

async fn client(
	addr: SocketAddr,
	requests: Arc<Vec<Vec<u8>>>,
	next: Arc<AtomicUsize>,
	end: usize,
) -> Result<Vec<Duration>, String> {
	let failed = |error: std::io::Error| error.to_string();
	let mut stream = TcpStream::connect(addr).await.map_err(failed)?;
	stream.set_nodelay(true).map_err(failed)?;
	let mut latencies = Vec::new();
	let mut answer = Vec::with_capacity(2_048);
	loop {
		let number = next.fetch_add(1, Ordering::Relaxed);
		if number >= end {
			return Ok(latencies);
		}
		let begin = Instant::now();
		stream.write_all(&requests[number]).await.map_err(failed)?;
		answer.clear();
		while !is_whole(&answer) {
			if stream.read_buf(&mut answer).await.map_err(failed)? == 0 {
				return Err("the listener closed a connection".into());
			}
		}
		latencies.push(begin.elapsed());
		if !contains(&answer, br#""status":"stored""#) {
			return Err(String::from_utf8_lossy(&answer).into_owned());
		}
	}
}

/// Whether an HTTP answer has all the bytes that its head promises.
fn is_whole(answer: &[u8]) -> bool {
	let Some(head) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
		return false;
	};
	let length = std::str::from_utf8(&answer[..head]).ok().and_then(|head| {
		let line = head.lines().find_map(|line| line.strip_prefix("content-length: "));
		line.and_then(|length| length.parse::<usize>().ok())
	});
	length.is_some_and(|length| answer.len() >= head + 4 + length)
}

/// What the threads that are alive have used.
fn processor_time() -> Result<Duration, Box<dyn Error>> {
	let threads = fs::read_dir("/proc/self/task")?;
	threads.map(|thread| processor_time_of(&thread?.path())).sum()
}

fn processor_time_of(thread: &Path) -> Result<Duration, Box<dyn Error>> {
	let used = fs::read_to_string(thread.join("schedstat"))?;
	let nanoseconds = used.split_whitespace().next().ok_or("no schedstat")?;
	Ok(Duration::from_nanos(nanoseconds.parse()?))
}

fn microseconds_each(used: Duration, count: usize) -> f64 {
	used.as_secs_f64() * 1e6 / count as f64
}

fn resident_kib() -> Result<u64, Box<dyn Error>> {
	let status = fs::read_to_string("/proc/self/status")?;
	let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
	let number = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmRSS")?;
	Ok(number.parse()?)
}

impl Whole {
	fn report(&self, floor: f64) {
		let rate = self.latencies.len() as f64 / self.elapsed.as_secs_f64();
		let percentile = |hundredth: usize| {
			let at = (self.latencies.len() * hundredth / 100).min(self.latencies.len() - 1);
			self.latencies[at].as_secs_f64() * 1_000.0
		};
		let [start, half, end] = self.resident.map(|kib| kib / 1024);
		println!(
			"whole: {rate:.0}/s durably acknowledged, {:.0} % of the floor",
			100.0 * rate / floor
		);
		let used = microseconds_each(self.processor, self.latencies.len());
		println!("       {used:.0} µs of processor a share, the clients' included");
		println!("latency: p50 {:.1} ms, p99 {:.1} ms", percentile(50), percentile(99));
		println!("resident: {start} MiB at the start, {half} MiB half way, {end} MiB at the end");
	}
}
