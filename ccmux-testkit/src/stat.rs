//! What Linux tells of a process or thread in `/proc/PID/stat`.

use std::fs;
use std::path::Path;

/// Of `include/linux/sched.h`: it is about to end.
const PF_EXITING: u64 = 0x4;
/// It was forked, and has executed nothing.
const PF_FORKNOEXEC: u64 = 0x40;
/// It is a part of the kernel.
const PF_KTHREAD: u64 = 0x20_0000;

/// Some fields of it, see `proc_pid_stat(5)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stat {
    state: char,
    flags: u64,
    /// Where its environment ends in its memory; zero before it has one.
    env_end: u64,
}

impl Stat {
    /// Of a process; `None` if it has ended.
    pub(crate) fn of(pid: u32) -> Option<Stat> {
        Stat::read(Path::new(&format!("/proc/{pid}")))
    }

    /// Of a process or thread that has this directory in `/proc`; `None` if it has ended.
    pub(crate) fn read(directory: &Path) -> Option<Stat> {
        let text = fs::read_to_string(directory.join("stat")).ok()?;
        // The name stands in parentheses and may hold anything, others among it.
        let (_, fields) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        // The first of these is the third of all.
        let number = |at: usize| fields.get(at - 3)?.parse().ok();
        let state = fields.first()?.chars().next()?;
        Some(Stat { state, flags: number(9)?, env_end: number(51)? })
    }

    /// Whether it is stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        self.state == 'T'
    }

    /// Whether it is a copy of whoever started it, and no program of its own yet.
    pub(crate) fn is_copy(&self) -> bool {
        self.flags & PF_FORKNOEXEC != 0
    }

    /// Whether it is just becoming another program, and has neither arguments nor environment.
    pub(crate) fn is_executing(&self) -> bool {
        let has_none_ever = self.flags & (PF_KTHREAD | PF_EXITING) != 0 || self.state == 'Z';
        self.env_end == 0 && !has_none_ever
    }
}
