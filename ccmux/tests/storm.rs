//! Kills of the server and of keepers while panes are busy: nothing ends, not a byte is lost.

use ccmux_testkit::{Process, Random, Storm, TestEnv};
use rustix::process::Signal;

fn storm() -> Storm {
    Storm::new(env!("CARGO_BIN_EXE_ccmux"))
}

/// Goal: promise 1. Method: kill the server at seeded moments of a flood: just when it is back, in
/// the middle, and before the next one listens; then compare every line, every screen, and the
/// pids of the programs.
#[test]
fn a_storm_of_kills_ends_nothing_and_loses_nothing() {
    let mut random = Random::seeded(0x5703_0001);
    let mut scene = storm();
    let programs = scene.programs();
    scene.assert_full_screen_is_alive();
    let mut early = 0;
    for round in 0..25 {
        scene.flood_for_a_while(&mut random);
        scene.kill_server();
        if round % 5 == 2 {
            // One that answers and is killed for it.
            scene.kill_server();
        }
        if round % 5 == 4 {
            let caught = (0..20).any(|_| scene.kill_server_twice());
            assert!(caught, "the next server was always too quick");
            early += 1;
        }
        scene.wait_burst();
        if round % 8 == 7 {
            scene.compare_across_a_kill();
        }
    }
    assert_eq!(early, 5);
    assert!(scene.servers.len() >= 25, "{:?}", scene.servers);
    assert_eq!(scene.programs(), programs);
    scene.assert_whole(false);
    scene.assert_full_screen_is_alive();
    scene.assert_variable_is_set();
    scene.client.wait_shows_panes(&scene.env);
}

/// The same with kills of keepers: the server starts others, and programs live on. What a keeper
/// had read and not published may be missing, at most one read, and then it is marked.
#[test]
fn killed_keepers_are_replaced_and_programs_live_on() {
    let mut random = Random::seeded(0x5703_0002);
    let mut scene = storm();
    let programs = scene.programs();
    for round in 0..12 {
        scene.flood_for_a_while(&mut random);
        match round % 3 {
            0 => scene.kill_keepers(),
            1 => scene.kill_server_then_keepers(),
            _ => scene.kill_keepers_then_server(),
        }
        scene.wait_burst();
    }
    assert_eq!(scene.programs(), programs);
    scene.assert_whole(true);
    scene.compare_across_a_kill();
    scene.assert_full_screen_is_alive();
    scene.assert_variable_is_set();
}

/// Server and one keeper at once: that pane is restored, the others do not notice.
#[test]
fn server_and_one_keeper_killed_at_once_cost_that_pane_alone() {
    let mut random = Random::seeded(0x5703_0003);
    let mut scene = storm();
    let programs = scene.programs();
    let keeper = keeper_of(&scene.env, "%1");
    scene.flood_for_a_while(&mut random);
    let server = scene.env.server();
    // Stopped first, so that it cannot take the keeper's place.
    server.signal(Signal::STOP);
    keeper.signal(Signal::KILL);
    server.signal(Signal::KILL);
    keeper.wait_gone();
    server.wait_gone();
    scene.wait_burst();
    scene.client.wait_text("[restored ");
    let others = |programs: &str| -> Vec<String> {
        programs.lines().filter(|line| !line.starts_with("%1 ")).map(str::to_owned).collect()
    };
    assert_eq!(others(&scene.programs()), others(&programs));
    scene.assert_whole(false);
    scene.assert_full_screen_is_alive();
    scene.client.wait_shows_panes(&scene.env);
}

fn keeper_of(env: &TestEnv, pane: &str) -> Process {
    let status = env.status();
    let panes = status["panes"].as_array().expect("a list of panes");
    let found = panes.iter().find(|found| found["id"] == pane).expect("the pane is there");
    let pid = found["keeper_pid"].as_u64().expect("it has a keeper");
    Process::open(u32::try_from(pid).expect("a pid")).expect("it can be opened").expect("it lives")
}
