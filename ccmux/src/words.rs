//! Errors in words, for people.

/// An error with its causes. Many errors here tell their cause themselves: it is not told twice.
pub(crate) fn words(error: &anyhow::Error) -> String {
    let mut words = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if words.contains(&cause) {
            continue;
        }
        if !words.is_empty() {
            words.push_str(": ");
        }
        words.push_str(&cause);
    }
    words
}

#[cfg(test)]
mod tests {
    use std::io;

    use ccmux_server::backup::BackupError;

    use super::*;

    /// `ccmux backup` told its reason twice.
    #[test]
    fn a_cause_is_told_once() {
        let cause = || io::Error::other("no room");
        let telling = BackupError::Io { path: "file".into(), source: cause() };
        let error = anyhow::Error::from(telling).context("writing");
        assert_eq!(words(&error), "writing: file: no room");
        let silent = anyhow::Error::from(cause()).context("writing");
        assert_eq!(words(&silent), "writing: no room");
    }
}
