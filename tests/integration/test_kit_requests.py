"""What plugins read of a request, and what they change of it on its way to the upstream."""

import json

import grpc
import pytest

from harness.basics import wait_for
from harness.client import Client, fetch, new_tag
from harness.gateway import BUILD, Gateway
from harness.probe import steps, values


@pytest.fixture(scope="module")
def kit(gibbon_binary, authority):
    gateway = Gateway(workers=1, tls=authority.issue("gate.test", "localhost", "127.0.0.1"), h2c=True, settings={
        "plugins": "bundled,request-response-logger,kit-probe,kit-probe-held", "plugin_path": BUILD / "tests" / "kit",
        "trusted_ips": "127.0.0.2/32", "lua_ssl_trusted_certificate": str(authority.certificate)})
    try:
        yield gateway.start()
    finally:
        gateway.close()


@pytest.fixture
def probed(kit, upstream):
    """probed(config, url=..., ...): a route with the probe."""
    made = []

    def make(config, url=None, **options):
        made.append(kit.add(url or f"http://127.0.0.1:{upstream.port}", **options))
        kit.admin.ok("POST", f"/routes/{made[-1].route['id']}/plugins", {"name": "kit-probe", "config": config})
        return made[-1]

    yield make
    for added in made:
        added.remove()


@pytest.fixture
def everywhere(kit):
    """everywhere(config): the probe for all requests."""
    made = []

    def make(config):
        made.append(kit.admin.ok("POST", "/plugins", {"name": "kit-probe", "config": config}))

    yield make
    for plugin in made:
        kit.admin.ok("DELETE", f"/plugins/{plugin['id']}")


def echo(answer):
    assert answer.status == 200, answer
    return answer.json()


def header(seen, name):
    return [v for k, v in seen["headers"] if k.lower() == name.lower()]


# What the client sent.

def test_path_and_query(kit, probed):
    route = probed(steps("path", "query", "arguments", "method", "content_length"))
    answer = kit.get(f"{route.path}/a/./b//%7Ec/../d%2fe?x=1&y&z=&=n&a%20b=c+d%26&x=2&bad=%zz")
    assert values(answer) == [f"{route.path}/a/b/d%2Fe", "x=1&y&z=&=n&a%20b=c+d%26&x=2&bad=%zz",
                              "x=1; y=(none); z=; a b=c d&; x=2; bad=%zz", "GET", "-1"]
    assert values(kit.get(route.path))[:3] == [route.path, "", ""]


def test_before_the_route_is_known(kit, upstream, everywhere, probed):
    everywhere(steps("path", "query", "to.path", "to.query", "to.method", "router.route", "uri_capture|0",
                     "to.set_path|/x", "at.set_retries|1", phase="rewrite"))
    answer = kit.get("/nowhere/../here?q=1")
    assert answer.status == 404
    told_all = values(answer, "rewrite")
    assert told_all[:6] == ["/here", "q=1", "", "q=1", "GET", "none"]
    assert all(value.startswith("!> ") and "in rewrite phase" in value for value in told_all[6:]), told_all


def test_forwarded(kit, probed):
    route = probed(steps("forwarded"))
    said = [("X-Forwarded-Proto", "HTTPS"), ("X-Forwarded-Host", "user@Outside.Test:8443"), ("Host", "Inside.Test:99")]
    assert values(kit.get(route.path, headers=said)) == [f"http inside.test {kit.proxy}"]  # not trusted
    trusted = Gateway(workers=1, settings={"plugins": "bundled,kit-probe", "plugin_path": BUILD / "tests" / "kit",
                                           "trusted_ips": "127.0.0.0/8"})
    try:
        trusted.start()
        trusted.add("http://127.0.0.1:1", path="/f")
        trusted.admin.ok("POST", "/plugins", {"name": "kit-probe", "config": steps("forwarded", "exit|200|ok")})
        def forwarded(*headers):
            return values(trusted.get("/f", headers=list(headers)))[0]

        assert forwarded(*said) == "https outside.test 8443"
        assert forwarded(*said, ("X-Forwarded-Port", "444")) == "https outside.test 444"
        assert forwarded(*said, ("X-Forwarded-Port", "70000")) == "https outside.test 8443"
        assert forwarded(("Host", "inside.test")) == f"http inside.test {trusted.proxy}"
    finally:
        trusted.close()


def test_tls(kit, probed, authority):
    route = probed(steps("tls", "forwarded"))
    assert values(kit.get(route.path))[0].strip() == ""
    with Client(kit.tls, tls_name="localhost", ca=authority.certificate) as client:
        answer = client.request("GET", route.path)
        cipher, version, _ = client.socket.cipher()
    assert values(answer) == [f"{version} {cipher} NONE", f"https 127.0.0.1 {kit.tls}"]


def test_captures(kit, upstream, probed):
    tag = new_tag()
    asked = ["0", "1", "user", "2", "what", "3", "4", "nothing", ""]
    route = probed(steps(*(f"uri_capture|{name}" for name in asked), *(f"header_filter!uri_capture|{name}" for name in asked)),
                   path=f"~/{tag}/(?<user>[a-z]+)/(\\d+)(?:/(?<what>x))?", route={"strip_path": True})
    answer = kit.get(f"/{tag}/jo/42/rest")
    assert values(answer) == [f"/{tag}/jo/42", "jo", "jo", "42", "", "", "", "", ""]
    assert values(answer, "header_filter") == values(answer)
    assert values(kit.get(f"/{tag}/jo/42/x"))[4:6] == ["x", "x"]
    assert echo(answer)["uri"] == "/rest"
    plain = probed(steps("uri_capture|0", "uri_capture|user"))
    assert values(kit.get(plain.path)) == ["", ""]


@pytest.mark.parametrize("size, on_disk", [(0, False), (5, False), (300_000, True)])
def test_body(kit, probed, size, on_disk):
    route = probed({**steps("body", "to.body", "content_length", "log!body"), "reads_body": True})
    body = b"b" * size
    answer = kit.get(route.path) if size == 0 else fetch(kit.proxy, "POST", route.path, [], body)
    text = f" ({size}, on disk)" if on_disk else f"{body.decode()} ({size})"
    assert [v.strip() for v in values(answer)] == [text.strip()] * 2 + [str(size or -1)]
    assert echo(answer)["body_size"] == size


# What the upstream gets.

def test_headers(kit, probed):
    route = probed(steps(
        "to.header|x-one", "to.set_header|X-One|new", "to.add_header|x_one|more", "to.header|x-one",
        "to.clear_header|X-Two", "to.header|x-two", "to.add_header|X-Three|b", "to.set_header|X-Four|4",
        "to.clear_header|X-Four", "to.set_header|X-Five|1\r\nX-Evil: yes", "to.set_header|not a name|1", "header|x-one",
        "to.headers", "header_filter!header|x-one", "header_filter!to.header|x-one", "header_filter!to.set_header|a|b"))
    answer = kit.get(route.path, headers=[("X-One", "old"), ("X-Two", "2"), ("x_one", "older"), ("X-Three", "a")])
    seen = echo(answer)
    got = values(answer)
    assert (got[0], got[3], got[5], got[11]) == ("old", "new", "", "old")
    assert got[10].startswith("?> ")
    listed = got[12].split("; ")
    assert "x-one=new" in listed and "x_one=more" in listed and "x-three=a" in listed and "x-three=b" in listed
    assert header(seen, "x-one") == ["new"] and header(seen, "x_one") == ["more"]
    assert (header(seen, "x-two"), header(seen, "x-three"), header(seen, "x-four")) == ([], ["a", "b"], [])
    assert header(seen, "x-five") == ["1%0D%0AX-Evil: yes"] and header(seen, "x-evil") == []
    after = values(answer, "header_filter")
    assert after[:2] == ["old", "new"] and after[2].startswith("!> ")


def test_target_and_method(kit, probed):
    route = probed(steps("to.path", "to.query", "to.set_path|/new path/%41%zz?#é", "to.path", "to.set_query|a=1&b c=2#x", "to.query",
                         "to.clear_argument|a", "to.set_method|PATCH", "to.method", "method", "path", "query",
                         "to.set_path|relative", "to.set_method|BREW", "header_filter!method", "header_filter!to.path"))
    answer = kit.get(f"{route.path}/old?z=1")
    seen = echo(answer)
    got = values(answer)
    assert got[:2] == ["/old", "z=1"]
    assert got[3] == "/new%20path/%41%25zz%3F%23%C3%A9" and got[5] == "a=1&b%20c=2%23x"
    assert got[8:12] == ["PATCH", "GET", f"{route.path}/old", "z=1"]
    assert got[12].startswith("?> ") and got[13].startswith("?> ")
    assert (seen["method"], seen["uri"]) == ("PATCH", "/new%20path/%41%25zz%3F%23%C3%A9?b%20c=2%23x")
    assert values(answer, "header_filter") == ["GET", got[3]]


def test_changes_in_rewrite(kit, probed, everywhere):
    everywhere(steps("to.set_method|PUT", "to.set_header|X-R|1", "to.method", "to.header|x-r", phase="rewrite"))
    answer = kit.get(probed(steps()).path)
    assert values(answer, "rewrite")[2:] == ["PUT", "1"]
    assert echo(answer)["method"] == "PUT" and header(echo(answer), "x-r") == ["1"]


def test_get_becomes_head(kit, probed):
    route = probed(steps("to.set_method|HEAD"))
    with kit.connect() as client:
        for _ in range(2):  # The connections, on both sides, go on.
            answer = client.request("GET", f"{route.path}/text/1000")
            assert (answer.status, answer.body, answer.header("content-length")) == (200, b"", "0")


def test_head_becomes_get(kit, probed):
    route = probed(steps("to.set_method|GET"))
    with kit.connect() as client:
        for _ in range(2):
            answer = client.request("HEAD", f"{route.path}/text/1000")
            assert (answer.status, answer.body, answer.header("content-length")) == (200, b"", "1000")


def test_an_error_answers_the_clients_method(kit, probed, servers):
    gone, = servers(1)
    gone.close()
    route = probed(steps("to.set_method|HEAD"), url=f"http://127.0.0.1:{gone.port}")
    answer = kit.get(route.path)
    assert answer.status == 502 and len(answer.body) == int(answer.header("content-length")) > 0


def test_a_request_that_became_a_post_is_not_repeated(kit, probed, servers):
    first, second = servers(2)
    added = kit.add_upstream([f"127.0.0.1:{first.port}", f"127.0.0.1:{second.port}"])
    try:
        assert kit.get(f"{added.path}/close").status == 502
        sent = len(first.seen) + len(second.seen)
        assert sent == 6  # the first try, and the service's retries
        kit.admin.ok("POST", f"/routes/{added.route['id']}/plugins",
                     {"name": "kit-probe", "config": steps("to.set_method|POST")})
        assert kit.get(f"{added.path}/close").status == 502
        assert len(first.seen) + len(second.seen) == sent + 1
    finally:
        added.remove()


@pytest.mark.parametrize("preserve", [False, True])
def test_host(kit, probed, preserve):
    route = probed(steps("to.set_header|Host|told.test:81", "header_filter!header|host"), route={"preserve_host": preserve})
    answer = kit.get(route.path, headers=[("Host", "client.test")])
    assert header(echo(answer), "host") == ["told.test:81"]
    assert values(answer, "header_filter") == ["client.test"]
    assert header(echo(answer), "x-forwarded-host") == ["client.test"]


def test_host_names_the_upstream_in_tls(kit, probed, tls_upstream):
    route = probed(steps("to.set_header|Host|one.test:81"), url=f"https://127.0.0.1:{tls_upstream.port}")
    seen = echo(kit.get(route.path))
    assert header(seen, "host") == ["one.test:81"] and seen["sni"] == "one.test"


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [0, 3, 100_000])
def test_another_body(kit, probed, size, chunked):
    new = "n" * size
    route = probed({**steps(f"to.set_body|{new}", "to.body", "body", "content_length", "to.header|content-length"), "reads_body": True})
    framing = "Transfer-Encoding: chunked\r\n\r\n6\r\nclient\r\n0\r\n\r\n" if chunked else "Content-Length: 6\r\n\r\nclient"
    with kit.connect() as client:
        client.send(f"POST {route.path} HTTP/1.1\r\nHost: a\r\n{framing}".encode())
        answer = client.answer()
    seen = echo(answer)
    assert seen["body_size"] == size and header(seen, "content-length") == [str(size)]
    assert header(seen, "transfer-encoding") == []
    if size < 1000:
        assert [v.strip() for v in values(answer)[1:]] == [f"{new} ({size})".strip(), "client (6)", "-1" if chunked else "6", str(size)]


def test_a_body_where_there_was_none(kit, probed):
    route = probed({**steps("to.set_body|made", "to.set_method|POST", "body"), "reads_body": True})
    answer = kit.get(route.path)
    seen = echo(answer)
    assert (seen["method"], seen["body"], header(seen, "content-length")) == ("POST", "made", ["4"])
    assert values(answer)[2].strip() == "(0)"


def test_records_are_the_clients(kit, upstream, make_endpoint):
    endpoint = make_endpoint()
    route = kit.add(f"http://127.0.0.1:{upstream.port}", log_to=endpoint.url,
                    plugin={"log_request_body": True, "log_response_body": False})
    try:
        kit.admin.ok("POST", f"/routes/{route.route['id']}/plugins", {"name": "kit-probe", "config": {**steps(
            "to.set_body|secret new body", "to.set_method|PUT", "to.set_path|/else", "to.set_query|q=2", "to.set_header|X-A|2"),
            "reads_body": True}})
        answer = fetch(kit.proxy, "POST", f"{route.path}/x?q=1", [("X-A", "1"), ("Content-Type", "text/plain")], b"old")
        assert echo(answer)["method"] == "PUT"
        wait_for(lambda: endpoint.count() >= 1, "the entry")
        entry = json.dumps(endpoint.snapshot()[0]["request"])
        assert "/x?q=1" in entry and '"POST"' in entry and '"old"' in entry
        assert "else" not in entry and "new body" not in entry
    finally:
        route.remove()


def test_grpc(kit, grpc_echo):
    """The path, the Host (its :authority), a header."""
    route = kit.add(path="/echo.Echo", service={"protocol": "grpc", "host": "127.0.0.1", "port": grpc_echo.port},
                    route={"protocols": ["grpc", "grpcs"], "strip_path": False})
    try:
        kit.admin.ok("POST", f"/routes/{route.route['id']}/plugins", {"name": "kit-probe", "config": steps(
            "to.set_path|/echo.Echo/Metadata", "to.set_header|X-Told|by the plugin", "to.set_header|Host|told.test")})
        with grpc.insecure_channel(f"127.0.0.1:{kit.h2c}") as channel:
            assert channel.unary_unary("/echo.Echo/Say")(b"x-told", timeout=20) == b"by the plugin"
    finally:
        route.remove()


def test_another_body_of_grpc(kit, grpc_echo):
    route = kit.add(path="/echo.Echo", service={"protocol": "grpc", "host": "127.0.0.1", "port": grpc_echo.port},
                    route={"protocols": ["grpc", "grpcs"], "strip_path": False})
    try:
        message = "by the plugin"
        kit.admin.ok("POST", f"/routes/{route.route['id']}/plugins", {"name": "kit-probe", "config": {
            **steps(f"to.set_message|{message}"), "reads_body": True}})
        with grpc.insecure_channel(f"127.0.0.1:{kit.h2c}") as channel:
            assert channel.unary_unary("/echo.Echo/Say")(b"x", timeout=20) == message.upper().encode()
    finally:
        route.remove()
