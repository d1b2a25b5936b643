//! How soon threads get a processor.

/// Lets the calling thread run before others, where that is allowed: on a busy machine it is the
/// scheduler, not the disk, that makes a sync late.
pub(super) fn raise() {
    #[cfg(target_os = "linux")]
    let _where_allowed = rustix::process::setpriority_process(None, -10);
}

/// Lets the calling thread run after others: what it does can wait, and they cannot.
pub(super) fn lower() {
    #[cfg(target_os = "linux")]
    if let Ok(nice) = rustix::process::getpriority_process(None) {
        let _where_allowed = rustix::process::setpriority_process(None, (nice + 10).min(19));
    }
}
