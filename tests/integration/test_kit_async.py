"""What coroutines of plugins wait for: connections, HTTP, names, timers; and what ends them."""

import re
import socket
import ssl
import threading

import pytest

from harness.basics import free_port, wait_for
from harness.client import Client, fetch
from harness.gateway import BUILD, Gateway
from harness.upstream import server_tls

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
    gateway = Gateway(workers=1, tls=authority.issue("gate.test", "localhost", "127.0.0.1"), h2c=True, settings={
        "plugins": "bundled,waiting-closed,waiting-open", "plugin_path": str(BUILD / "tests" / "kit"),
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
