//! Replays the corpora: what is known to be hostile, and what the fuzzer has found.

use keyshare_fuzz_checks::{calls, commitments, genesis};
use std::{fs, path::PathBuf};

/// Hands every file of a corpus to its check. What must become of a file its name says: `valid-`, `invalid-`, or
/// neither, if it is enough that the check passes.
fn replay(corpus: &str, check: fn(&[u8]) -> bool) {
	// A path known when compiling would be another checkout's: they share the build folder.
	let folder = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
	let folder = PathBuf::from(folder).join("../corpora").join(corpus);
	let (mut valid, mut invalid, mut wrong) = (0, 0, Vec::new());
	for file in fs::read_dir(folder).expect("the corpus is there") {
		let path = file.expect("the folder can be read").path();
		// Shown if the check fails.
		println!("{}", path.display());
		let is_valid = check(&fs::read(&path).expect("the file can be read"));
		let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
		let expected = name.starts_with("valid-") || (is_valid && !name.starts_with("invalid-"));
		match is_valid {
			true => valid += 1,
			false => invalid += 1,
		}
		if is_valid != expected {
			wrong.push(name);
		}
	}
	assert_eq!(wrong, Vec::<String>::new(), "of {corpus}, these are not what they are named");
	assert!(valid > 0 && invalid > 0, "{corpus} has of both: {valid} valid, {invalid} invalid");
}

#[test]
fn calls_and_protocol_types_are_written_as_they_are_read() {
	replay("calls", calls::check);
}

#[test]
fn commitments_have_one_verdict_and_the_shares_that_follow() {
	replay("commitments", commitments::check);
}

#[test]
fn a_genesis_is_refused_or_begins_a_chain_that_holds() {
	replay("genesis", genesis::check);
}
