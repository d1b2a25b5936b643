//! The ccmux client: attach, reconnect, one-shot commands.
