//! Hermetic test environment for ccmux.
