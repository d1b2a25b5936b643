//! Pictures that programs print, on terminals that show them and on others.

use ccmux_testkit::{Attached, TestEnv};

/// A sixel of 20 by 2 cells, and text below it.
const SIXEL: &str =
    "printf '\\033Pq\"1;1;160;32#1;2;100;0;0#1!160~-!160~\\033\\\\\\nshown\\n'; exec cat";

/// A pixel of the kitty protocol on 6 by 2 cells.
const KITTY: &str = "printf '\\033_Ga=T,s=1,v=1,c=6,r=2;AAAAAA==\\033\\\\\\nshown\\n'; exec cat";

/// What is known of a picture on a terminal.
#[derive(PartialEq, Eq, Debug)]
struct Shown {
    cells: (u16, u16),
    pixels: (u32, u32),
    is_sixel: bool,
}

/// Waits until a terminal shows one picture in its top left corner, and this text.
fn wait_image(client: &Attached, text: &str) -> Shown {
    let mut found = None;
    client.wait_screen("a picture", |screen| {
        let images = screen.terminal().images();
        found = images.first().filter(|image| (image.x, image.y) == (0, 0)).map(|image| Shown {
            cells: (image.cols, image.rows),
            pixels: image.pixels(),
            is_sixel: image.is_sixel(),
        });
        images.len() == 1 && found.is_some() && screen.text().contains(text)
    });
    found.expect("it was waited for")
}

/// Goal: a terminal that says that it shows sixels gets them, another one gets a text in their place,
/// and so it is after a kill. Method: the first frame of a server blanks the terminal, so a picture
/// that is there afterwards was sent again.
#[test]
fn sixels_are_shown_where_they_can_be() {
    let mut env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d", "-s", "work", "-x", "60", "-y", "9", SIXEL]);
    let able = env.attach(60, 10);
    let sixel = Shown { cells: (20, 2), pixels: (160, 32), is_sixel: true };
    assert_eq!(wait_image(&able, "shown"), sixel);
    let features = env.ok(&["list-clients", "-F", "#{client_termfeatures}"]);
    assert!(features.contains("sixel"), "{features}");
    let cell = ["list-clients", "-F", "#{client_cell_width}x#{client_cell_height}"];
    assert_eq!(env.ok(&cell), "8x16\n");
    env.set("TERM", "vt220");
    let unable = env.attach(60, 10);
    let is_text = |text: &str| {
        let mut lines = text.lines();
        lines.next() == Some("SIXEL IMAGE (20x2)++") && lines.next() == Some(&"+".repeat(20)[..])
    };
    unable.wait_screen("a text", |screen| is_text(&screen.text()));
    unable.wait_text("shown");

    env.kill_server();
    able.type_keys("after\r");
    for client in [&able, &unable] {
        client.wait_text("after");
    }
    assert_eq!(wait_image(&able, "after"), sixel);
    unable.wait_screen("a text", |screen| is_text(&screen.text()));
    assert!(env.ok(&["capture-pane", "-p"]).starts_with("\n\nshown"), "text only");

    // A pane beside it, in which the picture has no room.
    env.ok(&["split-window", "-h", "-l", "49", "exec cat"]);
    assert_eq!(wait_image(&able, "│").cells, (10, 2));
    able.type_keys("beside");
    assert_eq!(wait_image(&able, "beside").cells, (10, 2));
    env.ok(&["select-pane", "-L", ";", "send-keys", "-R"]);
    able.wait_screen("no picture", |screen| screen.terminal().images().is_empty());
}

/// The option names what a terminal can do that does not say so.
#[test]
fn pictures_of_the_kitty_protocol_are_shown_by_option() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d", "-s", "work", "-x", "60", "-y", "9", KITTY]);
    let client = env.attach(60, 10);
    client.wait_text("KITTY\n++++++\nshown");
    client.type_keys("\x02d");
    client.wait_exit();
    env.ok(&["set-option", "-as", "terminal-features", ",xterm*:kitty"]);
    let client = env.attach(60, 10);
    let pixel = Shown { cells: (6, 2), pixels: (1, 1), is_sixel: false };
    assert_eq!(wait_image(&client, "shown"), pixel);
    env.kill_server();
    client.type_keys("after\r");
    assert_eq!(wait_image(&client, "after"), pixel);
    env.ok(&["send-keys", "-R"]);
    client.wait_screen("no picture", |screen| screen.terminal().images().is_empty());
}
