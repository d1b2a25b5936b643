#!/usr/bin/env python3
"""Records what the installed tmux says of mistakes in every command.

    record.py COMMAND... > mistakes.txt

COMMAND are the commands to record, those of the table. Each step is a line `> command` and what
tmux says on stderr with status 1; whatever it accepts is left out. Nothing here runs in the tests.
"""
import os, re, subprocess, sys, tempfile

home = tempfile.TemporaryDirectory()
BASE = ["env", "-i", "PATH=/usr/bin:/bin", "TERM=xterm", f"TMUX_TMPDIR={home.name}",
        "tmux", "-L", "record", "-f", "/dev/null"]
# What a command needs besides the target that is wrong.
REST = {"bind-key": "q", "confirm-before": "kill-pane", "if-shell": "-F 1 list-panes",
        "load-buffer": "/none", "new-session": "-d", "rename-session": "q", "rename-window": "q",
        "save-buffer": "/none", "set-environment": "A b", "set-option": "@a b",
        "set-window-option": "@a b", "set-buffer": "x"}
TARGETS = ["nobody", "=nobody:", "%99", "@99", "$99", "work:9", "work:0.9"]
# Not made to be the same: session groups, a usage with a slip, files that are no files.
LEFT_OUT = ["new-session -t", "split-window -?", "load-buffer -t"]
VALUES = """no-such-command; rename-window a b; set-option no-such-option 1; set-option status maybe
set-option history-limit many; show-options no-such-option; show-environment NO_SUCH
set-environment A=B x; resize-pane -x many; resize-pane -y many; resize-pane many
split-window -l many; split-window -l -5; split-window -l many%; bind-key no-such-key list-keys
send-keys -N 0 x; send-keys -X cancel; source-file /none; load-buffer /none; show-buffer
delete-buffer; paste-buffer -b none; last-window; last-pane; detach-client; new-session -d -s work
new-session -d -x many; new-window -t work:0; swap-window -s 0 -t 9; move-window -s 0 -t 0
list-keys -T none; run-shell -d many true; display-message -d many x; select-window -t :9
select-pane -t .9; kill-pane -t {last}; next-window; previous-window; set-buffer"""


def tmux(words):
    done = subprocess.run(BASE + words, capture_output=True, text=True, timeout=10,
                          stdin=subprocess.DEVNULL)
    return done.returncode, done.stderr


def record(step):
    if any(step.startswith(start) for start in LEFT_OUT):
        return
    # A server of its own each: the installed version dies of some mistakes.
    tmux(["new-session", "-d", "-s", "work", "-x", "80", "-y", "24", "cat"])
    code, said = tmux(step.split(" "))
    is_alive = tmux(["has-session", "-t", "work"])[0] == 0
    tmux(["kill-server"])
    if code == 1 and is_alive:
        print(f"> {step}\n{said.rstrip()}")


for name in sys.argv[1:]:
    usage = subprocess.run(BASE + ["list-commands", name], capture_output=True, text=True).stdout
    for wrong in ["-9", "-!", "-?", ""] + ["x" + " x" * 5]:
        # Without arguments many do what they are for, and some with many.
        if wrong == "" and not re.search(r"\] [a-z]", usage): continue
        if wrong.startswith("x") and re.search(r"shell-command|arguments|\.\.\.", usage): continue
        record(f"{name} {wrong}".rstrip())
    kinds = "target-session|target-window|target-pane|target-client|src-[a-z]+|dst-[a-z]+"
    for flag in re.findall(rf"\[-(\w) (?:{kinds})\]", usage):
        for target in TARGETS:
            record(f"{name} -{flag} {target} {REST.get(name, '')}".rstrip())
for step in re.split(r"[;\n]\s*", VALUES):
    record(step)
