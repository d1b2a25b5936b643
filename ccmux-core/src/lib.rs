//! ccmux's model and command language: no IO, no clocks, no processes, no terminals.
