//! The ccmux executable.

fn main() {}
