//! What commands decide: the changes of one record, and tmux's words for why not.
#![cfg(test)]

mod panes;
mod sessions;
mod settings;
mod world;
