//! ccmux's terminal emulator, history, keyframes and screen composition.
