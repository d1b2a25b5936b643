//! The small process that holds one pane's pty and program.
