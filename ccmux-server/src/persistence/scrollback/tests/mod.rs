//! Spool, chunks and keyframes together.

mod crash;
mod decay;
mod real_files;
mod world;
