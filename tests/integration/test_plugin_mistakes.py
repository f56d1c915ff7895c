"""What plugin authors do wrong costs a request at most: a named line in the log, and a sane answer."""

import re

import pytest

from harness.basics import wait_for
from harness.client import Client, fetch
from harness.gateway import BUILD, Gateway

PLUGINS = ["mistakes-open", "mistakes-closed", "mistakes-held-open", "mistakes-held-closed"]


@pytest.fixture(scope="module")
def careless(gibbon_binary, authority):
    gateway = Gateway(workers=1, tls=authority.issue("gate.test"), settings={
        "plugins": ",".join(["bundled", *PLUGINS]), "plugin_path": BUILD / "tests" / "kit",
        "plugin_wait_timeout": 200})
    try:
        yield gateway.start()
    finally:
        gateway.close()


@pytest.fixture
def with_plugin(careless, upstream):
    """with_plugin(name, phase, mistake): a route that the plugin guards, or one that it guards globally."""
    made, routes = [], []

    def make(name, phase, mistake):
        route = careless.add(f"http://127.0.0.1:{upstream.port}")
        routes.append(route)
        path = "/plugins" if phase in ("rewrite", "certificate") else f"/routes/{route.route['id']}/plugins"
        made.append(careless.admin.ok("POST", path, {"name": name, "config": {"phase": phase, "mistake": mistake}}))
        return route

    yield make
    for plugin in made:
        careless.admin.call("DELETE", f"/plugins/{plugin['id']}")
    for route in routes:
        route.remove()


def said(gateway, before, pattern):
    """The log has a line that it did not have before."""
    wait_for(lambda: re.search(pattern, gateway.log()[before:]), lambda: f"{pattern} in:\n{gateway.log()[before:]}")


MESSAGES = {
    "throw": "the author's mistake",
    "throw_int": "it threw something that is no std::exception",
    "throw_late": "the author's late mistake",
    "wait": "it has waited for more than 200 ms",
}


@pytest.mark.parametrize("mistake", MESSAGES)
@pytest.mark.parametrize("phase", ["rewrite", "access", "response"])
@pytest.mark.parametrize("policy", ["open", "closed"])
def test_before_the_answer(careless, with_plugin, policy, phase, mistake):
    name = f"mistakes-held-{policy}" if phase == "response" else f"mistakes-{policy}"
    route = with_plugin(name, phase, mistake)
    before = len(careless.log())
    answer = careless.get(route.path)
    said(careless, before, rf"\[{name}\] exception in {phase}: {MESSAGES[mistake]}")
    if policy == "open":
        assert answer.status == 200 and answer.json()["method"] == "GET"
    else:
        assert answer.status == 500 and answer.json()["message"] == "An unexpected error occurred"


@pytest.mark.parametrize("policy", ["open", "closed"])
def test_in_header_filter(careless, with_plugin, policy):
    route = with_plugin(f"mistakes-{policy}", "header_filter", "throw")
    before = len(careless.log())
    with Client(careless.proxy) as client:
        answer = client.request("GET", route.path)
        said(careless, before, rf"\[mistakes-{policy}\] exception in header_filter: the author's mistake")
        assert (answer.status, bool(answer.body)) == ((200, True) if policy == "open" else (500, False))
        assert client.request("GET", route.path).status == answer.status  # the connection is as good as before


@pytest.mark.parametrize("phase", ["body_filter", "log"])
def test_once_the_head_is_gone_the_answer_stays(careless, with_plugin, phase):
    route = with_plugin("mistakes-closed", phase, "throw")
    before = len(careless.log())
    answer = careless.get(route.path)
    assert answer.status == 200 and answer.json()["method"] == "GET"
    said(careless, before, rf"\[mistakes-closed\] exception in {phase}: the author's mistake")


@pytest.mark.parametrize("phase", ["rewrite", "access", "response", "header_filter"])
def test_a_second_answer_is_refused_and_the_first_one_sent(careless, with_plugin, phase):
    name = "mistakes-held-closed" if phase == "response" else "mistakes-closed"
    route = with_plugin(name, phase, "answer_twice")
    before = len(careless.log())
    answer = careless.get(route.path)
    assert answer.status == 418
    assert answer.body == (b"" if phase == "header_filter" else b"teapot")
    said(careless, before, rf"\[{name}\] exception in {phase}: exit\(\) was called for a request that is answered already")


@pytest.mark.parametrize("phase, allowed", [
    ("log", r"rewrite, access, response"), ("body_filter", r"rewrite, access, response"),
    ("header_filter", r"rewrite, access, response")])
def test_exit_where_it_cannot_be(careless, with_plugin, phase, allowed):
    """In header_filter an answer without a body could still be given: this one has a body."""
    route = with_plugin("mistakes-open", phase, "answer")
    before = len(careless.log())
    assert careless.get(route.path).status == 200
    said(careless, before, rf"\[mistakes-open\] exception in {phase}: "
                           rf"exit\(\) cannot be called in {phase} phase \(only in: {allowed}\)")


@pytest.mark.parametrize("policy", ["open", "closed"])
def test_a_body_written_twice(careless, with_plugin, policy):
    route = with_plugin(f"mistakes-{policy}", "body_filter", "replace_twice")
    before = len(careless.log())
    assert careless.get(route.path).body.startswith(b"first")
    said(careless, before, r"exception in body_filter: replace\(\) was called before for this piece")


@pytest.mark.parametrize("policy", ["open", "closed"])
def test_a_held_body_written_twice(careless, with_plugin, policy):
    route = with_plugin(f"mistakes-held-{policy}", "response", "set_twice")
    before = len(careless.log())
    answer = careless.get(route.path)
    said(careless, before, r"exception in response: set_body\(\) was called before in this phase")
    if policy == "open":
        assert (answer.status, answer.body) == (200, b"first")
    else:
        assert answer.status == 500


def test_in_a_handshake(careless, with_plugin):
    route = with_plugin("mistakes-closed", "certificate", "throw")
    before = len(careless.log())
    answer = fetch(careless.tls, "GET", route.path, tls_name="gate.test")
    assert answer.status == 200
    said(careless, before, r"\[mistakes-closed\] exception in certificate: the author's mistake")


def test_a_client_that_leaves_while_a_handler_waits(careless, with_plugin):
    """The end of the request destroys what waits; the worker goes on."""
    route = with_plugin("mistakes-closed", "access", "wait")
    client = Client(careless.proxy)
    client.send(f"GET {route.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    client.close()
    assert careless.get(route.path).status == 500
