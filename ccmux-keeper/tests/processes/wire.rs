//! The protocol from raw bytes, as `docs/keeper-protocol.md` draws it.
