//! Spool, chunks and keyframes together.

mod crash;
mod decay;
mod real_files;
pub(in crate::persistence) mod script;
mod sizes;
mod told;
mod world;
