"""request-termination: answers in the upstream's place."""

import pytest

from test_consumers import admin, guarded  # noqa: F401: fixtures among them

JSON = "application/json; charset=utf-8"


@pytest.mark.parametrize("config, status, body, kind", [
    ({}, 503, b'{"message":"Service unavailable"}', JSON),
    ({"status_code": 401}, 401, b'{"message":"Unauthorized"}', JSON),
    ({"status_code": 404}, 404, b'{"message":"Not found"}', JSON),
    ({"status_code": 405}, 405, b'{"message":"Method not allowed"}', JSON),
    ({"status_code": 500}, 500, b'{"message":"An unexpected error occurred"}', JSON),
    ({"status_code": 502}, 502, b'{"message":"Bad Gateway"}', JSON),
    ({"status_code": 200}, 200, b"", None),
    ({"status_code": 418}, 418, b"", None),
    ({"status_code": 406, "message": 'a "quoted" one'}, 406, b'{"message":"a \\"quoted\\" one"}', JSON),
    ({"body": "<p>closed</p>", "content_type": "text/html"}, 503, b"<p>closed</p>", "text/html; charset=UTF-8"),
    ({"status_code": 451, "body": "closed"}, 451, b"closed", None),
])
def test_answers(gateway, guarded, config, status, body, kind):
    answer = gateway.get(guarded({"request-termination": config}).path)
    assert (answer.status, answer.body, answer.header("content-type")) == (status, body, kind)
    assert answer.header("content-length") == str(len(body)) and answer.header("x-kong-upstream-latency") is None


@pytest.mark.parametrize("headers, query, triggered", [
    ([], "", False), ([("X-Trigger", "1")], "", True), ([("x_trigger", "1")], "", False), ([("x-trigger", "")], "", True),
    ([], "?x-trigger=1", True), ([], "?x-trigger", True), ([], "?a=x-trigger", False), ([], "?x%2Dtrigger=", True),
    ([], "?X-TRIGGER=1", False),
])
def test_triggers(gateway, guarded, headers, query, triggered):
    answer = gateway.get(guarded({"request-termination": {"trigger": "x-trigger"}}).path + query, headers=headers)
    assert answer.status == (503 if triggered else 200)


def test_what_a_plugin_has_set_triggers_too(gateway, guarded):
    route = guarded({"request-termination": {"trigger": "Kong-Request-ID"}, "correlation-id": {}})
    assert gateway.get(route.path).status == 503


@pytest.mark.parametrize("headers, body, shown", [
    ([], None, {"raw_body": ""}),
    ([("Content-Type", "application/json")], b'{"a": [1, {"b": null}]}', {
        "raw_body": '{"a": [1, {"b": null}]}', "body": {"a": [1, {"b": None}]}}),
    ([("Content-Type", "application/json")], b'{"a', {"raw_body": '{"a'}),
    ([("Content-Type", "application/x-www-form-urlencoded")], b"a=1&b=x%20y+z&a=2&c", {
        "raw_body": "a=1&b=x%20y+z&a=2&c", "body": {"a": ["1", "2"], "b": "x y z", "c": True}}),
    ([("Content-Type", "text/plain")], b"text", {"raw_body": "text"}),
])
def test_echo(gateway, guarded, headers, body, shown):
    route = guarded({"request-termination": {"echo": True, "status_code": 404}})
    with gateway.connect() as client:
        answer = client.request("POST", f"{route.path}/x?q=1&flag&q=two", [*headers, ("X-A", "1"), ("X-A", "2")], body)
    assert answer.status == 404 and answer.header("content-type") == JSON
    echo = answer.json()
    assert list(echo) == ["message", "kong", "request", "matched_route", "matched_service"]
    assert echo["message"] == "Not found"
    assert set(echo["kong"]) == {"node_id", "worker_pid", "hostname"} and echo["kong"]["worker_pid"] in gateway.workers()
    request = echo["request"]
    assert {k: request[k] for k in ("raw_body", "body") if k in request} == shown
    assert (request["scheme"], request["host"], request["port"]) == ("http", "127.0.0.1", gateway.proxy)
    assert (request["method"], request["path"]) == ("POST", f"{route.path}/x")
    assert request["query"] == {"q": ["1", "two"], "flag": True}
    assert request["headers"]["x-a"] == ["1", "2"] and request["headers"]["host"] == f"127.0.0.1:{gateway.proxy}"
    assert request["uri_captures"] == {"unnamed": [], "named": {}}
    assert echo["matched_route"]["id"] == route.route["id"] and echo["matched_service"]["id"] == route.service["id"]


@pytest.mark.parametrize("config, said", [
    ({"message": "a", "body": "b"}, "message cannot be used with content_type or body"),
    ({"message": "a", "content_type": "b"}, "message cannot be used with content_type or body"),
    ({"content_type": "b"}, "content_type requires a body"),
    ({"echo": True, "body": "b"}, "echo cannot be used with content_type and body"),
])
def test_refused_configurations(admin, echo, config, said):
    answer = admin.call("POST", f"/routes/{echo.route['id']}/plugins", {"name": "request-termination", "config": config})
    assert answer.status == 400 and answer.json()["fields"] == {"config": said}
    assert answer.json()["message"] == f"schema violation (config: {said})"
