//! What persistence asks of the machine, apart from storage.

use std::fs::File;
use std::io::{self, Read};

use uuid::Uuid;

/// The identity of this boot of the machine; nil where it cannot be told.
///
/// Recovery compares it with the one in the log: ends of programs right before a boot belong to the
/// shutdown.
pub fn boot_id() -> Uuid {
    let text = if cfg!(target_os = "linux") {
        std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()
    } else {
        // No safe binding reads this sysctl.
        let mut sysctl = std::process::Command::new("/usr/sbin/sysctl");
        let output = sysctl.args(["-n", "kern.bootsessionuuid"]).output().ok();
        output.and_then(|output| String::from_utf8(output.stdout).ok())
    };
    text.and_then(|text| Uuid::parse_str(text.trim()).ok()).unwrap_or_default()
}

/// Random bytes from the system.
pub fn entropy() -> io::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boot_stays_the_same_and_random_bytes_do_not() {
        assert_eq!(boot_id(), boot_id());
        assert!(cfg!(not(target_os = "linux")) || !boot_id().is_nil());
        assert_ne!(entropy().unwrap(), entropy().unwrap());
    }
}
