//! Formats: tmux's `#{...}` templates.

/// Whether what a format expands to counts as true: neither empty nor `0`.
pub fn is_true(text: &str) -> bool {
    !text.is_empty() && text != "0"
}
