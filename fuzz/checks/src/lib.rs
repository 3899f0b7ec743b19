//! What the fuzz targets check, each as a function of bytes. `cargo fuzz` feeds them from `fuzz_targets/`; the
//! tests here replay `corpora/`, with no fuzzer and no other compiler than everybody's.
//!
//! | module | what it holds |
//! |---|---|
//! | [`calls`] | extrinsics, calls and protocol types from bytes |
//! | [`commitments`] | key commitments of both schemes, and the verifying shares that follow |
//! | [`genesis`] | the JSON of a genesis |
//!
//! Each check panics if something does not hold, and otherwise says whether the bytes are what it looks for.

#![forbid(unsafe_code)]

pub mod calls;
pub mod commitments;
pub mod genesis;
