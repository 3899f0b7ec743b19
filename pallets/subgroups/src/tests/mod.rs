//! One module for each subject.

mod membership;
mod publishing;
mod readiness;
mod withdrawing;
