//! Bytes as key commitments of both schemes.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
	keyshare_fuzz_checks::commitments::check(bytes);
});
