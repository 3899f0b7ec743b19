//! The crate as the node and its clients see it. One binary, because linking costs more than
//! running.

mod common;
mod confirmations;
mod damage;
mod intake;
mod listener;
mod maintenance;
mod retire;
mod store;
mod sync;
mod versions;
