//! By subject: beginning and ending, confirming, constraints, deposits, expiry, the off-chain
//! worker, and random sequences of all calls.

mod confirming;
mod constraints;
mod deposits;
mod expiry;
mod lifecycle;
mod offchain;
mod random;
mod silence;
