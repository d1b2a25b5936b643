//! Kills of servers and keepers in quick succession: before a server listens, while it adopts
//! keepers and while it replaces them.
//!
//! What a kill costs depends on who else was alive at that moment, which no test can know. So the
//! rules are those that hold in any case: nothing of the structure is lost; a program lives on, and
//! then its output is complete, or its pane is restored and says so, and then its output is a
//! beginning of what it printed.

use std::process::{Child, Stdio};

use ccmux_testkit::{Flood, Process, Random, TestEnv};
use rustix::process::Signal;

const ROUNDS: u32 = 7;

/// Who is killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Victims {
    Servers,
    Keepers,
}

/// When the next ones are killed.
#[derive(Clone, Copy, Debug)]
enum Pause {
    /// At once.
    None,
    /// When another server has begun to start; it has not recovered yet.
    Start,
    /// When a server has looked at all keepers, if it did so far.
    Serving,
}

struct Storm {
    env: TestEnv,
    random: Random,
    /// Commands whose server may be killed before it answers.
    callers: Vec<Child>,
}

impl Storm {
    fn choose<T: Copy>(&mut self, among: &[T]) -> T {
        let at = self.random.below(among.len() as u64);
        among[usize::try_from(at).expect("it is small")]
    }

    /// Kills a seeded few times, and returns what was done.
    fn rage(&mut self) -> Vec<(Victims, Pause)> {
        let count = 2 + self.random.below(3);
        (0..count)
            .map(|_| {
                let victims = self.choose(&[Victims::Servers, Victims::Keepers]);
                let pause = self.choose(&[Pause::None, Pause::Start, Pause::Serving]);
                self.strike(victims, pause);
                (victims, pause)
            })
            .collect()
    }

    fn strike(&mut self, victims: Victims, pause: Pause) {
        let env = &self.env;
        let starts = env.watch_starts();
        let killed = match victims {
            Victims::Servers => env.servers(),
            Victims::Keepers => env.keepers(),
        };
        for process in &killed {
            process.signal(Signal::KILL);
        }
        for process in &killed {
            process.wait_gone();
        }
        match pause {
            Pause::None => {}
            Pause::Start if env.servers().is_empty() => {
                // Where no keeper is left to call for one, this does.
                let mut caller = env.command(&["start-server"]);
                caller.stdout(Stdio::null()).stderr(Stdio::null());
                self.callers.push(caller.spawn().expect("it can be started"));
                drop(starts.wait());
            }
            Pause::Start | Pause::Serving => drop(env.status()),
        }
    }

    /// The panes with their programs' process ids, once all of them have one.
    fn panes(&self) -> Vec<(String, u32)> {
        let mut panes = Vec::new();
        self.env.wait_status(|status| {
            let listed = status["panes"].as_array().expect("a list of panes");
            let pane = |pane: &serde_json::Value| {
                let pid = u32::try_from(pane["pid"].as_u64()?).ok()?;
                let is_live = pane["state"] == "live";
                is_live.then(|| (pane["id"].as_str().expect("a name").to_owned(), pid))
            };
            let live: Option<Vec<_>> = listed.iter().map(pane).collect();
            live.map(|live| panes = live).is_some()
        });
        panes
    }
}

/// Goal: section 4 of the durability contract, under kills of both sides. Method: a pane floods, one
/// is idle, and servers and keepers are killed by a seeded plan; then everything is compared.
#[test]
fn kills_of_both_sides_cost_no_more_than_they_must() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    let mut storm = Storm { env, random: Random::seeded(0x5703_0004), callers: Vec::new() };
    let command = Flood::command(&storm.env);
    storm.env.ok(&["new-session", "-d", "-s", "idle", "exec tail -f /dev/null"]);
    let (mut lived, mut restored) = (0, 0);
    for round in 0..ROUNDS {
        let env = &storm.env;
        let name = format!("round{round}");
        std::fs::remove_file(env.home().join("flood.ready")).ok();
        env.ok(&["new-session", "-d", "-s", &name, "-x", "80", "-y", "24", &command]);
        let before = storm.panes();
        let (pane, pid) = before.last().expect("it was just made").clone();
        let flood = Flood::of(&pane);
        flood.go(env);
        let program = Process::open(pid).expect("it can be opened").expect("it runs");

        let done = storm.rage();
        println!("round {round}: {done:?}");

        for mut caller in storm.callers.drain(..) {
            caller.wait().expect("it is our child");
        }
        let env = &storm.env;
        let after = storm.panes();
        let ids = |panes: &[(String, u32)]| -> Vec<String> {
            panes.iter().map(|(id, _)| id.clone()).collect()
        };
        assert_eq!(ids(&after), ids(&before), "{done:?}");
        if after.last().is_some_and(|(_, now)| *now == pid) {
            assert!(program.is_alive(), "{done:?}");
            let last = Flood::done(1);
            env.wait_ok(&["capture-pane", "-p", "-t", &pane], |text| text.contains(&last));
            flood.assert_whole_but_for_marks(env, 1);
            lived += 1;
        } else {
            // While one side lives it has all that the other side needs.
            let are_both = done.iter().any(|(victims, _)| *victims != done[0].0);
            assert!(are_both, "{done:?}");
            // Whoever lost its terminal is told so.
            program.wait_gone();
            flood.assert_cut_where_restored(env, 1);
            restored += 1;
        }
        env.ok(&["kill-session", "-t", &name]);
    }
    println!("{lived} lived, {restored} were restored");
    assert!(lived > 0);
    let sessions = storm.env.ok(&["list-sessions", "-F", "#{session_name}"]);
    assert_eq!(sessions, "idle\n");
}
