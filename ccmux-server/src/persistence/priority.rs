//! How soon the threads that sync get a processor.

/// Lets the calling thread run before others, where that is allowed: on a busy machine it is the
/// scheduler, not the disk, that makes a sync late.
pub(super) fn raise() {
    #[cfg(target_os = "linux")]
    let _where_allowed = rustix::process::setpriority_process(None, -10);
}
