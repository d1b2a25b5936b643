//! Storms of SIGKILL over servers and keepers, while panes of several kinds are busy.

use std::path::Path;

use anyhow::Result;
use ccmux_testkit::{Random, Storm};

use super::keeping_evidence;

/// Kills in one world.
const KILLS: u32 = 10;

/// Raises storms while `goes_on`, which is told the number of each; at least one.
pub(super) fn run(exe: &Path, seed: u64, goes_on: &mut dyn FnMut(u32) -> bool) -> Result<()> {
    let mut round = 0;
    while round == 0 || goes_on(round + 1) {
        round += 1;
        println!("torture: storm {round} of seed {seed}");
        let mut storm = Storm::new(exe);
        let mut random = Random::seeded(seed.wrapping_mul(1_000_003).wrapping_add(round.into()));
        let name = format!("storm-{seed}-{round}");
        // Only where a keeper is killed may anything be missing, and then it is marked.
        let kills_keepers = round % 2 == 0;
        let state_dir = storm.env.state_dir();
        keeping_evidence(&state_dir, &name, || {
            raise(&mut storm, &mut random, kills_keepers);
            Ok(())
        })?;
        let killed = storm.servers.len();
        println!("torture: storm {round}: {killed} servers killed, every stream whole");
    }
    Ok(())
}

/// Blow after blow, and whether all is as it should be after them.
fn raise(storm: &mut Storm, random: &mut Random, kills_keepers: bool) {
    storm.add_hidden_flood();
    let programs = storm.programs();
    for _ in 0..KILLS {
        storm.flood_for_a_while(random);
        match random.below(if kills_keepers { 6 } else { 3 }) {
            0 => storm.kill_server(),
            1 => {
                storm.kill_server();
                storm.kill_server();
            }
            2 => {
                // Whether the next one was caught before it served does not matter here.
                storm.kill_server_twice();
            }
            3 => storm.kill_keepers(),
            4 => storm.kill_server_then_keepers(),
            _ => storm.kill_keepers_then_server(),
        }
        storm.wait_burst();
        if random.below(4) == 0 {
            storm.compare_across_a_kill();
        }
    }
    assert_eq!(storm.programs(), programs, "the programs live on");
    storm.assert_whole(kills_keepers);
    storm.assert_full_screen_is_alive();
    storm.assert_variable_is_set();
    storm.client.wait_shows_panes(&storm.env);
}
