"""Where plugins send a request, what they are told of the upstream's answer, and what they make of it."""

import subprocess

import pytest

from harness.basics import free_port
from harness.probe import steps, values
from test_kit_requests import echo, everywhere, header, kit, probed  # noqa: F401: fixtures among them


@pytest.fixture
def held(kit, upstream):
    """held(config): a route with the probe, whose answers are held for the probe that has a response phase."""
    made = []

    def make(config):
        made.append(kit.add(f"http://127.0.0.1:{upstream.port}"))
        in_response = [step for step in config["steps"] if step.startswith("response|")]
        for name, steps in (("kit-probe-held", in_response), ("kit-probe", [s for s in config["steps"] if s not in in_response])):
            kit.admin.ok("POST", f"/routes/{made[-1].route['id']}/plugins", {"name": name, "config": {"steps": steps}})
        return made[-1]

    yield make
    for added in made:
        added.remove()


# Where it goes.

def test_another_upstream(kit, probed, servers):
    a, b = servers(2)
    added = kit.add_upstream([f"127.0.0.1:{b.port}"])
    try:
        route = probed(steps("at.set_upstream|nobody", f"at.set_upstream|{added.upstream['name']}"), url=f"http://127.0.0.1:{a.port}")
        for _ in range(3):
            answer = kit.get(route.path)
            assert values(answer) == ["false", "true"] and echo(answer)["server"] == b.name
        assert header(echo(answer), "host") == [f"127.0.0.1:{b.port}"] and a.seen == []
    finally:
        added.remove()


@pytest.mark.parametrize("preserve", [False, True])
def test_another_target(kit, probed, servers, preserve):
    a, b = servers(2)
    route = probed(steps(f"at.set_target|localhost|{b.port}"), url=f"http://127.0.0.1:{a.port}", route={"preserve_host": preserve})
    with kit.connect() as client:
        answers = [client.request("GET", route.path, host="client.test") for _ in range(3)]
    assert [echo(answer)["server"] for answer in answers] == [b.name] * 3
    assert header(echo(answers[0]), "host") == ["localhost"]  # Kong's: without the port
    assert len({echo(answer)["connection"] for answer in answers}) == 1 and a.seen == []


def test_a_target_that_is_an_upstream(kit, probed, servers):
    a, b = servers(2)
    added = kit.add_upstream([f"127.0.0.1:{b.port}"])
    name = added.upstream["name"]
    try:
        route = probed(steps(f"at.set_target|{name}|1"), url=f"http://127.0.0.1:{a.port}")
        seen = echo(kit.get(route.path))
        assert seen["server"] == b.name and header(seen, "host") == [name]
    finally:
        added.remove()


def test_the_last_word_counts(kit, probed, servers):
    a, b = servers(2)
    route = probed(steps(f"at.set_target|localhost|{a.port}", "to.set_header|Host|told.test", f"at.set_target|127.0.0.1|{b.port}",
                         "to.set_header|Host|last.test"), url="http://127.0.0.1:1")
    seen = echo(kit.get(route.path))
    assert seen["server"] == b.name and header(seen, "host") == ["last.test"]


def test_many_targets(kit, probed, servers):
    """More than a service keeps."""
    a, = servers(1)
    hosts = [f"at.set_target|127.0.1.{n}|{a.port}" for n in range(100)]
    route = probed(steps(*hosts, f"at.set_target|127.0.0.1|{a.port}"))
    for _ in range(3):
        assert echo(kit.get(route.path))["server"] == a.name


def test_a_target_in_tls(kit, probed, tls_upstream):
    """Connections under one name are not used for another one."""
    one = probed(steps(f"at.set_target|localhost|{tls_upstream.port}"), url=f"https://127.0.0.1:{tls_upstream.port}")
    two = probed(steps(f"at.set_target|localhost|{tls_upstream.port}", "to.set_header|Host|two.test"),
                 url=f"https://127.0.0.1:{tls_upstream.port}")
    names, connections = [], []
    for route in (one, two, one, two):
        seen = echo(kit.get(route.path))
        names.append(seen["sni"])
        connections.append(seen["connection"])
    assert names == ["localhost", "two.test"] * 2
    assert connections[0] == connections[2] != connections[1] == connections[3]


@pytest.mark.parametrize("retries", [0, 2])
def test_retries(kit, probed, servers, retries):
    a, = servers(1)
    route = probed(steps(f"at.set_retries|{retries}", "at.set_retries|40000"), url=f"http://127.0.0.1:{a.port}")
    answer = kit.get(f"{route.path}/close")
    assert answer.status == 502 and len(a.seen) == retries + 1
    assert values(answer)[1].startswith("?> ")


def test_timeouts(kit, probed, servers):
    a, = servers(1)
    config = steps("at.set_timeouts|1000|1000|50", "at.set_timeouts|0|1|1", "at.set_retries|0")
    route = probed(config, url=f"http://127.0.0.1:{a.port}")
    plain = kit.add(f"http://127.0.0.1:{a.port}")
    try:
        answer = kit.get(f"{route.path}/stall/never")
        assert answer.status == 504 and values(answer)[1].startswith("?> ")
        a.release("now")
        assert kit.get(f"{plain.path}/stall/now").status == 200  # the service's own are as they were
    finally:
        a.release("never")
        plain.remove()


def test_without_a_service(kit):
    route = kit.admin.ok("POST", "/routes", {"paths": ["/bare"]})
    try:
        kit.admin.ok("POST", f"/routes/{route['id']}/plugins", {"name": "kit-probe", "config": steps(
            "at.set_target|127.0.0.1|1", "at.set_upstream|nobody", "to.set_path|/x", "router.route", "router.service")})
        answer = kit.get("/bare")
        assert answer.status == 503 and values(answer) == ["", "false", "", "", "none"]
    finally:
        kit.admin.ok("DELETE", f"/routes/{route['id']}")


def test_what_matched(kit, upstream, probed):
    route = probed(steps("router.route", "router.service", "header_filter!router.route", "header_filter!at.set_retries|1"),
                   url=f"http://127.0.0.1:{upstream.port}/base", route={"name": "kit-named"})
    answer = kit.get(route.path)
    assert values(answer) == ["kit-named", f"{route.service['name']} http://127.0.0.1:{upstream.port}/base"]
    assert values(answer, "header_filter")[0] == "kit-named"
    assert values(answer, "header_filter")[1].startswith("!> ")


# What came back.

def test_the_upstreams_own_answer(kit, probed, held):
    look = ["header_filter!a.set_status|418", "header_filter!a.set_header|X-Up|mine", "header_filter!a.clear_header|content-type",
            "header_filter!gave.status", "header_filter!gave.header|x-up", "header_filter!gave.header|content-type",
            "header_filter!a.status", "header_filter!a.header|x-up", "access!gave.status", "header_filter!a.source"]
    for make in (probed, held):
        answer = kit.get(make(steps(*look)).path)
        assert answer.status == 418 and answer.all("x-up") == ["mine"] and answer.header("content-type") is None
        assert values(answer, "header_filter")[3:] == ["200", "1", "application/json", "418", "mine", "service"]
        assert values(answer)[0].startswith("!> ")


def test_no_answer(kit, probed):
    route = probed(steps("header_filter!gave.status", "header_filter!gave.headers", "header_filter!a.source", "header_filter!a.status"),
                   url=f"http://127.0.0.1:{free_port()}")
    assert values(kit.get(route.path), "header_filter") == ["0", "", "error", "502"]


@pytest.mark.parametrize("where", ["access", "response"])
def test_source_of_an_exit(kit, held, where):
    answer = kit.get(held(steps(f"{where}!exit|403|no", "header_filter!a.source", "header_filter!a.status")).path)
    assert (answer.status, answer.body) == (403, b"no")
    assert values(answer, "header_filter") == ["exit", "403"]


def test_source_of_the_gateways_own(kit, everywhere):
    everywhere(steps("a.source", phase="header_filter"))
    assert values(kit.get("/nothing/here"), "header_filter") == ["error"]


# Headers that nginx keeps apart.

SINGLE = ["Server", "Date", "Location", "ETag", "Last-Modified", "Content-Encoding", "Expires", "Content-Type"]


@pytest.mark.parametrize("phase", ["header_filter", "response"])
@pytest.mark.parametrize("name", [*SINGLE, "Cache-Control", "Set-Cookie", "X-Other", "Link"])
def test_set_and_clear(kit, held, name, phase):
    """In place of the upstream's, of which there are two where there may be."""
    value = "Sat, 01 Jan 2000 00:00:00 GMT" if name in ("Date", "Last-Modified", "Expires") else "/theirs"
    query = f"{name}={value}&Content-Type=text/plain" if name != "Content-Type" else "Content-Type=text/xml"
    if name in ("Cache-Control", "Set-Cookie", "X-Other", "Link"):
        query += f"&{name}=second"
    new = "Sun, 02 Jan 2000 00:00:00 GMT" if name in ("Date", "Last-Modified", "Expires") else "text/mine; a=b"
    path = "/set?" + query.replace(" ", "%20")

    set_it = held(steps(f"{phase}!a.set_header|{name}|old", f"{phase}!a.set_header|{name.upper()}|{new}", f"{phase}!a.header|{name.lower()}"))
    answer = kit.get(set_it.path + path)
    assert answer.all(name) == [new], answer
    assert values(answer, phase)[2] == new

    clear_it = held(steps(f"{phase}!a.clear_header|{name.lower()}", f"{phase}!a.header|{name.lower()}"))
    answer = kit.get(clear_it.path + path)
    assert answer.all(name) == (["kong/3.9.3 gibbon/0.1.0"] if name == "Server" else []), answer  # as Kong, which names itself
    assert values(answer, phase)[1] == ""

    add_it = held(steps(f"{phase}!a.add_header|{name}|{new}"))
    theirs = [v for k, v in [pair.split("=", 1) for pair in query.split("&")] if k == name]
    assert kit.get(add_it.path + path).all(name) == ([new] if name in SINGLE else [*theirs, new])


@pytest.mark.parametrize("phase", ["rewrite", "access"])
def test_headers_before_the_upstream_answers(kit, probed, everywhere, phase):
    """They stay beside the upstream's; of those that can be but once, the upstream's counts."""
    config = steps("a.set_header|X-Other|mine", "a.add_header|X-Other|more", "a.add_header|Set-Cookie|a=1", "a.add_header|Set-Cookie|b=2",
                   "a.set_header|Content-Type|text/mine", "a.set_header|Content-Length|5", "a.set_header|X-Gone|x", "a.clear_header|x-gone",
                   "a.set_header|Bad Name|x", "a.set_header|X-Line|a\r\nX-Evil: 1", "a.status", "a.set_status|201", phase=phase)
    if phase == "rewrite":
        everywhere(config)
    route = probed(config if phase == "access" else steps())
    answer = kit.get(f"{route.path}/set?X-Other=theirs&Set-Cookie=c=3&Content-Type=text/theirs")
    assert (answer.status, answer.body) == (200, b"set")
    assert answer.all("x-other") == ["mine", "more", "theirs"]
    assert answer.all("set-cookie") == ["a=1", "b=2", "c=3"]
    assert answer.all("content-type") == ["text/theirs"] and answer.all("content-length") == ["3"]
    assert answer.all("x-gone") == [] and answer.all("x-line") == ["a%0D%0AX-Evil: 1"] and answer.all("x-evil") == []
    got = values(answer, phase)
    assert got[8].startswith("?> ") and got[10].startswith("!> ") and got[11].startswith("!> ")
    assert kit.get(f"{route.path}/set?X-Other=theirs").all("content-type") == ["text/mine"]


def test_headers_of_http_2(kit, probed):
    route = probed(steps("header_filter!a.set_header|Content-Type|text/mine", "header_filter!a.clear_header|Date", "header_filter!a.set_header|ETag|new",
                         "header_filter!a.header|content-type", "header_filter!a.header|content-length"))
    done = subprocess.run(["curl", "-sSi", "--http2-prior-knowledge", f"http://127.0.0.1:{kit.h2c}{route.path}/set?ETag=old&Content-Type=text/plain"],
                          capture_output=True, text=True, timeout=30, check=True).stdout
    lines = done.splitlines()
    assert lines[0].strip() == "HTTP/2 200" and lines[-1] == "set"
    assert "content-type: text/mine" in lines and "etag: new" in lines and "etag: old" not in lines
    assert not any(line.startswith("date:") for line in lines)
    assert "x-probe: header_filter|a.header|content-type -> text/mine" in lines
    assert "x-probe: header_filter|a.header|content-length -> 3" in lines


def test_headers_beside_an_exit(kit, probed):
    route = probed(steps("a.set_header|X-Other|mine", "a.set_header|Content-Type|text/mine", "a.set_header|Server|me", "exit|204"))
    answer = kit.get(route.path)
    assert answer.status == 204 and answer.all("x-other") == ["mine"]
    assert answer.all("server") == ["kong/3.9.3 gibbon/0.1.0"]
    typed = probed(steps("a.set_header|Content-Type|text/mine", "exit|200|{}"))
    assert kit.get(typed.path).all("content-type") == ["application/json; charset=utf-8"]


def test_headers_beside_an_error(kit, probed):
    route = probed(steps("a.set_header|X-Other|mine"), url=f"http://127.0.0.1:{free_port()}")
    answer = kit.get(route.path)
    assert answer.status == 502 and answer.all("x-other") == ["mine"] and len(answer.all("content-type")) == 1


def test_content_length_and_connection(kit, probed):
    route = probed(steps("header_filter!a.header|content-length", "header_filter!a.set_header|Content-Length|3", "header_filter!a.header|content-length",
                         "header_filter!a.set_header|Content-Length|x", "header_filter!a.set_header|Connection|close", "header_filter!a.set_header|Transfer-Encoding|gzip"))
    with kit.connect() as client:
        answer = client.request("GET", f"{route.path}/text/3")
        assert (answer.body, answer.all("content-length"), answer.all("connection")) == (b"aaa", ["3"], ["close"])
        assert answer.all("transfer-encoding") == []
        assert values(answer, "header_filter")[:3] == ["3", "", "3"] and values(answer, "header_filter")[3].startswith("?> ")
    cleared = probed(steps("header_filter!a.clear_header|Content-Length"))
    answer = kit.get(f"{cleared.path}/text/3")
    assert answer.body == b"aaa" and answer.header("content-length") is None


def test_status_of_an_error_page(kit, probed):
    route = probed(steps("header_filter!a.set_status|599", "header_filter!a.set_status|600", "header_filter!a.status"), url=f"http://127.0.0.1:{free_port()}")
    answer = kit.get(route.path)
    assert answer.status == 599
    assert values(answer, "header_filter")[1].startswith("?> ") and values(answer, "header_filter")[2] == "599"


def test_reading_in_the_wrong_phase(kit, probed):
    route = probed(steps("a.status", "a.header|x", "a.headers", "a.source", "gave.headers", "rewrite!path", "header_filter!to.set_method|GET",
                         "header_filter!to.set_body|x", "header_filter!at.set_target|a|1", "header_filter!at.set_upstream|a",
                         "header_filter!at.set_timeouts|1|1|1", "header_filter!body_field|a", "header_filter!to.clear_field|a"))
    answer = kit.get(route.path)
    refused = values(answer) + values(answer, "header_filter")
    assert len(refused) == 12 and all(value.startswith("!> ") and "cannot be called in" in value for value in refused), refused
