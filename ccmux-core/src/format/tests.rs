//! Expectations were taken from tmux 3.3a (`display-message -p -t alpha:0`), with the sessions of
//! `test_state` and the options below.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::decide::Command;
use crate::test_state::{run, three_sessions};

/// A server whose clock stands still.
struct Server;

impl Variables for Server {
    fn variable(&self, name: &str, subject: &Subject) -> Option<String> {
        match name {
            "pid" => Some("4711".to_owned()),
            "pane_pid" => Some((1000 + subject.pane?.0).to_string()),
            "pane_in_mode" => Some("0".to_owned()),
            "window_bell_flag" => Some(u8::from(subject.window == Some(WindowId(4))).to_string()),
            "window_activity_flag" => {
                Some(u8::from(subject.window == Some(WindowId(5))).to_string())
            }
            _ => None,
        }
    }

    fn shell(&self, command: &str, _: &Subject) -> String {
        format!("<{command}>")
    }

    fn time(&self, seconds: Option<i64>, format: &str) -> String {
        let time = Timestamp::from_second(seconds.unwrap_or(1_700_000_100)).unwrap();
        strftime(&time.to_zoned_datetime(TimeZone::UTC), format)
    }

    /// Arrows are wide, and what follows a joiner joins.
    fn cell(&self, text: &str) -> (usize, usize) {
        let joined = text.find('\u{200d}').map(|at| at + '\u{200d}'.len_utf8());
        match (text.chars().next(), joined) {
            (Some('→'), _) => ('→'.len_utf8(), 2),
            (Some('👨'), Some(joiner)) => {
                (joiner + text[joiner..].chars().next().map_or(0, char::len_utf8), 2)
            }
            _ => styled::one_character(text),
        }
    }

    fn search(&self, _: PaneId, search: &PaneSearch<'_>) -> Option<u32> {
        (search.pattern == "found" && search.is_regex).then_some(7)
    }
}

fn state() -> State {
    let mut state = three_sessions();
    for (name, value) in [
        ("@fmt", "x#{session_name}y"),
        ("@time", "%Y"),
        ("@path", "/usr/share/doc"),
        ("@wide", "日本語abc"),
        ("@arrows", "a→→b"),
        ("@joined", "👨\u{200d}#[fg=red]👨\u{200d}💻x"),
        ("@styled", "#[fg=red]abc#[default]def"),
        ("@sp", "a b'c$d#e"),
        ("@hash", "##[x"),
        ("@loop", "#{E:@loop}#{E:@loop}"),
    ] {
        state.session_options.insert(name.to_owned(), value.to_owned());
    }
    let alpha = state.sessions.get_mut(&SessionId(0)).unwrap();
    alpha.options.insert("@foo".to_owned(), "inner".to_owned());
    state.environment.insert("ENVV".into(), Some("envval".into()));
    state.environment.insert("GONE".into(), None);
    state
}

fn alpha(state: &State, format: &str) -> String {
    expand_time(state, &Server, &Subject::pane(state, PaneId(0)), format)
}

fn check(cases: &[(&str, &str)]) {
    let state = state();
    for (format, expected) in cases {
        assert_eq!(alpha(&state, format), *expected, "{format}");
    }
}

#[test]
fn names_letters_and_escapes() {
    check(&[
        ("#{session_name}", "alpha"),
        ("#S:#I.#P #W #D #F", "alpha:0.0 one %0 *"),
        ("é#{session_name}ü", "éalphaü"),
        ("##S", "#S"),
        ("#,#}", ",}"),
        ("##{x}", "#{x}"),
        ("#{nope}", ""),
        ("a#{nope", "a"),
        ("#{session_name", ""),
        ("#{?1,#{,b}", ""),
        ("#{}", ""),
        ("#{:session_name}", "alpha"),
        ("#{foo:session_name}", ""),
        ("#{session_name:}", ""),
        ("}#S{", "}alpha{"),
        ("#", "#"),
        ("a#", "a#"),
        ("#z#Z#1#é", "#z#Z#1#é"),
        ("####x", "##x"),
        ("###x", "##x"),
        ("#(echo #S (a))x", "<echo alpha (a)>x"),
        ("a#(b", "a"),
    ]);
}

#[test]
fn styles_are_left_for_who_draws() {
    check(&[
        ("#[fg=red]x", "#[fg=red]x"),
        ("##[fg=red]x", "##[fg=red]x"),
        ("###[fg=red]x", "###[fg=red]x"),
        ("#[fg=#{@foo}]", "#[fg=inner]"),
        ("#[fg=#Fabcd]#F", "#[fg=#Fabcd]*"),
        ("#[fg=#P#P", "#[fg=00"),
        ("#{@hash}", "##[x"),
        ("#{E:@hash}", "##[x"),
        ("#{?window_active,#[fg=white#,bg=red],#[x]}", "#[fg=white,bg=red]"),
    ]);
}

#[test]
fn conditions_and_comparisons() {
    check(&[
        ("#{?session_name,a,b}", "a"),
        ("#{?nope,a,b}", "b"),
        ("#{?pane_dead,a,b}", "b"),
        ("#{?window_active,a,b}", "a"),
        ("#{?@foo,a#,b,c}", "a,b"),
        ("#{?0,a,b}", "b"),
        ("#{?#{==:a,a},yes,no}", "yes"),
        ("#{?,a,b}", "b"),
        ("#{?abc,a,b}", "b"),
        ("#{?#{nope},a,b}", "b"),
        ("#{?#{@foo}x,a,b}", "a"),
        ("#{?nope,b,c,d}", "c,d"),
        ("#{?nope,#{x},#{?window_active,y,z}}", "y"),
        ("#{?#{@foo},#{?window_active,in#{session_name},x},y}", "inalpha"),
        ("#{?window_active,a}", "a"),
        ("#{?nope,a}", ""),
        ("#{==:#{session_name},alpha}", "1"),
        ("#{!=:a,b}#{<:a,b}#{>:a,b}#{<=:a,a}#{>=:a,b}", "11010"),
        ("#{==:a,b,c}", "0"),
        ("x#{==:a}y", "x"),
        ("#{<:2,10}#{e|<|:2,10}", "01"),
        ("#{||:0,}#{||:0,1}#{&&:1,1}#{&&:1,0}", "0110"),
        ("#{||:#{nope},#{==:1,1}}", "1"),
        ("#{m:*lph*,#S}#{m:a,b}#{m/i:ALPHA,#S}", "101"),
        ("#{m/r:^a.p,#S}#{m/ri:^A.P,#S}#{m/r:(,a}", "110"),
        ("#{C/r:found}#{C:found}", "70"),
        ("#{N:two}#{N/w:tw}#{N/s:beta}#{N/s:nope}", "1010"),
    ]);
}

#[test]
fn modifiers_of_values() {
    check(&[
        ("[#{e|+|:1}]#{e|+|:#{nope},1}", "[]1"),
        ("#{e|*|f|4:5.5,3} #{e|%%|:7,3} #{e|/|:1,0}", "16.5000 1 "),
        ("#{a:98}#{a:1}#{a:#{e|+|:97,1}}", "bb"),
        ("#{c:red} #{c:nope}", "800000 "),
        ("#{=3:session_name} #{=-3:session_name}", "alp pha"),
        ("#{=/3/...:session_name} #{=|-3|..:session_name}", "alp... ..pha"),
        ("#{=/9/...:session_name} #{=a:session_name} #{=:session_name}", "alpha alpha alpha"),
        ("[#{p10:session_name}] [#{p-10:session_name}]", "[alpha     ] [     alpha]"),
        ("#{=1;p5:@foo}| #{p5;=1:@foo}|", "i    | i    |"),
        ("#{n:@wide} #{w:@wide} #{n;=1:@foo}", "12 9 1"),
        ("#{=3:@wide} #{=-4:@wide} [#{p12:@wide}]", "日 abc [日本語abc   ]"),
        ("#{w:@arrows} #{=3:@arrows} #{=4:@arrows} #{=-3:@arrows}", "6 a→ a→ →b"),
        ("[#{p8:@arrows}] [#{p-8:@arrows}]", "[a→→b  ] [  a→→b]"),
        ("#{w:@joined} #{=-3:@joined}", "5 #[fg=red]👨\u{200d}💻x"),
        ("#{=2:@styled} #{w:@styled}", "#[fg=red]ab 6"),
        ("#{=-2:@styled}", "#[fg=red]#[default]ef"),
        ("#{b:@path} #{d:@path} #{d:@foo} #{b:nope} #{=5;b:@path}", "doc /usr/share .  doc"),
        ("#{q:@sp} #{q/h:@sp}", "a\\ b\\'c\\$d\\#e a b'c$d##e"),
        ("#{@fmt} #{E:@fmt} #{E:#{@fmt}}", "x#{session_name}y xalphay xalphay"),
        ("#{@time} #{E:@time} #{T:@time} %Y %%", "%Y 2023 2023 2023 %"),
        ("#{l:#{?a,b,c}} #{l:a#,b}", "#{?a,b,c} a#,b"),
        ("#{s/a/X/:session_name} #{s|A|X|i:session_name}", "XlphX XlphX"),
        (r"#{s/(a)(l)/\2\1/:session_name}", "lapha"),
        ("#{s/a/X/;=2:session_name} #{s/a/X/;s/l/Y/:session_name}", "Xl XYphX"),
        ("#{s/(/b/:session_name} #{s/a:session_name}", "alpha alpha"),
        ("#{t:session_created}", "Tue Nov 14 22:13:20 2023"),
        ("#{t/p:session_created}", "22:13"),
        ("#{t/f/%%H#:%%M:session_created}", "22:13"),
        ("#{t:nope}#{t:@foo}", ""),
    ]);
}

#[test]
fn loops() {
    check(&[
        ("#{S:#S }", "alpha alphabet beta "),
        ("#{S:#S ,<#S> }", "<alpha> alphabet beta "),
        ("#{W:#I:#W }", "0:one 1:two 2:twofold 7:seven "),
        ("#{W:#I ,[#I] }", "[0] 1 2 7 "),
        ("#{W:#F}", "*!##"),
        ("#{P:#P}", "0"),
        ("#{W:#{P:#D,<#D>} }", "<%0> <%3> <%4> <%5>%7%6 "),
        ("#{W:#{P:#{pane_pid},}}", "10071006"),
        ("#{W:#{?window_active,#{window_name},.}}", "one..."),
        ("#{W:#{?window_end_flag,,/}}", "///"),
    ]);
}

#[test]
fn variables_of_the_model() {
    check(&[
        ("#{session_id} #{session_created} #{session_path}", "$0 1700000000 /home"),
        ("#{session_windows} #{session_stack} #{window_stack_index}", "4 0 0"),
        ("#{active_window_index} #{last_window_index}", "0 7"),
        ("#{window_id} #{window_panes} #{window_width}x#{window_height}", "@0 1 80x24"),
        ("#{window_layout} #{window_visible_layout}", "b25d,80x24,0,0,0 b25d,80x24,0,0,0"),
        ("#{window_start_flag}#{window_end_flag}#{window_zoomed_flag}", "100"),
        ("#{pane_width}x#{pane_height}+#{pane_left}+#{pane_top}", "80x24+0+0"),
        ("#{pane_right} #{pane_bottom}", "79 23"),
        ("#{pane_at_left}#{pane_at_top}#{pane_at_right}#{pane_at_bottom}", "1111"),
        ("#{pane_active}#{pane_last}#{pane_dead}[#{pane_dead_status}]", "100[]"),
        ("#{pane_start_command} #{pane_start_path} #{pane_current_path}", "sh /start /start"),
        ("#{session_format}#{window_format}#{pane_format}", "001"),
        ("#{next_session_id} #{pid} #{pane_pid}", "$3 4711 1000"),
        ("#{@foo} #{@nope}|#{ENVV} #{GONE}|", "inner |envval |"),
        ("#{status} #{mouse} #{status-left-length}", "on 0 10"),
        ("#{update-environment[1]}#{update-environment[99]}#{status-format}", "KRB5CCNAME"),
    ]);
    let state = state();
    let seven = Subject::pane(&state, PaneId(7));
    let format = "#F #{window_raw_flags} #{pane_width}x#{pane_height}+#{pane_left}+#{pane_top} \
                  #{pane_at_left}#{pane_at_top}#{pane_at_right}#{pane_at_bottom} #{window_layout} \
                  #{pane_index} #{pane_active}";
    assert_eq!(
        expand(&state, &Server, &seven, format),
        "## # 40x11+0+13 1001 0f63,80x24,0,0{40x24,0,0[40x12,0,0,5,40x11,0,13,7],39x24,41,0,6} 1 0"
    );
}

#[test]
fn a_subject_stands_for_what_is_current_in_it() {
    let mut state = state();
    run(
        &mut state,
        Command::SelectWindow { session: SessionId(0), window: WindowId(5), toggle: false },
    );
    let format = "#S #W #D #{session_format}#{window_format}#{pane_format} #F #{W:#F,}";
    let of = |subject| expand(&state, &NoVariables, &subject, format);
    assert_eq!(of(Subject::session(&state, SessionId(0))), "alpha seven %5 100 * -");
    assert_eq!(of(Subject::window(&state, SessionId(0), WindowId(3))), "alpha two %3 010  -");
    assert_eq!(of(Subject::pane(&state, PaneId(7))), "alpha seven %7 001 * -");
    assert_eq!(of(Subject::default()), "   000  ");
    assert_eq!(of(Subject::pane(&state, PaneId(99))), "   000  ");
}

#[test]
fn without_time_percent_signs_stay() {
    let state = state();
    let subject = Subject::session(&state, SessionId(0));
    assert_eq!(expand(&state, &Server, &subject, "%H %% #{@time} #{T:@time}"), "%H %% %Y 2023");
}

/// F1: a title, a path or a name that looks like a format is shown, not expanded.
#[test]
fn values_are_not_formats() {
    let mut state = state();
    let title = "#(touch /tmp/x)#{pid}%H".into();
    run(&mut state, Command::SetTitle { pane: PaneId(0), title });
    for format in ["#T", "#{?pane_title,#T,}", "#{s/x/y/:pane_title}", "#{l:}#{=99:pane_title}"] {
        let shown = alpha(&state, format);
        assert!(shown.contains("#{pid}%H"), "{format}: {shown}");
    }
    assert_eq!(alpha(&state, "#{s/a/#T/:@foo}#{s/inner/#T/:@foo}"), "inner#(touch /tmp/x)#{pid}%H");
}

/// F2: formats that would grow or nest without end stop.
#[test]
fn hostile_formats_are_cut_short() {
    let state = state();
    for format in [
        "#{E:@loop}".to_owned(),
        "#{S:".repeat(30) + "x" + &"}".repeat(30),
        "#{?a,".repeat(5000) + "x" + &"}".repeat(5000),
        "#[".repeat(50_000),
        "#{".repeat(50_000),
        "#{p10000:}".repeat(5000),
        "#{s/x*/xxxxxxxxxxxxxxxxxxxx/;s/x*/xxxxxxxxxxxxxxxx/;s/x*/xxxxxxxxxxxxxxxx/:@styled}"
            .repeat(50),
        "##".repeat(200_000),
    ] {
        assert!(alpha(&state, &format).len() < 2 * 1024 * 1024);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_format_upsets_the_expander(
        parts in prop::collection::vec(prop_oneof![
            4 => prop::sample::select(&[
                "#{", "}", "#{?", ",", "#[", "]", "#(", ")", "#", ":", ";", "%H", "%", "S:", "W:",
                "P:", "E:", "T:", "t:", "==:", "m/r:", "m:", "s/a/b/:", "=3:", "=/-2/..:", "p5:",
                "p-99:", "e|+|:", "e|/|f|9:", "1,2", "session_name", "@fmt", "@styled", "@wide",
                "#S", "##", "#,", "pane_title", "q:", "n:", "w:", "l:", "a:", "c:", "b:", "C:",
            ][..]).prop_map(str::to_owned),
            1 => "\\PC{0,3}",
        ], 0..20)
    ) {
        let state = state();
        let expanded = alpha(&state, &parts.concat());
        let _ = styled_parts(&expanded);
    }
}
