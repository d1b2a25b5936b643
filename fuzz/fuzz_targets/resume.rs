#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ccmux_server::persistence::fuzzing::fuzz("resume", input));
