"""What coroutines of plugins wait for: connections, HTTP, names, timers; and what ends them."""

import json
import re
import socket
import subprocess
import threading

import pytest

from harness.basics import free_port, wait_for
from harness.client import Client
from harness.gateway import BUILD, Gateway
from harness.upstream import server_tls

KIT = {"plugins": "bundled,waiting-closed,waiting-open", "plugin_path": str(BUILD / "tests" / "kit")}
PHASES = ("rewrite", "access", "response")


class LineServer:
    """Answers every line with "<number of the connection> <line>". `stop` closes all its connections."""

    def __init__(self, tls=None):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.tls, self.lines, self.connections, self._open = tls, [], 0, []
        self.closed = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(peer)
            threading.Thread(target=self._serve, args=(peer, self.connections), daemon=True).start()

    def _serve(self, peer, number):
        try:
            if self.tls:
                peer = self.tls.wrap_socket(peer, server_side=True)
            for line in peer.makefile("rb"):
                text = line.decode("latin-1").strip()
                self.lines.append(text)
                if text == "together":
                    self.together.wait(20)
                if text == "close":
                    break
                if text != "nothing":
                    peer.sendall(f"{number} {text}\n".encode("latin-1"))
        except OSError:
            pass
        peer.close()
        self.closed += 1

    def drop(self):
        for peer in self._open:
            try:
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()
        self.drop()


@pytest.fixture
def lines():
    server = LineServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def waiting_gateway(gibbon_binary, authority, hosts_file, name_server):
    gateway = Gateway(workers=1, tls=authority.issue("gate.test", "localhost", "127.0.0.1"), h2c=True, settings=KIT | {
        "lua_ssl_trusted_certificate": str(authority.certificate), "dns_hostsfile": str(hosts_file),
        "dns_resolver": f"127.0.0.1:{name_server.port}"})
    try:
        yield gateway.start()
    finally:
        gateway.close()


@pytest.fixture
def gate(waiting_gateway):
    waiting_gateway.new_alarms()
    yield waiting_gateway
    assert not (new := waiting_gateway.new_alarms()), new


@pytest.fixture
def wait(gate, upstream):
    """wait("sleep", phase="access", ...): a path whose requests do that."""
    made, globals_ = [], []

    def make(act, phase="access", plugin="waiting-closed", **config):
        added = gate.add(f"http://127.0.0.1:{upstream.port}")
        made.append(added)
        body = {"name": plugin, "config": {"phase": phase, "act": act, **config}}
        if phase == "rewrite":
            globals_.append(gate.admin.ok("POST", "/plugins", body)["id"])
        else:
            gate.admin.ok("POST", f"/services/{added.service['id']}/plugins", body)
        return added.path

    yield make
    for plugin in globals_:
        gate.admin.ok("DELETE", f"/plugins/{plugin}")
    for added in made:
        added.remove()


def text(answer):
    assert answer.status == 200, answer
    return answer.body.decode()


@pytest.mark.parametrize("phase", PHASES)
def test_sleeps_in_each_phase(gate, wait, phase):
    assert text(gate.get(wait("sleep", phase=phase, milliseconds=5))) == "slept"


@pytest.mark.parametrize("phase", PHASES)
def test_the_request_goes_on_afterwards(gate, wait, phase):
    answer = gate.get(wait("sleep", phase=phase, milliseconds=5, go_on=True) + "/text/10")
    assert text(answer) == "a" * 10
    assert answer.header("x-waited") == "slept"


@pytest.mark.parametrize("phase", PHASES)
def test_a_connection_is_kept_for_the_next_one(gate, wait, lines, phase):
    path = wait("connect", phase=phase, host="127.0.0.1", port=lines.port, say="hello")
    assert text(gate.get(path)) == "new 1 hello"
    assert text(gate.get(path)) == "reused 1 hello"
    assert lines.connections == 1


def test_pools_are_apart(gate, wait, lines):
    one = wait("connect", host="127.0.0.1", port=lines.port, say="hello", pool="one")
    two = wait("connect", host="127.0.0.1", port=lines.port, say="hello", pool="two")
    assert text(gate.get(one)) == "new 1 hello"
    assert text(gate.get(two)) == "new 2 hello"
    assert text(gate.get(one)) == "reused 1 hello"


def test_a_kept_connection_that_the_other_end_closes_is_dropped(gate, wait, lines):
    path = wait("connect", host="127.0.0.1", port=lines.port, say="hello")
    assert text(gate.get(path)) == "new 1 hello"
    lines.drop()
    wait_for(lambda: lines.closed == 1, "the end of the connection")
    assert text(gate.get(path)) == "new 2 hello"


def test_a_kept_connection_ends_after_a_while(gate, wait, lines):
    path = wait("connect", host="127.0.0.1", port=lines.port, say="hello", idle=5)
    assert text(gate.get(path)) == "new 1 hello"
    wait_for(lambda: lines.closed == 1, "the end of the connection")


def test_a_pool_without_room(gate, wait, lines):
    path = wait("connect", host="127.0.0.1", port=lines.port, say="hello", pool_size=0)
    assert text(gate.get(path)) == "new 1 hello"
    assert text(gate.get(path)) == "new 2 hello"
    wait_for(lambda: lines.closed == 2, "the end of both connections")


def test_a_pool_with_room_for_one(gate, wait, lines):
    """Two connections at a time; the one that is kept last stays."""
    path = wait("connect", host="127.0.0.1", port=lines.port, say="together", pool_size=1)
    lines.together = threading.Barrier(2)
    with Client(gate.proxy) as one, Client(gate.proxy) as two:
        for client in (one, two):
            client.send(f"GET {path} HTTP/1.1\r\nHost: a.test\r\n\r\n".encode())
        assert {text(client.answer()) for client in (one, two)} == {"new 1 together", "new 2 together"}
    wait_for(lambda: lines.closed == 1, "the end of one connection")


def test_the_other_end_closes(gate, wait, lines):
    assert text(gate.get(wait("connect", host="127.0.0.1", port=lines.port, say="close"))) == "new closed"


def test_a_refused_connection(gate, wait):
    port = free_port()
    assert text(gate.get(wait("connect", host="127.0.0.1", port=port))) == \
        f"error: connection: cannot connect to 127.0.0.1:{port}: Connection refused"


def test_an_answer_that_does_not_come(gate, wait, lines):
    path = wait("connect", host="127.0.0.1", port=lines.port, say="nothing", milliseconds=50)
    assert text(gate.get(path)) == f"error: timeout: reading from 127.0.0.1:{lines.port}: timeout after 50 ms"


def test_tls_is_verified(gate, wait, authority, foreign_authority):
    for issuer, names, verify, want in (
            (authority, ("one.test",), True, "new 1 hello"),
            (authority, ("two.test",), True, "error: tls: the certificate of one.test:PORT is not for one.test"),
            (authority, ("two.test",), False, "new 1 hello"),
            (foreign_authority, ("one.test",), True, "error: tls: the certificate of one.test:PORT is not trusted: "),
            (foreign_authority, ("one.test",), False, "new 1 hello")):
        server = LineServer(server_tls(*issuer.issue(*names)))
        try:
            path = wait("connect", host="one.test", port=server.port, tls=True, verify=verify, say="hello")
            got = text(gate.get(path)).replace(str(server.port), "PORT")
            assert got.startswith(want), (names, verify)
            if want.startswith("new"):
                assert text(gate.get(path)) == "reused 1 hello"
        finally:
            server.close()


def test_tls_to_an_address(gate, wait, authority):
    server = LineServer(server_tls(*authority.issue("localhost", "127.0.0.1")))
    try:
        path = wait("connect", host="127.0.0.1", port=server.port, tls=True, say="hello")
        assert text(gate.get(path)) == "new 1 hello"
    finally:
        server.close()


def test_no_tls_at_the_other_end(gate, wait, lines):
    path = wait("connect", host="127.0.0.1", port=lines.port, tls=True, say="hello", milliseconds=300)
    assert text(gate.get(path)).startswith("error: t")


def test_names(gate, wait):
    assert text(gate.get(wait("resolve", host="known.example.test"))) == "127.0.0.1"
    assert text(gate.get(wait("resolve", host="one.test"))) == "127.0.0.1"
    assert text(gate.get(wait("resolve", host="192.0.2.7"))) == "192.0.2.7"
    assert text(gate.get(wait("resolve", host="unknown.example.test"))) == \
        "error: name: unknown.example.test could not be resolved: dns server error: 3 name error"


class RawServer:
    """Answers each request, of whatever connection, with the next of `answers`: bytes, or None: it closes at once. A
    connection is closed after an answer that is in `closing`."""

    def __init__(self, answers, closing=(), tls=None):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.answers, self.closing, self.tls = list(answers), closing, tls
        self.heads, self.connections = [], 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        with peer:
            file = peer.makefile("rb")
            while True:
                head = b""
                while (line := file.readline()) not in (b"\r\n", b""):
                    head += line
                if not line:
                    return
                length = re.search(rb"(?i)content-length: (\d+)", head)
                self.heads.append((head + file.read(int(length[1])) if length else head).decode())
                answer = self.answers.pop(0)
                if answer is None:
                    return
                peer.sendall(answer)
                if answer in self.closing:
                    return

    def close(self):
        self.listener.close()


@pytest.fixture
def raw():
    made = []

    def make(*answers, closing=()):
        made.append(RawServer(answers, closing))
        return made[-1]

    yield make
    for server in made:
        server.close()


OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize("phase", PHASES)
def test_http_in_each_phase(gate, wait, raw, phase):
    server = raw(OK, OK)
    path = wait("http", phase=phase, url=f"http://127.0.0.1:{server.port}/x?y=1")
    assert text(gate.get(path)) == "200 text/plain ok"
    assert text(gate.get(path)) == "200 text/plain ok"
    assert server.connections == 1
    assert server.heads == 2 * [f"GET /x?y=1 HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nX-Asked-By: waiting\r\n"
                                "Connection: keep-alive\r\n"]


def test_http_with_a_body_and_a_user(gate, wait, raw):
    server = raw(OK)
    path = wait("http", url=f"http://joe:secret@127.0.0.1:{server.port}", method="POST", body="abc" * 100000)
    assert text(gate.get(path)) == "200 text/plain ok"
    head = server.heads[0]
    assert head.startswith("POST / HTTP/1.1\r\n")
    assert "Authorization: Basic am9lOnNlY3JldA==\r\nContent-Length: 300000\r\n" in head
    assert head.endswith("abc" * 100000)


@pytest.mark.parametrize("answer, kept, want", [
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n4\r\n two\r\n0\r\n\r\n", True, "200  one two"),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", True, "500  "),
    (b"HTTP/1.1 204 None\r\n\r\n", True, "204  "),
    (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", False, "200  until the end"),
    (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", False, "200  ok"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", False,
     "error: connection: 127.0.0.1:PORT: the connection was closed before the end of the answer"),
    (b"hello\r\n", False, "error: protocol: 127.0.0.1:PORT: what came is no answer of HTTP/1"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n", False,
     "error: too large: 127.0.0.1:PORT: the body of the answer has more than 1048576 bytes"),
])
def test_answers_of_every_kind(gate, wait, raw, answer, kept, want):
    server = raw(answer, OK, closing=() if kept else (answer,))
    path = wait("http", url=f"http://127.0.0.1:{server.port}/")
    assert text(gate.get(path)) == want.replace("PORT", str(server.port))
    assert text(gate.get(path)) == "200 text/plain ok"
    assert server.connections == (1 if kept else 2)


def test_a_stale_connection_is_replaced(gate, wait, raw):
    server = raw(OK, None, OK)
    path = wait("http", url=f"http://127.0.0.1:{server.port}/")
    assert text(gate.get(path)) == "200 text/plain ok"
    assert text(gate.get(path)) == "200 text/plain ok"
    assert server.connections == 2


def test_a_post_is_not_sent_twice(gate, wait, raw):
    server = raw(OK, None)
    path = wait("http", url=f"http://127.0.0.1:{server.port}/", method="POST")
    assert text(gate.get(path)) == "200 text/plain ok"
    assert text(gate.get(path)) == f"error: connection: 127.0.0.1:{server.port}: the connection was closed before an answer"


def test_a_server_that_always_closes(gate, wait, raw):
    server = raw(OK, None, None)
    path = wait("http", url=f"http://127.0.0.1:{server.port}/")
    assert text(gate.get(path)) == "200 text/plain ok"
    assert text(gate.get(path)) == f"error: connection: 127.0.0.1:{server.port}: the connection was closed before an answer"
    assert server.connections == 2


def test_a_slow_server(gate, wait, upstream):
    path = wait("http", url=f"http://127.0.0.1:{upstream.port}/stall/{wait.__name__}-slow", milliseconds=50)
    assert text(gate.get(path)) == f"error: timeout: no answer from 127.0.0.1:{upstream.port} within 50 ms"
    upstream.release(f"{wait.__name__}-slow")


def test_large_answers(gate, wait, upstream):
    path = wait("http", url=f"http://127.0.0.1:{upstream.port}/text/900000")
    assert text(gate.get(path)) == "200 text/plain " + "a" * 900000


def test_head(gate, wait, upstream):
    path = wait("http", url=f"http://127.0.0.1:{upstream.port}/text/10", method="HEAD")
    assert text(gate.get(path)) == "200 text/plain "
    assert text(gate.get(path)) == "200 text/plain "


def test_http_over_tls(gate, wait, tls_upstream, untrusted_upstream):
    assert text(gate.get(wait("http", url=f"https://one.test:{tls_upstream.port}/text/2"))) == "200 text/plain aa"
    path = wait("http", url=f"https://127.0.0.1:{tls_upstream.port}/text/2")
    assert text(gate.get(path)) == "200 text/plain aa"
    untrusted = f"https://one.test:{untrusted_upstream.port}/text/2"
    assert text(gate.get(wait("http", url=untrusted))).startswith(
        f"error: tls: the certificate of one.test:{untrusted_upstream.port} is not trusted: ")
    assert text(gate.get(wait("http", url=untrusted, verify=False))) == "200 text/plain aa"


def test_urls_that_lead_nowhere(gate, wait):
    assert text(gate.get(wait("http", url="http://unknown.example.test/"))).startswith(
        "error: name: unknown.example.test could not be resolved: ")
    assert text(gate.get(wait("http", url="ftp://one.test/"))) == "error: protocol: the URL is none of http or https, with a host"


# Background work.

def report(gate, path):
    return {key: int(value) for key, value in (pair.split("=") for pair in text(gate.get(path)).split())}


def test_init_worker_and_configure(gate, wait):
    path = wait("report")
    before = report(gate, path)
    assert before["started"] == 1
    wait_for(lambda: "[waiting-closed] init_worker has slept" in gate.log(), "the init_worker task's end")
    wait("sleep")
    wait_for(lambda: report(gate, path)["configurations"] == before["configurations"] + 1, "the new configuration")
    assert report(gate, path)["configured"] > before["configured"]


@pytest.mark.parametrize("phase", PHASES)
def test_a_timer_of_each_phase(gate, wait, raw, phase):
    server = raw(OK)
    path = wait("after", phase=phase, milliseconds=300, say=f"after in {phase}", url=f"http://127.0.0.1:{server.port}/")
    assert text(gate.get(path)) == "after"
    wait_for(lambda: f"[waiting-closed] after in {phase}: 200 text/plain ok" in gate.log(), "the timer's line")


def test_a_timer_of_the_log_phase(gate, wait):
    gate.get(wait("node", phase="log", say="from the log phase"))
    wait_for(lambda: "[waiting-closed] from the log phase" in gate.log(), "the timer's line")


def test_a_timer_of_a_handshake(gate, wait, authority):
    made = gate.admin.ok("POST", "/plugins", {"name": "waiting-closed", "config": {
        "phase": "certificate", "act": "node", "say": "from a handshake"}})
    path = wait("node")
    wait_for(lambda: gate.get(path).status == 200 and b" " in gate.get(path).body, "the configuration")
    with Client(gate.tls, tls_name="gate.test", ca=authority.certificate) as client:
        assert client.request("GET", path).status == 200
    wait_for(lambda: "[waiting-closed] from a handshake" in gate.log(), "the timer's line")
    gate.admin.ok("DELETE", f"/plugins/{made['id']}")


def test_every_goes_on_after_a_throw(gate, wait):
    path = wait("every", milliseconds=5, say="throw")
    assert text(gate.get(path)) == "every"
    wait_for(lambda: gate.log().count("[waiting-closed] exception in timer: the timer's mistake") >= 3, "three throws")


def test_the_nodes_id(gate, wait):
    id_, worker = text(gate.get(wait("node"))).split()
    assert id_ == gate.admin.get("/")["node_id"]
    assert worker == "0"


def test_id_and_timers_over_a_reload(make_gateway, upstream):
    """Timers that go on keep no worker from its end; the id stays."""
    gate = make_gateway(start=False, workers=2, settings=KIT)
    gate.write_settings(proxy_listen=f"127.0.0.1:{gate.proxy} reuseport")  # So that both workers are asked.
    gate.start()
    added = gate.add(f"http://127.0.0.1:{upstream.port}")
    plugins = f"/services/{added.service['id']}/plugins"
    plugin = gate.admin.ok("POST", plugins, {"name": "waiting-closed", "config": {"phase": "access", "act": "every",
                                                                                  "milliseconds": 20, "say": "tick"}})["id"]
    wait_for(lambda: gate.get(added.path).body == b"every", "the plugin")
    wait_for(lambda: "[waiting-closed] tick: ran" in gate.log(), "a tick")
    gate.admin.ok("PATCH", f"/plugins/{plugin}", {"config": {"act": "node"}})

    def answers():
        """Those of both workers, once both have given one."""
        found = set()

        def both():
            found.update({gate.get(added.path).body.decode()} - {"every"})
            return len(found) == 2
        wait_for(both, "an answer of each worker")
        return found

    before, old = answers(), set(gate.workers())
    assert before == {f"{gate.admin.get('/')['node_id']} {worker}" for worker in (0, 1)}
    assert gate.run("reload").returncode == 0
    assert answers() == before
    wait_for(lambda: not old & set(gate.processes()), "the old workers' end")


# Limits, and clients that go away.


@pytest.fixture(scope="module")
def impatient(gibbon_binary):
    gateway = Gateway(workers=1, settings=KIT | {"plugin_wait_timeout": 50})
    try:
        yield gateway.start()
    finally:
        gateway.close()


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("plugin, status", [("waiting-closed", 500), ("waiting-open", 200)])
def test_who_waits_too_long(impatient, upstream, phase, plugin, status):
    added = impatient.add(f"http://127.0.0.1:{upstream.port}")
    place = "/plugins" if phase == "rewrite" else f"/services/{added.service['id']}/plugins"
    made = impatient.admin.ok("POST", place, {"name": plugin, "config": {
        "phase": phase, "act": "sleep", "milliseconds": 3600000}})
    try:
        answers = []

        def answered():
            answers.append(impatient.get(added.path + "/text/5"))
            return answers[-1].status == status and f"[{plugin}] exception in {phase}: it has waited for more than 50 ms" in \
                impatient.log()
        wait_for(answered, lambda: f"{status}: {answers[-1]}")
        assert b"unexpected" in answers[-1].body if status == 500 else answers[-1].body == b"aaaaa"
    finally:
        impatient.admin.ok("DELETE", f"/plugins/{made['id']}")
        added.remove()


def requests_of(kind, target, port):
    head = f"Host: 127.0.0.1:{port}\r\n"
    return {"get": f"GET {target} HTTP/1.1\r\n{head}\r\n",
            "post": f"POST {target} HTTP/1.1\r\n{head}Content-Length: 5\r\n\r\nhello",
            "half a post": f"POST {target} HTTP/1.1\r\n{head}Content-Length: 50000\r\n\r\nhello",
            "pipelined": f"GET {target} HTTP/1.1\r\n{head}\r\nGET {target}?second HTTP/1.1\r\n{head}\r\n"}[kind].encode()


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("kind", ["get", "post", "pipelined"])
def test_a_client_that_goes_away(gate, wait, phase, kind):
    counts = wait("report")
    path = wait("sleep", phase=phase, milliseconds=3600000)
    watched = "/nothing-" + kind if phase == "rewrite" else path
    target = f"{watched}?gone-{phase}-{kind.replace(' ', '-')}"
    client = Client(gate.proxy)
    client.send(requests_of(kind, target, gate.proxy))
    if phase == "rewrite":
        wait_for(lambda: connections(gate) >= 1, "the waiting request")
    else:
        wait_for(lambda: report(gate, counts)["alive"] == 2, "the waiting handler")
    client.close()
    line = re.compile(rf'"{kind.split()[-1].upper() if "post" in kind else "GET"} {re.escape(target)} HTTP/1.1" 499 ')
    wait_for(lambda: line.search(gate.log("access.log")), "the access log's line")
    if phase != "rewrite":
        wait_for(lambda: report(gate, counts)["alive"] == 1, "the handler's end")


@pytest.mark.parametrize("act", ["connect", "http", "resolve"])
def test_what_a_client_that_goes_away_has_waited_for(gate, wait, lines, upstream, name_server, act):
    counts = wait("report")
    path = wait(act, host="silent.example.test" if act == "resolve" else "127.0.0.1", port=lines.port, say="nothing",
                url=f"http://127.0.0.1:{upstream.port}/stall/gone-{act}", milliseconds=3600000)
    name_server.silent = act == "resolve"
    try:
        with Client(gate.proxy) as client:
            client.send(requests_of("get", path, gate.proxy))
            wait_for(lambda: report(gate, counts)["alive"] == 2, "the waiting handler")
        wait_for(lambda: report(gate, counts)["alive"] == 1, "the handler's end")
        if act == "connect":
            wait_for(lambda: lines.closed == 1, "the end of its connection")
    finally:
        name_server.silent = False
        upstream.release(f"gone-{act}")


def test_a_reload_waits_for_requests_that_wait(make_gateway, upstream):
    gate = make_gateway(workers=1, settings=KIT)
    added = gate.add(f"http://127.0.0.1:{upstream.port}")
    gate.admin.ok("POST", f"/services/{added.service['id']}/plugins", {"name": "waiting-closed", "config": {
        "phase": "access", "act": "http", "milliseconds": 30000, "url": f"http://127.0.0.1:{upstream.port}/stall/reload"}})
    figures = gate.add(f"http://127.0.0.1:{upstream.port}")
    gate.admin.ok("POST", f"/services/{figures.service['id']}/plugins", {"name": "waiting-closed", "config": {
        "phase": "access", "act": "report"}})
    wait_for(lambda: b"configurations=2" in gate.get(figures.path).body, "both configurations")
    old = set(gate.workers())
    with Client(gate.proxy) as client:
        client.send(requests_of("get", added.path, gate.proxy))
        wait_for(lambda: ("GET", "/stall/reload") in upstream.seen, "the handler's request")
        assert gate.run("reload").returncode == 0
        upstream.release("reload")
        assert text(client.answer()) == "200 text/plain late"
    wait_for(lambda: not old & set(gate.processes()), "the old worker's end")


def test_a_held_answer_may_wait_longer_than_send_timeout(make_gateway, upstream):
    gate = make_gateway(workers=1, settings=KIT | {"nginx_proxy_send_timeout": "50ms"})
    added = gate.add(f"http://127.0.0.1:{upstream.port}")
    gate.admin.ok("POST", f"/services/{added.service['id']}/plugins", {"name": "waiting-closed", "config": {
        "phase": "response", "act": "sleep", "milliseconds": 300}})
    wait_for(lambda: gate.get(added.path).body == b"slept", "the plugin's answer")
    assert '" 408 ' not in gate.log("access.log")


def connections(gate):
    return gate.admin.get("/status")["server"]["connections_active"]


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def literal(*texts):
    """A header of HPACK, without an index and without Huffman's code."""
    return b"\0" + b"".join(bytes([len(text)]) + text.encode() for text in texts)


@pytest.mark.parametrize("end", ["reset", "close"])
@pytest.mark.parametrize("phase", PHASES)
def test_a_client_of_http2_that_goes_away(gate, wait, phase, end):
    counts = wait("report")
    path = wait("sleep", phase=phase, milliseconds=3600000)
    target = f"{path}?gone-{phase}-{end}"
    with socket.create_connection(("127.0.0.1", gate.h2c), 30) as peer:
        headers = literal(":method", "GET") + literal(":scheme", "http") + literal(":authority", "a.test") + literal(":path", target)
        peer.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + frame(1, 5, 1, headers))
        if phase != "rewrite":
            wait_for(lambda: report(gate, counts)["alive"] == 2, "the waiting handler")
        if end == "reset":
            peer.sendall(frame(3, 0, 1, (8).to_bytes(4, "big")))
        else:
            peer.shutdown(socket.SHUT_RDWR)
        line = re.compile(rf'"GET {re.escape(target)} HTTP/2.0" 499 ')
        wait_for(lambda: line.search(gate.log("access.log")), "the access log's line")
    if phase != "rewrite":
        wait_for(lambda: report(gate, counts)["alive"] == 1, "the handler's end")


@pytest.mark.parametrize("phase", PHASES)
def test_bodies_and_the_next_request_come_whole(gate, wait, phase):
    """The body, and a pipelined request, arrive while the handler waits."""
    path = wait("sleep", phase=phase, milliseconds=20, go_on=True)
    with Client(gate.proxy) as client:
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n".encode()
        client.send(head)
        client.send(b"b" * 50000)
        client.send(b"b" * 50000 + head + b"c" * 100000)
        for letter in "bc":
            answer = client.answer()
            assert (answer.status, answer.header("x-waited")) == (200, "slept")
            assert (answer.json()["body_size"], answer.json()["body"]) == (100000, 4096 * letter)
        assert client.request("GET", path).status == 200


@pytest.mark.parametrize("phase", PHASES)
def test_http2_with_a_body(gate, wait, phase, tmp_path):
    path = wait("sleep", phase=phase, milliseconds=20, go_on=True)
    body = tmp_path / "body"
    body.write_bytes(b"b" * 200000)
    done = subprocess.run(["curl", "-sS", "--http2-prior-knowledge", "-D", tmp_path / "head", "--data-binary", f"@{body}",
                           f"http://127.0.0.1:{gate.h2c}{path}"], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout)["body_size"] == 200000
    assert "x-waited: slept" in (tmp_path / "head").read_text().lower()
