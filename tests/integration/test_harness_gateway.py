"""The Gateway of the harness with a stand-in for the program: what it must not overlook, it does not."""

import subprocess

import pytest

from harness import gateway as module
from harness.basics import alive, wait_for

STAND_IN = """#!/bin/bash
# gibbon VERB [-c FILE] -p PREFIX
verb=$1; while [ $# -gt 1 ]; do [ "$1" = -p ] && prefix=$2; [ "$1" = -c ] && file=$2; shift; done
case $verb in
  start)
    mkdir -p "$prefix/pids" "$prefix/logs"; echo "$LINE" > "$prefix/logs/error.log"; touch "$GIBBON_SHM_DIR/${SHARED:-.}"
    port=$(sed -n 's/^admin_listen = .*://p' "$file")
    /usr/bin/python3 -c '
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers(); self.wfile.write(b"{}")
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()' "$port" "$prefix" > /dev/null 2>&1 &
    echo $! > "$prefix/pids/nginx.pid" ;;
  stop) [ -n "$STAY" ] || kill "$(cat "$prefix/pids/nginx.pid")" ;;
esac
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    script = tmp_path / "gibbon"
    script.write_text(STAND_IN)
    script.chmod(0o755)
    monkeypatch.setattr(module, "BINARY", script)
    return lambda **env: module.Gateway(env={"LINE": "", **env}).start()


def test_a_clean_run_passes(stand_in):
    gateway = stand_in(LINE="[notice] all is well")
    pid = gateway.pid("nginx")
    assert pid in gateway.processes()
    gateway.close()
    assert not alive(pid) and not gateway.folder.exists() and not gateway.shared.exists()


@pytest.mark.parametrize("env,words", [
    ({"LINE": "2026/01/01 00:00:00 [alert] 1#1: worker process 2 exited on signal 11"}, "alarm: error.log"),
    ({"LINE": "==1==ERROR: AddressSanitizer: heap-use-after-free"}, "alarm: error.log"),
    ({"SHARED": "ring.0"}, "left in shared memory"), ({"STAY": "1"}, "the end of")])
def test_what_a_run_leaves_behind_fails_the_test(stand_in, env, words):
    gateway = stand_in(**env)
    pid = gateway.pid("nginx")
    if env.get("STAY"):
        gateway.running = False  # as if it had been stopped
        words = "left running"
    with pytest.raises(AssertionError, match=words):
        gateway.close()
    wait_for(lambda: not alive(pid), "the end of what was left")
    assert not gateway.folder.exists() and not gateway.shared.exists()


def test_an_alarm_that_a_test_provokes_can_be_allowed(stand_in):
    gateway = stand_in(LINE="[alert] 1#1: worker process 2 exited on signal 9")
    gateway.allow_alarm(r"worker process \d+ exited on signal 9")
    gateway.close()


def test_processes_are_found_by_what_they_hold_open(tmp_path):
    (tmp_path / "held").touch()
    with open(tmp_path / "held", encoding="utf-8") as held:
        sleeper = subprocess.Popen(["sleep", "60"], stdin=held, cwd="/")
    try:
        # A program has no command line for a moment while it is being loaded.
        wait_for(lambda: module.processes_touching(tmp_path / "held") == {sleeper.pid: "sleep 60"}, "the sleeper")
    finally:
        sleeper.kill()
        sleeper.wait()
