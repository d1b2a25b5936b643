#!/usr/bin/env python3
"""Records what the installed tmux makes of random commands.

    record.py layout|windows SEED STEPS > FILE

Each step is a line `> command`, then either `! message` or, for each window, a line
`= session index @window flags active last layout panes`: flags are `*` current, `-` last, `Z`
zoomed; layout is that of the unzoomed window. The tests replay the commands and compare.
Nothing here runs in the tests; it was used to make the recordings beside it.
"""
import os, random, signal, subprocess, sys, tempfile

kind, seed, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)
home = tempfile.TemporaryDirectory()
BASE = ["env", "-i", "PATH=/usr/bin:/bin", "TERM=xterm", f"TMUX_TMPDIR={home.name}",
        "tmux", "-L", "record", "-f", "/dev/null"]
SLEEP = "exec sleep 100000"
FLAGS = "#{?window_active,*,}#{?window_last_flag,-,}#{?window_zoomed_flag,Z,}"
STATE = ("#{session_name} #{window_index} #{window_id} ." + FLAGS + " #{pane_id} "
         "last=#{P:#{?pane_last,#{pane_id},}} #{window_layout} #{P:#{pane_id}/}")


def tmux(*args):
    done = subprocess.run(BASE + list(args), capture_output=True, text=True, timeout=10)
    return done.returncode, (done.stdout + done.stderr).strip()


def windows():
    code, out = tmux("list-windows", "-a", "-F", STATE)
    return out.splitlines() if code == 0 else []


def parse(lines):
    rows = []
    for line in lines:
        session, index, window, flags, active, _, layout, panes = line.split(" ")
        rows.append(dict(session=session, index=int(index), window=window, active=active,
                         current="*" in flags, zoomed="Z" in flags, layout=layout,
                         panes=[p for p in panes.split("/") if p]))
    return rows


def quoted(args):
    return " ".join(f"'{a}'" if " " in a or not a else a for a in args)


def split_flags(panes):
    flags = [rng.choice(["-h", "-v"])]
    if rng.random() < 0.3: flags.append("-b")
    # Not -f with many panes: there the installed version moves borders across the split, too.
    if rng.random() < 0.2 and len(panes) < 5: flags.append("-f")
    if rng.random() < 0.3: flags.append("-d")
    if rng.random() < 0.5:
        # Not -b with more than there is: there the installed version gives the least instead.
        cells = [] if "-b" in flags else [str(rng.randint(1, 90))]
        flags += ["-l", rng.choice(cells + [f"{rng.randint(0, 90)}%"])]
    return flags


def layout_step(rows):
    row = rows[0]
    panes, pane = row["panes"], rng.choice(row["panes"])
    other = rng.choice(panes)
    if len(panes) < 3 and not row["zoomed"] and rng.random() < 0.6:
        return ["split-window", "-t", pane] + split_flags(row["panes"]) + [SLEEP]
    roll = rng.random()
    if roll < 0.25:
        zoom = ["-Z"] if rng.random() < 0.15 else []
        if row["zoomed"]:
            # The installed version has not sized the hidden panes yet.
            return ["split-window", "-t", pane, "-h"] + zoom + [SLEEP]
        return ["split-window", "-t", pane] + split_flags(row["panes"]) + zoom + [SLEEP]
    if roll < 0.38 and len(panes) > 1:
        return ["kill-pane", "-t", pane]
    if roll < 0.40 and len(panes) > 1:
        return ["kill-pane", "-a", "-t", pane]
    if roll < 0.52:
        return ["resize-pane", "-t", pane, "-" + rng.choice("LRUD"), str(rng.choice([1, 1, 2, 5, 20, 100]))]
    if roll < 0.60:
        extent = rng.choice([str(rng.randint(1, 100)), f"{rng.randint(1, 100)}%"])
        return ["resize-pane", "-t", pane, rng.choice(["-x", "-y"]), extent]
    if roll < 0.63:
        return ["resize-pane", "-Z", "-t", pane]
    if roll < 0.71:
        size = rng.choice([(80, 24), (120, 40), (40, 12), (rng.randint(1, 200), rng.randint(1, 60)), (5, 3)])
        return ["resize-window", "-t", row["window"], "-x", str(size[0]), "-y", str(size[1])]
    if roll < 0.80:
        # Not tiled in a narrow window: there the sizes of the installed version may not add up.
        narrow = int(row["layout"][5:].split("x")[0]) < 40
        choice = rng.choice([["even-horizontal"], ["even-vertical"], ["main-horizontal"], ["main-vertical"],
                             ["even-vertical" if narrow else "tiled"], ["-p" if not narrow else "main-vertical"],
                             ["-n" if not narrow else "even-horizontal"], ["main-horizontal"], [], [rng.choice(layouts)]])
        # Only here is -E sure to end.
        if not narrow and len(panes) < 4 and rng.random() < 0.2:
            return ["select-layout", "-t", pane, "-E"]
        return ["select-layout", "-t", row["window"]] + choice
    if roll < 0.82:
        name, value = rng.choice([("main-pane-width", "30"), ("main-pane-width", "60%"), ("main-pane-height", "5"),
                                  ("main-pane-height", "200"), ("other-pane-width", "10"), ("other-pane-height", "3"),
                                  ("other-pane-height", "0"), ("other-pane-width", "0"), ("other-pane-width", "20%")])
        return ["set-option", "-w", "-t", row["window"], name, value]
    if roll < 0.87:
        flags = [f for f in ("-d", "-Z") if rng.random() < 0.3]
        return ["swap-pane", "-s", pane, "-t", other] + flags
    if roll < 0.90:
        return ["rotate-window", "-t", row["window"], rng.choice(["-D", "-U"])] + (["-Z"] if rng.random() < .3 else [])
    if roll < 0.96:
        return ["select-pane", "-t", pane, "-" + rng.choice("LRUD")] + (["-Z"] if rng.random() < .3 else [])
    if roll < 0.98:
        return ["last-pane", "-t", row["window"]]
    return ["select-pane", "-t", pane]


def windows_step(rows):
    if len(rows) < 4:
        return ["new-window", "-t", rows[0]["session"] + ":", SLEEP]
    row, other = rng.choice(rows), rng.choice(rows)
    if len(rows) > 6:
        return ["kill-window", "-t", row["window"]]
    pane, target = rng.choice(row["panes"]), rng.choice(other["panes"])
    sessions = sorted({r["session"] for r in rows})
    session = rng.choice(sessions)
    detached = ["-d"] if rng.random() < 0.4 else []
    place = rng.choice([f"{session}:", f"{session}:{rng.randint(0, 8)}"])
    beside = rng.choice([[], [], ["-a"], ["-b"]])
    roll = rng.random()
    if roll < 0.05 and len(sessions) < 3:
        name = ["-s", rng.choice("abcd")] if rng.random() < 0.7 else []
        return ["new-session", "-d", "-x", "80", "-y", "24"] + name + [SLEEP]
    if roll < 0.20:
        place = ["-t", place] if not beside else ["-t", other["window"]]
        kill = ["-k"] if not beside and rng.random() < 0.3 else []
        return ["new-window"] + place + beside + detached + kill + [SLEEP]
    if roll < 0.28:
        return ["kill-window", "-t", row["window"]]
    if roll < 0.29:
        return ["kill-window", "-a", "-t", row["window"]]
    if roll < 0.36:
        return ["select-window", "-t", row["window"]] + (["-T"] if rng.random() < .3 else [])
    if roll < 0.42:
        return [rng.choice(["next-window", "previous-window", "last-window"]), "-t", session + ":"]
    if roll < 0.52:
        place = ["-t", place] if not beside else ["-t", other["window"]]
        kill = ["-k"] if not beside and rng.random() < 0.3 else []
        # Not -d within a session: there tmux forgets that the window was current, or when.
        to = other["session"] if beside else session
        detached = [] if row["session"] == to else detached
        return ["move-window", "-s", row["window"]] + place + beside + detached + kill
    if roll < 0.54:
        return ["move-window", "-r", "-t", session + ":"]
    if roll < 0.62:
        return ["swap-window", "-s", row["window"], "-t", other["window"]] + detached
    if roll < 0.74 and not row["zoomed"]:
        return ["split-window", "-t", pane] + split_flags(row["panes"]) + [SLEEP]
    if roll < 0.80:
        place = ["-t", place] if not beside else ["-t", other["window"]]
        to = other["session"] if beside else session
        detached = [] if row["session"] == to and len(row["panes"]) == 1 else detached
        return ["break-pane", "-s", pane] + place + beside + detached
    if roll < 0.86:
        # Not -f: there the installed version keeps indexes that are not those of the places.
        # Nor -d within a window: there tmux makes another pane active.
        unwanted = ["-f", "-d"] if row["window"] == other["window"] else ["-f"]
        flags = [f for f in split_flags(other["panes"]) if f not in unwanted]
        return ["join-pane", "-s", pane, "-t", target] + flags
    if roll < 0.92:
        return ["swap-pane", "-s", pane, "-t", target] + detached
    if roll < 0.94:
        return ["kill-pane", "-t", pane]
    if roll < 0.96:
        return ["select-pane", "-t", pane]
    if roll < 0.97:
        return ["resize-pane", "-Z", "-t", pane]
    if roll < 0.98:
        return ["set-option", "-g", "renumber-windows"]
    if roll < 0.99:
        return ["set-option", "-g", "base-index", str(rng.randint(0, 2))]
    return ["kill-session", "-t", session] if len(sessions) > 1 else ["next-window", "-t", session + ":"]


first = ["new-session", "-d", "-s", "a", "-x", "80", "-y", "24", SLEEP]
layouts = ["b25d,80x24,0,0,0"]
print(f"# Made by record.py {kind} {seed} {steps} from {tmux('-V')[1]}.")
server = None
try:
    args = first
    tmux("start-server", ";", "set", "-g", "automatic-rename", "off", ";", *args)
    server = int(tmux("display-message", "-p", "#{pid}")[1])
    print(">", quoted(args))
    for line in windows():
        print("=", line)
    rows = parse(windows())
    for _ in range(steps):
        args = layout_step(rows) if kind == "layout" else windows_step(rows)
        code, out = tmux(*args)
        lost = {r["window"]: r for r in rows if r["zoomed"]}
        lost = [lost[r["window"]] for r in parse(windows()) if r["window"] in lost and not r["zoomed"]]
        if code != 0 and lost:
            # A command that fails here ends the zoom all the same; an error should change nothing.
            tmux("resize-pane", "-Z", "-t", lost[0]["active"])
            continue
        print(">", quoted(args))
        if code != 0:
            print("!", out)
        for line in windows():
            print("=", line)
        rows = parse(windows())
        layouts = (layouts + [row["layout"] for row in rows])[-20:]
        if not rows:
            sys.exit("the server is gone")
finally:
    # Not kill-server: some of these commands keep the installed version busy for ever.
    if server:
        os.kill(server, signal.SIGKILL)
