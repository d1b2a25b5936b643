//! The ccmux daemon: event loop, panes, clients, commands and persistence.

pub mod persistence;
