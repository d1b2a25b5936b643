//! The frames between ccmux clients and server, and how they find each other.
