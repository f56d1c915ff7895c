"""cors: what browsers are told, by Kong's rules about origins."""

import pytest

from test_consumers import admin, guarded  # noqa: F401: fixtures among them

ALL_METHODS = "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT"
PREFIX = "access-control-"


def told(answer):
    """The plugin's headers, without their common beginning."""
    return {n.lower().removeprefix(PREFIX): v for n, v in answer.headers if n.lower().startswith(PREFIX)}


def preflight(gateway, path, *headers, origin="https://a.test"):
    with gateway.connect() as client:
        return client.request("OPTIONS", path, [("Origin", origin), ("Access-Control-Request-Method", "PUT"), *headers])


@pytest.mark.parametrize("config, headers, expected", [
    ({}, [], {"allow-origin": "*", "allow-methods": ALL_METHODS}),
    ({}, [("Access-Control-Request-Headers", "x-a, x-b")], {
        "allow-origin": "*", "allow-methods": ALL_METHODS, "allow-headers": "x-a, x-b"}),
    ({"headers": ["x-c", "x-d"], "methods": ["GET", "PUT"], "max_age": 3600},
     [("Access-Control-Request-Headers", "x-a")],
     {"allow-origin": "*", "allow-methods": "GET,PUT", "allow-headers": "x-c,x-d", "max-age": "3600"}),
    ({"max_age": 0.5, "exposed_headers": ["x-e"]}, [], {"allow-origin": "*", "allow-methods": ALL_METHODS, "max-age": "0.5"}),
    ({"credentials": True}, [], {
        "allow-origin": "https://a.test", "allow-methods": ALL_METHODS, "allow-credentials": "true"}),
    ({"private_network": True}, [], {"allow-origin": "*", "allow-methods": ALL_METHODS}),
    ({"private_network": True}, [("Access-Control-Request-Private-Network", "true")], {
        "allow-origin": "*", "allow-methods": ALL_METHODS, "allow-private-network": "true"}),
    ({"private_network": False}, [("Access-Control-Request-Private-Network", "true")], {
        "allow-origin": "*", "allow-methods": ALL_METHODS}),
])
def test_preflight_answers(gateway, guarded, config, headers, expected):
    answer = preflight(gateway, guarded({"cors": config}).path, *headers)
    assert (answer.status, answer.body, answer.header("content-length")) == (200, b"", "0")
    assert told(answer) == expected
    assert answer.all("vary") == (["Origin"] if config.get("credentials") else [])


# Which origin is named: None is none at all.
ORIGINS = [
    (["*"], "https://a.test", "*"),
    (["https://a.test"], "https://a.test", "https://a.test"),
    (["https://a.test"], "https://b.test", "https://a.test"),
    (["a.test"], "https://b.test", "a.test"),
    (["https://a.test", "https://b.test"], "https://b.test", "https://b.test"),
    (["https://a.test", "https://b.test"], "https://c.test", None),
    (["https://a.test", "https://b.test"], "http://b.test", None),
    (["https://a.test", "*"], "https://c.test", "*"),
    (["https://a.test:443", "http://b.test:80"], "https://a.test", "https://a.test"),
    (["https://a.test:443", "http://b.test:80"], "http://b.test:80", "http://b.test"),
    (["https://a.test:443", "http://b.test:80"], "http://a.test:443", None),
    (["https://a.test:8443", "x.test"], "https://a.test:8443", "https://a.test:8443"),
    (["https://a.test:8443", "x.test"], "https://a.test", None),
    ([r".*\.a\.test"], "https://x.a.test", "https://x.a.test"),
    ([r".*\.a\.test"], "https://x.a.test:8443", "https://x.a.test:8443"),
    ([r".*\.a\.test"], "https://x.a.test.evil", None),
    ([r"a\.test"], "https://evil-a.test", None),
    ([r"^https://[a-z]+\.test$"], "https://abc.test", "https://abc.test"),
    ([r"https://[a-z]+\.test"], "https://abc.test:8443", None),
    ([r"https?://[a-z]+\.test(:\d+)?"], "http://abc.test:8080", "http://abc.test:8080"),
    ([r"(a|b)\.test"], "https://b.test:443", "https://b.test"),
    (["https://a.test", r".*\.b\.test$"], "https://x.b.test", "https://x.b.test"),
    (["null", r"x+\.test"], "null", "null"),
]


@pytest.mark.parametrize("origins, origin, named", ORIGINS)
@pytest.mark.parametrize("credentials", [False, True])
def test_origins(gateway, guarded, origins, origin, named, credentials):
    path = guarded({"cors": {"origins": origins, "credentials": credentials, "exposed_headers": ["x-e", "x-f"]}}).path
    if credentials and named == "*":
        named = origin
    actual, before = gateway.get(path, headers=[("Origin", origin)]), preflight(gateway, path, origin=origin)
    for answer in (actual, before):
        assert answer.status == 200
        assert answer.header("access-control-allow-origin") == named
        assert answer.header("access-control-allow-credentials") == ("true" if credentials else None)
        assert ("Origin" in answer.all("vary")) == (credentials or origins != ["*"])
    assert actual.header("access-control-expose-headers") == "x-e,x-f"
    assert before.header("access-control-expose-headers") is None
    assert actual.header("x-up") == "1" and before.header("x-up") is None


@pytest.mark.parametrize("config, expected", [
    ({}, {"allow-origin": "*"}),
    ({"credentials": True}, {"allow-origin": "*"}),
    ({"origins": ["https://a.test"], "credentials": True}, {"allow-origin": "https://a.test", "allow-credentials": "true"}),
    ({"origins": ["https://a.test", "https://b.test"]}, {}),
    ({"origins": ["https://a.test", "*"]}, {}),
    ({"allow_origin_absent": False}, {}),
])
def test_without_an_origin(gateway, guarded, config, expected):
    answer = gateway.get(guarded({"cors": config}).path)
    assert answer.status == 200 and told(answer) == expected


def test_the_upstreams_headers_are_replaced_and_its_vary_stays(gateway, guarded):
    path = guarded({"cors": {"origins": ["https://a.test", "https://b.test"]}}).path
    query = "?Access-Control-Allow-Origin=https%3A%2F%2Fup.test&Vary=Accept-Encoding"
    answer = gateway.get(f"{path}/set{query}", headers=[("Origin", "https://b.test")])
    assert answer.all("access-control-allow-origin") == ["https://b.test"]
    assert answer.all("vary") == ["Accept-Encoding", "Origin"]
    answer = gateway.get(f"{path}/set{query}", headers=[("Origin", "https://c.test")])
    assert answer.all("access-control-allow-origin") == []


@pytest.mark.parametrize("method, headers", [
    ("OPTIONS", [("Origin", "https://a.test")]),
    ("OPTIONS", [("Access-Control-Request-Method", "PUT")]),
    ("GET", [("Origin", "https://a.test"), ("Access-Control-Request-Method", "PUT")]),
])
def test_what_is_no_preflight_goes_on(gateway, guarded, method, headers):
    with gateway.connect() as client:
        answer = client.request(method, guarded({"cors": {}}).path, headers)
    assert answer.status == 200 and answer.header("x-up") == "1" and told(answer) == {"allow-origin": "*"}


def test_the_upstream_may_answer_preflights(gateway, guarded):
    path = guarded({"cors": {"preflight_continue": True}}).path
    answer = preflight(gateway, path + "/set?Access-Control-Allow-Origin=mine")
    assert answer.status == 200 and told(answer) == {"allow-origin": "mine"} and answer.body == b"set"


def test_preflights_need_no_key_and_refusals_are_readable(gateway, guarded):
    path = guarded({"cors": {}, "key-auth": {}}).path
    assert preflight(gateway, path).status == 200
    answer = gateway.get(path, headers=[("Origin", "https://a.test")])
    assert answer.status == 401 and told(answer) == {"allow-origin": "*"}


def test_origins_must_compile(admin, echo):
    answer = admin.call("POST", f"/routes/{echo.route['id']}/plugins", {"name": "cors", "config": {"origins": ["*", "a(b"]}})
    assert answer.status == 400
    assert answer.json()["fields"] == {"config": {"origins": [None, "'a(b' is not a valid regex"]}}
