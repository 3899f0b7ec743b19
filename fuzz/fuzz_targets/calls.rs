//! Bytes as extrinsics, calls and protocol types.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
	keyshare_fuzz_checks::calls::check(bytes);
});
