"""Headers both ways: what the upstream is told, what the client is told, and who is believed."""

import json
import subprocess

import grpc
import pytest

from harness.client import Client, fetch
from harness.gateway import Gateway


def seen(answer):
    """The headers that the upstream saw: {name: [values]}."""
    headers = {}
    for name, value in answer.json()["headers"]:
        headers.setdefault(name.lower(), []).append(value)
    return headers


# What the client sends, and what of it reaches the upstream.
REQUEST_HEADERS = {
    "hop-by-hop": ([("Connection", "close, X-One , x-two"), ("X-One", "1"), ("X-Two", "2"), ("X-Three", "3"), ("Keep-Alive", "5")],
                   {"x-one": None, "x-two": None, "x-three": ["3"], "keep-alive": None, "connection": ["keep-alive"]}),
    "proxy": ([("Proxy", "http://evil"), ("Proxy-Connection", "keep-alive"), ("Proxy-Authorization", "kept")],
              {"proxy": None, "proxy-connection": None, "proxy-authorization": ["kept"]}),
    "te with trailers": ([("TE", "trailers, deflate;q=0.5")], {"te": ["trailers"]}),
    "te without trailers": ([("TE", "deflate")], {"te": None}),
    "websocket": ([("Connection", "Upgrade"), ("Upgrade", "WebSocket")],
                  {"connection": ["keep-alive, Upgrade"], "upgrade": ["websocket"]}),
    "another upgrade": ([("Connection", "Upgrade"), ("Upgrade", "h2c")], {"connection": ["keep-alive"], "upgrade": None}),
    "via": ([("Via", "1.0 fred")], {"via": ["1.0 fred, 1.1 kong/3.9.3"]}),
    "expect": ([("Expect", "100-continue")], {"expect": None}),
    "not believed": ([("X-Forwarded-For", "9.9.9.9"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil.test"),
                      ("X-Forwarded-Port", "1"), ("X-Forwarded-Path", "/evil"), ("X-Forwarded-Prefix", "/evil"),
                      ("X-Real-IP", "9.9.9.9"), ("X-Kong-Request-Id", "mine")],
                     {"x-forwarded-for": ["9.9.9.9, 127.0.0.1"], "x-forwarded-proto": ["http"], "x-forwarded-host": ["127.0.0.1"],
                      "x-real-ip": ["127.0.0.1"]}),
    "several lists": ([("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "2.2.2.2")],
                      {"x-forwarded-for": ["1.1.1.1, 2.2.2.2, 127.0.0.1"]}),
    "underscores": ([("X_Under_Score", "1")], {"x_under_score": ["1"]}),
    "empty values": ([("X-Empty", "")], {"x-empty": [""]}),
    "repeated": ([("X-Twice", "1"), ("X-Twice", "2")], {"x-twice": ["1", "2"]}),
}


@pytest.mark.parametrize("name", REQUEST_HEADERS)
def test_what_reaches_the_upstream(gateway, echo, name):
    sent, expected = REQUEST_HEADERS[name]
    answer = gateway.get(f"{echo.path}/x?y", headers=sent)
    assert answer.status == 200, answer
    got = seen(answer)
    assert {key: got.get(key) for key in expected} == expected
    assert got["x-forwarded-port"] == [str(gateway.proxy)] and got["x-forwarded-path"] == [f"{echo.path}/x"]
    assert got["x-forwarded-prefix"] == [echo.path]
    assert got["x-kong-request-id"] == [answer.header("x-kong-request-id")]


@pytest.mark.parametrize("version,via", [("1.0", "1 kong/3.9.3"), ("1.1", "1.1 kong/3.9.3")])
def test_via_tells_the_clients_version(gateway, echo, version, via):
    answer = fetch(gateway.proxy, "GET", echo.path, version=version)
    assert seen(answer)["via"] == [via] and answer.header("via") == "1.1 kong/3.9.3"


def test_via_over_http_2(gateway, echo):
    out = subprocess.run(["curl", "-sS", "--http2-prior-knowledge", f"http://127.0.0.1:{gateway.h2c}{echo.path}"],
                         capture_output=True, check=True, timeout=20).stdout
    assert ["Via", "2 kong/3.9.3"] in json.loads(out)["headers"]


def test_via_of_grpc(gateway, add, grpc_echo):
    add(None, "/echo.Echo", service={"protocol": "grpc", "host": "127.0.0.1", "port": grpc_echo.port},
        route={"protocols": ["grpc"], "strip_path": False})
    with grpc.insecure_channel(f"127.0.0.1:{gateway.h2c}") as channel:
        reply, call = channel.unary_unary("/echo.Echo/Say").with_call(b"abc", timeout=10)
    assert reply == b"ABC" and dict(call.initial_metadata())["via"] == "2 kong/3.9.3"


def test_a_client_without_a_host(gateway, add, upstream):
    route = add(f"http://127.0.0.1:{upstream.port}", route={"preserve_host": True})
    got = seen(fetch(gateway.proxy, "GET", route.path, version="1.0"))
    assert got["host"] == [f"127.0.0.1:{upstream.port}"] and got["x-forwarded-host"] == ["kong"]


def test_a_client_without_a_host_over_tls(gateway, add, upstream, authority):
    route = add(f"http://127.0.0.1:{upstream.port}", route={"preserve_host": True})
    with Client(gateway.tls, tls_name="gate.test", ca=authority.certificate) as client:
        assert seen(client.request("GET", route.path, version="1.0"))["host"] == ["gate.test"]


@pytest.mark.parametrize("target,expected", [
    ("?", "/?"), ("/a?", "/a?"), ("/a?b=%2F&c", "/a?b=%2F&c"), ("/a%2Fb", "/a%2Fb"), ("/a%2fb", "/a%2Fb"), ("/%61%20b", "/a%20b"),
    ("//a///b", "/a/b"), ("/a/./b/../c", "/a/c"), ("/a;b=1,2!", "/a;b=1,2!"), ("/\u00e4", "/%E4"),
    ("/a?x=1?y=2", "/a?x=1?y=2"), ("/a?//b/../c", "/a?//b/../c")])
def test_targets_on_their_way(gateway, echo, target, expected):
    assert gateway.get(echo.path + target).json()["uri"] == expected


def test_a_long_target(gateway, echo):
    query = "q" * 6000
    assert gateway.get(f"{echo.path}/x?{query}").json()["uri"] == f"/x?{query}"


# What the upstream answers (as a query), and what of it reaches the client.
ANSWER_HEADERS = {
    "hop-by-hop": ("Connection=X-One,%20close&X-One=1&X-Two=2&Keep-Alive=5",
                   {"x-one": None, "x-two": "2", "keep-alive": None, "connection": "keep-alive"}),
    "an upgrade that nobody asked for": ("Upgrade=h2c", {"upgrade": None}),
    "a trailer that nobody asked for": ("Trailer=X-Sum", {"trailer": None}),
    "via": ("Via=1.1%20inner", {"via": "1.1 inner, 1.1 kong/3.9.3"}),
    "two vias": ("Via=1.1%20one&Via=1.1%20two", {"via": "1.1 one, 1.1 two, 1.1 kong/3.9.3"}),
    "server and date": ("Server=mine/1&Date=Sun,%2006%20Nov%201994%2008:49:37%20GMT",
                        {"server": "mine/1", "date": "Sun, 06 Nov 1994 08:49:37 GMT"}),
    "no server": ("X-A=1", {"x-a": "1"}),
    "our own": ("X-Kong-Request-Id=theirs&X-Kong-Proxy-Latency=theirs&x-kong-upstream-latency=theirs", {}),
}


@pytest.mark.parametrize("name", ANSWER_HEADERS)
def test_what_reaches_the_client(gateway, echo, name):
    query, expected = ANSWER_HEADERS[name]
    answer = gateway.get(f"{echo.path}/set?{query}")
    assert {key: answer.header(key) for key in expected} == expected, answer
    for one in ("via", "connection", "server", "x-kong-request-id", "x-kong-upstream-latency", "x-kong-proxy-latency"):
        assert len(answer.all(one)) == 1, one
    if name == "no server":
        assert answer.header("server").startswith("kong/3.9.3")


def test_a_trailer_that_was_asked_for(gateway, echo):
    answer = gateway.get(f"{echo.path}/set?Trailer=X-Sum", headers=[("TE", "trailers")])
    assert answer.header("trailer") == "X-Sum"


def test_debug_headers_are_off(gateway, echo):
    assert gateway.get(echo.path, headers=[("Kong-Debug", "1")]).header("kong-route-id") is None


@pytest.fixture(scope="module")
def trusting(gibbon_binary, upstream):
    """A gateway that trusts this machine, and takes the client's address from its headers."""
    gateway = Gateway(workers=1, settings={
        "trusted_ips": "127.0.0.1,10.0.0.0/8", "real_ip_header": "X-Forwarded-For", "real_ip_recursive": "on",
        "allow_debug_header": "on", "headers": "server_tokens,X-Kong-Upstream-Status,X-Kong-Request-Id", "headers_upstream": "off"})
    gateway.settings["port_maps"] = f"443:{gateway.proxy}"
    gateway.write_settings()
    try:
        gateway.start()
        gateway.route = gateway.add(f"http://127.0.0.1:{upstream.port}", "/trusted")
        yield gateway
        assert not gateway.new_alarms()
    finally:
        gateway.close()


TRUSTED = {
    "nothing said": ([], {"x-forwarded-for": ["127.0.0.1"], "x-forwarded-proto": ["http"], "x-forwarded-host": ["127.0.0.1"],
                          "x-forwarded-port": ["443"], "x-forwarded-path": ["/trusted/x"], "x-forwarded-prefix": ["/trusted"],
                          "x-real-ip": ["127.0.0.1"], "x-kong-request-id": None}),
    "all said": ([("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "public.test"), ("X-Forwarded-Port", "8443"),
                  ("X-Forwarded-Path", "/public"), ("X-Forwarded-Prefix", "/pre")],
                 {"x-forwarded-proto": ["https"], "x-forwarded-host": ["public.test"], "x-forwarded-port": ["8443"],
                  "x-forwarded-path": ["/public"], "x-forwarded-prefix": ["/pre"]}),
    "an address": ([("X-Forwarded-For", "8.8.8.8")], {"x-forwarded-for": ["8.8.8.8, 127.0.0.1"], "x-real-ip": ["8.8.8.8"]}),
    "through trusted ones": ([("X-Forwarded-For", "6.6.6.6, 8.8.8.8, 10.1.2.3")],
                             {"x-forwarded-for": ["6.6.6.6, 8.8.8.8, 10.1.2.3, 127.0.0.1"], "x-real-ip": ["8.8.8.8"]}),
}


@pytest.mark.parametrize("name", TRUSTED)
def test_a_trusted_client_is_believed(trusting, name):
    sent, expected = TRUSTED[name]
    got = seen(trusting.get("/trusted/x", headers=sent))
    assert {key: got.get(key) for key in expected} == expected


def test_switched_headers(trusting):
    answer = trusting.get("/trusted/status/418")
    assert answer.header("x-kong-upstream-status") == "418" and answer.header("via") and answer.header("x-kong-request-id")
    assert answer.header("x-kong-proxy-latency") is None and answer.header("x-kong-upstream-latency") is None
    refused = trusting.get("/nothing")
    assert refused.header("server").startswith("kong/") and refused.header("x-kong-response-latency") is None
    assert refused.header("x-kong-upstream-status") is None


def test_debug_headers(trusting):
    route, service = trusting.route.route, trusting.route.service
    answer = trusting.get("/trusted", headers=[("kong-debug", "1")])
    assert answer.header("kong-route-id") == route["id"] and answer.header("kong-route-name") == route["name"]
    assert answer.header("kong-service-id") == service["id"] and answer.header("kong-service-name") == service["name"]
    assert trusting.get("/trusted").header("kong-route-id") is None
    assert trusting.get("/nothing", headers=[("kong-debug", "1")]).header("kong-route-id") is None


def test_redirects_go_where_a_trusted_client_says(trusting, upstream):
    route = trusting.add(f"http://127.0.0.1:{upstream.port}", "/secure", route={"protocols": ["https"], "https_redirect_status_code": 308})
    try:
        answer = trusting.get("/secure/x?y=1", headers=[("X-Forwarded-Host", "public.test:8443")])
        assert (answer.status, answer.header("location")) == (308, "https://public.test:8443/secure/x?y=1")
        assert answer.header("content-length") == "0" and answer.header("content-type") is None
        assert trusting.get("/secure/x", headers=[("X-Forwarded-Proto", "https")]).status == 200
    finally:
        route.remove()


def test_headers_off_and_the_proxy_protocol(make_gateway, upstream):
    gateway = make_gateway(start=False, workers=1, settings={
        "trusted_ips": "0.0.0.0/0,::/0", "nginx_proxy_real_ip_header": "proxy_protocol", "headers": "off"})
    gateway.write_settings(proxy_listen=f"127.0.0.1:{gateway.proxy} proxy_protocol")
    gateway.start()
    gateway.add(f"http://127.0.0.1:{upstream.port}", "/pp")

    def ask(target):
        with Client(gateway.proxy) as client:
            client.send(b"PROXY TCP4 192.0.2.7 198.51.100.1 5555 80\r\n")
            return client.request("GET", target)

    answer = ask("/pp")
    assert seen(answer)["x-real-ip"] == ["192.0.2.7"] and seen(answer)["x-forwarded-for"] == ["192.0.2.7"]
    names = {name.lower() for name, _ in answer.headers}
    assert not names & {"via", "x-kong-request-id", "x-kong-proxy-latency", "x-kong-upstream-latency"}
    names = {name.lower() for name, _ in ask("/none").headers}
    assert names == {"date", "content-type", "connection", "content-length"}
