//! Options: their names, types and defaults, and how they are inherited.
