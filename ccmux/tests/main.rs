//! The built program: driven through terminals, scripted, killed.
//!
//! One executable, so that the tests of all files run side by side, and are linked once.
#![cfg(test)]

mod backup;
mod both_killed;
mod buffers;
mod capture;
mod client_flags;
mod clients;
mod closed;
mod configuration;
mod dead_panes;
mod detaching;
mod disk_limits;
mod doctor;
mod full_disk;
mod golden;
mod groups;
mod growing;
mod history_limit;
mod hostile;
mod hostile_server;
mod images;
mod keepers;
mod layouts;
mod like_tmux;
mod mistakes;
mod panes;
mod paste;
mod priority;
mod private;
mod prompts;
mod replies;
mod restart_server;
mod restore;
mod shutdown;
mod sizes;
mod starters;
mod stdin;
mod storm;
mod terminals;
mod tidy;
