"""The guide's commands, word for word: only host names and ports are those of the test."""

import json
import select
import subprocess
import sys

import pytest

from harness.basics import free_port, wait_for
from harness.client import fetch
from harness.gateway import Gateway

ADD_PLUGIN = '''
curl -X POST http://localhost:8001/services/{service-id}/plugins \\
  --data "name=request-response-logger" \\
  --data "config.log_endpoint=http://express-app:3000/logs" \\
  --data "config.timeout=10000"
'''
MAKE_REQUEST = '''
curl -X POST http://localhost:8000/httpbin/post \\
  -H "Content-Type: application/json" \\
  -d '{"test": "plugin verification"}'
'''
READ_LOG = "curl http://localhost:3000/logs?limit=1"
IS_ENABLED = "curl http://localhost:8001/plugins/enabled | grep request-response-logger"
SHOW_CONFIGURATION = '''curl http://localhost:8001/plugins | jq '.data[] | select(.name == "request-response-logger")\''''


@pytest.fixture(scope="module")
def httpbin():
    """The real one, from Debian's package; its port."""
    pytest.importorskip("httpbin")
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", "--threads", "4", "httpbin:app"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers():
        assert server.poll() is None, "httpbin ended"
        try:
            return fetch(port, "GET", "/get").status == 200
        except OSError:
            return False

    wait_for(answers, "httpbin")
    yield port
    server.terminate()
    server.wait(20)


@pytest.fixture(scope="module")
def shell(gibbon_binary, httpbin):
    """Runs a command of the guide against a gateway set up as the guide says, and returns what it prints."""
    gateway = Gateway(workers=2, log_service=True, settings={"plugins": None},
                      env={"KONG_PLUGINS": "bundled,request-response-logger"})
    try:
        gateway.start()
        service = gateway.admin.ok("POST", "/services", {"name": "httpbin", "url": f"http://localhost:{httpbin}"})
        gateway.admin.ok("POST", "/services/httpbin/routes", {"name": "httpbin", "paths": ["/httpbin"]})

        def run(command):
            for guide, ours in (("{service-id}", service["id"]), ("express-app:3000", f"localhost:{gateway.logs}"),
                                ("localhost:8001", f"localhost:{gateway.admin_port}"),
                                ("localhost:8000", f"localhost:{gateway.proxy}"), ("localhost:3000", f"localhost:{gateway.logs}")):
                command = command.replace(guide, ours)
            done = subprocess.run(["bash", "-c", "set -o pipefail; " + command.strip()], capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            return done.stdout

        run.gateway = gateway
        yield run
    finally:
        gateway.close()


@pytest.fixture(scope="module")
def plugin(shell):
    return json.loads(shell(ADD_PLUGIN))


@pytest.fixture(scope="module")
def made(shell, plugin):
    """The guide's request was made: what the client got."""
    return json.loads(shell(MAKE_REQUEST))


def test_the_plugin_is_activated_with_the_guides_defaults(shell, plugin):
    assert plugin["name"] == "request-response-logger" and plugin["enabled"] is True
    assert plugin["config"] == {
        "log_endpoint": f"http://localhost:{shell.gateway.logs}/logs", "timeout": 10000, "keepalive": 60000,
        "log_request_body": True, "log_response_body": True, "max_body_size": 1024}


def test_the_plugin_shows_as_enabled(shell):
    assert "request-response-logger" in shell(IS_ENABLED)


def test_the_configuration_is_shown(shell, plugin):
    assert json.loads(shell(SHOW_CONFIGURATION)) == plugin


def test_the_request_goes_through_and_is_in_the_log(shell, plugin, made):
    assert made["json"] == {"test": "plugin verification"}
    logs = wait_for(lambda: (found := json.loads(shell(READ_LOG)))["data"] and found, "the entry")
    assert len(logs["data"]) == 1
    entry = logs["data"][0]
    assert entry["type"] == "kong_request_response" and isinstance(entry["id"], (int, float))
    assert len(entry["timestamp"]) == len("2025-07-23T19:20:22.993Z") and entry["timestamp"].endswith("Z")
    request, response = entry["request"], entry["response"]
    assert request["url"] == f"http://localhost:{shell.gateway.proxy}/httpbin/post" and request["method"] == "POST"
    assert request["headers"]["content-type"] == "application/json"
    assert request["body"] == '{"test": "plugin verification"}'
    assert response["status_code"] == 200 and response["headers"]["content-type"] == "application/json"
    assert json.loads(response["body"]) == made


def test_one_entry_is_found_by_its_ids_and_newer_ones_come_first(shell, made):
    port = shell.gateway.logs
    entry = wait_for(lambda: fetch(port, "GET", "/logs?limit=1").json()["data"], "the entry")[0]
    shown = fetch(port, "GET", f"/logs/{entry['entry_id']}")
    assert shown.status == 200 and shown.json()["entry_id"] == entry["entry_id"]
    json.loads(shell(MAKE_REQUEST.replace("plugin verification", "second")))
    newest = wait_for(lambda: [e for e in fetch(port, "GET", "/logs?limit=1").json()["data"]
                               if e["entry_id"] != entry["entry_id"]], "the second entry")[0]
    assert "second" in newest["request"]["body"]
    two = fetch(port, "GET", "/logs?limit=2").json()["data"]
    assert [e["entry_id"] for e in two] == [newest["entry_id"], entry["entry_id"]]
    assert fetch(port, "GET", "/status").status == 200


def test_a_new_entry_is_pushed_to_those_who_watch(shell, plugin):
    """GET /logs/stream: what the page's live list uses."""
    watcher = subprocess.Popen(["curl", "-sSN", f"http://localhost:{shell.gateway.logs}/logs/stream"],
                               stdout=subprocess.PIPE, text=True)
    try:
        for number in range(200):
            shell(MAKE_REQUEST.replace("plugin verification", f"watched {number}"))
            if select.select([watcher.stdout], [], [], 0.2)[0]:
                break
        seen = ""
        while "watched" not in seen:
            line = watcher.stdout.readline()
            assert line, "the stream ended"
            seen += line
    finally:
        watcher.kill()
        watcher.wait()
