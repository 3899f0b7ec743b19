//! What must rise from one release to the next, over the list in `releases.toml` and from its last entry to
//! today's runtime. `docs/releasing.md` has the rules in words.
//!
//! Of the last release there is a record, `runtime/releases/VERSION.txt`: the snapshot of the metadata, and
//! behind it all that a transaction is encoded with. It is written once, in the commit that enters the
//! release: `KEYSHARE_WRITE_SNAPSHOT=1 cargo test … --lib the_runtime_follows_the_last_release`.

use crate::{Runtime, VERSION};
use codec::Decode;
use frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed};
use keyshare_primitives::PROTOCOL_VERSION;
use scale_info::{form::PortableForm, Field, PortableRegistry, Type, TypeDef};
use std::{
	collections::{BTreeMap, BTreeSet},
	fs,
};

const RUNTIME: &str = env!("CARGO_MANIFEST_DIR");
/// With this begin the lines of a record that say how transactions are encoded.
const TRANSACTION: &str = "transaction ";

#[test]
fn the_runtime_follows_the_last_release() {
	let list = fs::read_to_string(format!("{RUNTIME}/../releases.toml")).expect("it is there");
	let releases = releases(&list).expect("of the form that its comment shows");
	assert_eq!(ascend(&releases), Ok(()));

	let (today, now) = (Release::today(), description());
	assert_eq!(follows(&today, &now, &today, &now), Ok(()), "what has not changed may stay");
	let Some(last) = releases.last() else { return };
	let folder = format!("{RUNTIME}/releases");
	let path = format!("{folder}/{}.txt", last.name());
	let write = std::env::var_os("KEYSHARE_WRITE_SNAPSHOT").is_some();
	if write && !fs::exists(&path).expect("the checkout can be read") {
		assert_eq!(today.spec, last.spec, "a release's record is that of its own runtime");
		fs::create_dir_all(folder).expect("the checkout can be written to");
		fs::write(&path, &now).expect("the checkout can be written to");
	}
	let Ok(record) = fs::read_to_string(&path) else {
		panic!("{path} is missing: see the last step in docs/releasing.md");
	};
	assert_eq!(follows(last, &record, &today, &now), Ok(()));
}

#[test]
fn versions_that_do_not_rise_are_told() {
	let text = description();
	let last = Release { version: [0, 2, 0], spec: 4, transaction: 3, protocol: 2 };
	let next = Release { version: [0, 3, 0], spec: 5, ..last };
	let holds = |today: Release, now: &str| follows(&last, &text, &today, now).is_ok();

	assert!(holds(last, &text) && holds(next, &text));
	assert_eq!(ascend(&[last, next]), Ok(()));
	for lower in [
		Release { version: [0, 1, 9], ..next },
		Release { spec: 3, ..next },
		Release { transaction: 2, ..next },
		Release { protocol: 1, ..next },
	] {
		assert!(!holds(lower, &text), "{lower:?} follows");
		assert!(ascend(&[last, lower]).is_err(), "{lower:?} was released");
	}
	// Each release has a version of its own, and a runtime to upgrade to.
	for same in [Release { version: last.version, ..next }, Release { spec: last.spec, ..next }] {
		assert!(ascend(&[last, same]).is_err(), "{same:?} was released");
	}

	// Whatever looks otherwise from outside.
	let other = text.replacen("pallet Registration", "pallet Registrations", 1);
	assert_ne!(other, text);
	assert!(!holds(last, &other) && holds(next, &other));
	// Never alone.
	assert!(!holds(Release { transaction: 4, ..last }, &text));
}

#[test]
fn a_transaction_that_would_be_read_otherwise_is_told() {
	let text = description();
	let lines: Vec<_> = text.lines().filter(|line| line.starts_with(TRANSACTION)).collect();
	// The way from the outermost call to what is deep inside, and what is signed beside it.
	for part in [
		"envelope: version ",
		", CheckMetadataHash(",
		"RuntimeCall 11: Registration(",
		"::Call 0: register(",
		"::SolanaAllow 0: Pay(",
	] {
		assert!(lines.iter().any(|line| line.contains(part)), "nothing has {part}");
	}

	let last = Release::today();
	let (spec, transaction) = (last.spec + 1, last.transaction + 1);
	let holds = |today: Release, now: &str| follows(&last, &text, &today, now).is_ok();
	for line in lines {
		let changed = text.replace(&format!("{line}\n"), &format!("{line} or so\n"));
		assert!(!holds(Release { spec, ..last }, &changed), "a change of: {line}");
		assert!(holds(Release { spec, transaction, ..last }, &changed), "a change of: {line}");
		// What is gone is refused, and taken for nothing else.
		let gone = text.replace(&format!("{line}\n"), "");
		assert!(holds(Release { spec, ..last }, &gone), "without: {line}");
	}
	// What is new has no old transactions.
	let new = format!("{text}{TRANSACTION}keyshare_runtime::RuntimeCall 250: New()\n");
	assert!(holds(Release { spec, ..last }, &new));
	assert!(!holds(last, &new));
}

#[test]
fn what_is_no_list_of_releases_is_refused() {
	const ENTRY: &str = "[[release]]\nversion = \"0.2.0\"\n\
		commit = \"0123456789abcdef0123456789abcdef01234567\"\n\
		spec_version = 4\ntransaction_version = 3\nprotocol = 2\n";
	let entry = Release { version: [0, 2, 0], spec: 4, transaction: 3, protocol: 2 };
	assert_eq!(releases(""), Ok(vec![]));
	assert_eq!(releases(&format!("# A comment.\n\n{ENTRY}\n{ENTRY}")), Ok(vec![entry, entry]));
	for (right, wrong) in [
		("[[release]]\n", ""),
		("0.2.0", "0.2"),
		("0.2.0", "next"),
		("0123456789", "012345678"),
		("0123456789", "g123456789"),
		("commit", "tag"),
		("spec_version = 4\n", ""),
		("= 3", "= -3"),
		("protocol = 2", "protocol = 2\nprotocol = 3"),
		("protocol = 2", "protocol"),
	] {
		let text = ENTRY.replacen(right, wrong, 1);
		assert!(text != ENTRY && releases(&text).is_err(), "{text}");
	}
}

/// The numbers of a release, or of what is checked out.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Release {
	version: [u32; 3],
	spec: u32,
	transaction: u32,
	protocol: u32,
}

impl Release {
	fn today() -> Self {
		Self {
			version: version(env!("CARGO_PKG_VERSION")).expect("of three numbers"),
			spec: VERSION.spec_version,
			transaction: VERSION.transaction_version,
			protocol: PROTOCOL_VERSION,
		}
	}

	fn name(&self) -> String {
		self.version.map(|number| number.to_string()).join(".")
	}
}

fn version(text: &str) -> Result<[u32; 3], String> {
	let numbers: Option<Vec<u32>> = text.split('.').map(|number| number.parse().ok()).collect();
	let numbers = numbers.and_then(|numbers| numbers.try_into().ok());
	numbers.ok_or_else(|| format!("not a version: {text}"))
}

/// Reads the list of releases: of TOML what the scripts understand as well, and nothing else.
fn releases(text: &str) -> Result<Vec<Release>, String> {
	let mut tables: Vec<Vec<(&str, &str)>> = vec![];
	for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
		if line == "[[release]]" {
			tables.push(vec![]);
			continue;
		}
		let entry = line.split_once(" = ").ok_or_else(|| format!("not understood: {line}"))?;
		let table = tables.last_mut().ok_or_else(|| format!("of no release: {line}"))?;
		table.push(entry);
	}
	tables.iter().map(|table| release(table)).collect()
}

fn release(table: &[(&str, &str)]) -> Result<Release, String> {
	let keys: Vec<_> = table.iter().map(|(key, _)| *key).collect();
	if keys != ["version", "commit", "spec_version", "transaction_version", "protocol"] {
		return Err(format!("not what a release has, or in another order: {keys:?}"));
	}
	let number = |at: usize| {
		let (key, value) = table[at];
		value.parse::<u32>().map_err(|_| format!("not a number: {key} = {value}"))
	};
	let commit = table[1].1.trim_matches('"');
	let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
	if commit.len() != 40 || !commit.bytes().all(is_digit) {
		return Err(format!("not a commit: {commit}"));
	}
	Ok(Release {
		version: version(table[0].1.trim_matches('"'))?,
		spec: number(2)?,
		transaction: number(3)?,
		protocol: number(4)?,
	})
}

/// Whether each release has what it must have after the one before it.
fn ascend(releases: &[Release]) -> Result<(), String> {
	releases.windows(2).try_for_each(|pair| {
		let [before, after] = pair else { return Ok(()) };
		is_not_lower(before, after)?;
		match before.version == after.version || before.spec == after.spec {
			true => Err(format!("{} does not rise above {before:?}: {after:?}", after.name())),
			false => Ok(()),
		}
	})
}

fn is_not_lower(before: &Release, after: &Release) -> Result<(), String> {
	let is_lower = [
		("version", before.version > after.version),
		("spec_version", before.spec > after.spec),
		("transaction_version", before.transaction > after.transaction),
		("protocol", before.protocol > after.protocol),
	];
	match is_lower.into_iter().find(|(_, is_lower)| *is_lower) {
		Some((what, _)) => Err(format!("{what} never falls: {before:?}, and then {after:?}")),
		None => Ok(()),
	}
}

/// Whether what is checked out has the versions that it must have after the last release, of which there is
/// a record; `now` is what that would be today.
fn follows(last: &Release, record: &str, today: &Release, now: &str) -> Result<(), String> {
	is_not_lower(last, today)?;
	let released = last.name();
	if today.transaction == last.transaction {
		if let Some(change) = read_otherwise(record, now) {
			return Err(format!(
				"a transaction of {released} would be read otherwise: {change}. Raise \
				 transaction_version in runtime/src/lib.rs, above {}, and spec_version above {}",
				last.transaction, last.spec
			));
		}
	}
	if today.spec == last.spec && (record != now || today.transaction != last.transaction) {
		let mut lines = now.lines().zip(record.lines());
		let line = lines.find(|(now, then)| now != then).map_or("it ends", |(now, _)| now);
		return Err(format!(
			"the runtime is not that of {released} any more, from this on: {line}. Raise \
			 spec_version in runtime/src/lib.rs above {}",
			last.spec
		));
	}
	Ok(())
}

/// What a transaction has that means something else now. What is gone is refused when it is read, and what
/// is new is in no old transaction: neither asks for a new version.
fn read_otherwise(before: &str, now: &str) -> Option<String> {
	let now = encodings(now);
	encodings(before).into_iter().find_map(|(what, was)| {
		let is = now.get(what)?;
		(*is != was).then(|| format!("{what} was {was}, and is {is}"))
	})
}

fn encodings(text: &str) -> BTreeMap<&str, &str> {
	text.lines().filter_map(|line| line.strip_prefix(TRANSACTION)?.split_once(": ")).collect()
}

/// What today's runtime looks like from outside: what a record has.
fn description() -> String {
	let path = format!("{RUNTIME}/metadata.txt");
	let metadata = fs::read_to_string(path).expect("it is in the checkout");
	format!("{metadata}{}", transactions())
}

/// How a transaction of today's runtime is encoded: a line for each type that one can have in it, or for
/// each variant of that, all over the runtime.
fn transactions() -> String {
	let opaque = Runtime::metadata_at_version(15).expect("it is a version of this line");
	let prefixed = RuntimeMetadataPrefixed::decode(&mut &opaque[..]).expect("it was encoded");
	let RuntimeMetadata::V15(metadata) = prefixed.1 else { panic!("version 15 was asked for") };
	let extrinsic = metadata.extrinsic;
	let mut encodings =
		Encodings { types: &metadata.types, lines: BTreeSet::new(), seen: BTreeSet::new() };
	let extensions: Vec<_> = extrinsic
		.signed_extensions
		.iter()
		.map(|extension| {
			let sent = encodings.name(extension.ty.id);
			let signed = encodings.name(extension.additional_signed.id);
			format!("{}({sent}, {signed})", extension.identifier)
		})
		.collect();
	let envelope = format!("version {}, {}", extrinsic.version, extensions.join(", "));
	let parts = [
		("envelope", envelope),
		("address", encodings.name(extrinsic.address_ty.id)),
		("signature", encodings.name(extrinsic.signature_ty.id)),
		("call", encodings.name(extrinsic.call_ty.id)),
	];
	encodings.lines.extend(parts.map(|(part, encoding)| format!("{part}: {encoding}")));
	encodings.lines.iter().map(|line| format!("{TRANSACTION}{line}\n")).collect()
}

/// The types that were named so far, spelled out: what, and after a colon how.
struct Encodings<'a> {
	types: &'a PortableRegistry,
	lines: BTreeSet<String>,
	seen: BTreeSet<u32>,
}

impl Encodings<'_> {
	/// The name of a type, which is spelled out if the name does not say how it is encoded.
	fn name(&mut self, id: u32) -> String {
		let types = self.types;
		let ty = &types.types[id as usize].ty;
		match &ty.type_def {
			TypeDef::Primitive(primitive) => format!("{primitive:?}").to_lowercase(),
			TypeDef::Sequence(of) => format!("Vec<{}>", self.name(of.type_param.id)),
			TypeDef::Array(of) => format!("[{}; {}]", self.name(of.type_param.id), of.len),
			TypeDef::Compact(of) => format!("Compact<{}>", self.name(of.type_param.id)),
			TypeDef::BitSequence(_) => "BitSequence".into(),
			TypeDef::Tuple(of) => {
				let fields: Vec<_> = of.fields.iter().map(|field| self.name(field.id)).collect();
				format!("({})", fields.join(", "))
			}
			TypeDef::Composite(composite) => {
				let name = self.path(ty);
				if self.seen.insert(id) {
					let fields = self.fields(&composite.fields);
					self.lines.insert(format!("{name}: {fields}"));
				}
				name
			}
			TypeDef::Variant(of) => {
				let name = self.path(ty);
				if self.seen.insert(id) {
					for variant in &of.variants {
						let fields = self.fields(&variant.fields);
						let (index, called) = (variant.index, &variant.name);
						self.lines.insert(format!("{name} {index}: {called}{fields}"));
					}
				}
				name
			}
		}
	}

	/// The whole path, for there are two of many a name, with what fills in its parameters.
	fn path(&mut self, ty: &Type<PortableForm>) -> String {
		let path = ty.path.segments.join("::");
		let given = ty.type_params.iter().filter_map(|parameter| parameter.ty);
		let given: Vec<_> = given.map(|parameter| self.name(parameter.id)).collect();
		match given.is_empty() {
			true => path,
			false => format!("{path}<{}>", given.join(", ")),
		}
	}

	fn fields(&mut self, fields: &[Field<PortableForm>]) -> String {
		let shown: Vec<_> = fields
			.iter()
			.map(|field| {
				let ty = self.name(field.ty.id);
				match &field.name {
					Some(name) => format!("{name}: {ty}"),
					None => ty,
				}
			})
			.collect();
		format!("({})", shown.join(", "))
	}
}
