//! Bytes as the JSON of a genesis.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
	keyshare_fuzz_checks::genesis::check(bytes);
});
