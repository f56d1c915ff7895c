"""A real Kong's recorded answers, replayed in their order: the same status, headers, shape and messages."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness.basics import free_port
from harness.client import fetch
from harness.endpoint import LogEndpoint
from harness.gateway import Gateway
from harness.transcripts import FOLDER, Replay, load, within

# What Gibbon shows beside Kong's own.
ADDITIONS = {".gibbon", ".gibbon_version", ".pids.agent"}

# Paths of Kong's that do not exist here: of plugins that come on their own, and of what docs/kong-differences.md names.
ABSENT = ("/acls", "/acme", "/basic-auths", "/hmac-auths", "/jwts", "/key-auths", "/oauth2", "/proxy-cache", "/sessions",
          "/key-sets", "/keys")
NESTED_ABSENT = ("acls", "basic-auth", "hmac-auth", "jwt", "key-auth", "oauth2", "oauth2_tokens")


@pytest.fixture(scope="module")
def database(gibbon_binary):
    gateway = Gateway(workers=1)
    try:
        yield gateway.start()
    finally:
        gateway.close()


@pytest.fixture(scope="module")
def plugins(database):
    return set(database.admin.get("/plugins/enabled")["enabled_plugins"])


@pytest.fixture(scope="module")
def replay(database, plugins):
    """One for all files with a database: what one of them makes, the next ones use."""
    return Replay(database.admin_port, plugins=plugins, extra_keys=ADDITIONS)


def check(replay, cases):
    assert cases and not (problems := replay.run(cases)), "\n".join(problems)


def test_information(replay):
    check(replay, [case for case in load("information.json") if case["path"] not in ("/", "/endpoints")])


def test_root(replay):
    case = next(case for case in load("information.json") if case["path"] == "/")
    expected = case["expect"].pop("configuration")
    got = replay.send(case).json()
    check(replay, [{**case, "expect": {**case["expect"], "configuration": {"<key>": None}}}])
    shown = got["configuration"]
    common = {key: expected[key] for key in expected.keys() & shown.keys() if expected[key] != {}}
    assert len(common) > 80
    empty = [key for key in expected.keys() & shown.keys() if expected[key] == {} and not isinstance(shown[key], (list, dict, str))]
    for key in ("proxy_listeners", "admin_listeners", "status_listeners"):  # recorded with a backlog
        common[key] = [{"backlog=%d+" if name == "backlog=16384" else name: flag for name, flag in common[key][0].items()}]
    problems = [p for key, value in common.items() for p in replay.shape(value, shown[key], key)]
    assert not problems and not empty, problems + empty


def test_endpoints(replay, plugins):
    case = next(case for case in load("information.json") if case["path"] == "/endpoints")
    kongs = case["expect"]["data"]
    ours = replay.send(case).json()["data"]
    assert ours == sorted(ours, key=lambda path: path.replace("/", "\0"))

    def is_absent(path):
        nested = path.split("/")[3:4]
        return path.startswith(ABSENT) or (nested and nested[0] in NESTED_ABSENT)

    missing = [path for path in kongs if path not in ours and not is_absent(path)]
    assert not missing, missing
    more = set(ours) - set(kongs)
    assert more <= {"/openapi.json"}, more


@pytest.mark.parametrize("name", ["services.json", "routes.json", "plugins.json"])
def test_entities(replay, name):
    check(replay, load(name))
    # Until their plugins exist, their exchanges wait.
    waiting = {name for case in load("plugins.json") for name in case.get("needs", [])} - replay.plugins
    assert not replay.skipped or waiting <= {"http-log", "rate-limiting"}


def test_without_database(make_gateway):
    gateway = make_gateway(workers=1, database="off", settings={"declarative_config": str(FOLDER / "dbless.yml")})
    plugins = set(gateway.admin.get("/plugins/enabled")["enabled_plugins"])
    check(Replay(gateway.admin_port, plugins=plugins, extra_keys=ADDITIONS), load("dbless.json"))


# Of 1152 bytes, as the one that Kong stood before.
PLAIN = json.dumps({"ok": True, "items": [
    {"id": i, "name": f"item-{i:03d}", "tags": ["a", "b"], "price": i * 1.25} for i in range(17)]}).encode()


class Upstream(BaseHTTPRequestHandler):
    """A plain answer below /plain, silence below /slow, and elsewhere what it was asked."""

    protocol_version = "HTTP/1.1"
    release = threading.Event()

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/base/slow"):
            self.release.wait(30)
        plain = self.path.startswith(("/plain", "/seed"))
        self.server_version, self.sys_version = ("nginx/1.22.1" if plain else "upstream/1"), ""
        self.send_response(500 if self.path.endswith("status500") else 200)
        self.send_header("Content-Type", "application/json")
        if plain:
            self.send_header("Content-Length", str(len(PLAIN)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else PLAIN)
            return
        raw = sorted([name, value] for name, value in self.headers.items())
        text = json.dumps({"method": self.command, "url": self.path, "v": self.request_version.split("/")[1], "raw": raw,
                           "body": body.decode()}).encode()
        self.send_header("X-Up", "1")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(text), text))
        except OSError:  # the slow answer that nobody waited for
            self.close_connection = True

    do_GET = do_POST = do_HEAD = answer

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def upstream_port():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    Upstream.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_proxied_traffic(make_gateway, upstream_port, name_server):
    gateway = make_gateway(workers=1, settings={"dns_resolver": f"127.0.0.1:{name_server.port}"})
    plain, echo = f"http://127.0.0.1:{upstream_port}/plain", f"http://127.0.0.1:{upstream_port}/base"
    gateway.add(plain, "/plain")
    gateway.add(echo, "/echo")
    gateway.add(echo, "/echo2", route={"strip_path": False, "preserve_host": True})
    gateway.add(f"http://127.0.0.1:{free_port()}", "/dead")
    gateway.add(echo + "/slow", "/slow", service={"read_timeout": 500, "retries": 0})
    gateway.add(plain, "/tlsonly", route={"protocols": ["https"]})
    gateway.add("http://nowhere.example.test", "/badname")
    gateway.admin.ok("POST", "/routes", {"paths": ["/nosvc"]})
    check(Replay(gateway.proxy, headers={}), load("proxy.json"))


def test_log_payloads(make_gateway, upstream_port):
    """The logger's; http-log's wait for that plugin."""
    sink = LogEndpoint().open()
    try:
        gateway = make_gateway(workers=1)
        gateway.add(f"http://127.0.0.1:{upstream_port}/seed", "/seed", log_to=sink.url)
        cases = load("log_payloads.json")
        for case in cases:
            body = case.get("body", case["repeat"][0] * case["repeat"][1] if "repeat" in case else None)
            assert fetch(gateway.proxy, case["method"], case["path"], case["headers"], body and body.encode()).status == 200
            # The URL has the port that the client named; what the logger says beside Kong's record is its own.
            entry = sink.wait_where(lambda entry: entry["request"]["url"].endswith(case["path"]), case["path"])
            case["expect"]["request"]["url"] = f"http://127.0.0.1:{gateway.proxy}{case['path']}"
            problems = Replay(0).shape(case["expect"], within(case["expect"], entry), "")
            assert not problems, problems
    finally:
        sink.shut()
