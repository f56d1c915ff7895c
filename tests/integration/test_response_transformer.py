"""response-transformer: what the client gets instead of what the upstream answered."""

import json
from urllib.parse import urlencode

import pytest

from harness.basics import wait_for
from harness.client import fetch
from test_consumers import admin, guarded  # noqa: F401: fixtures


@pytest.fixture
def changed(guarded):
    """changed(config): a route to the upstream with the plugin."""
    return lambda config, **options: guarded({"response-transformer": config}, **options)


def headers_of(route, **headers):
    """The path at which the upstream answers with these headers."""
    return f"{route.path}/set?" + urlencode(headers)


def test_headers_are_changed_by_what_came(gateway, changed):
    route = changed({
        "remove": {"headers": ["x-gone"]}, "rename": {"headers": ["x-old:x-new"]},
        "replace": {"headers": ["x-rep:2", "x-none:2"]}, "add": {"headers": ["x-gone:back", "x-added:a:b"]},
        "append": {"headers": ["x-rep:3"]}})
    answer = gateway.get(headers_of(route, **{"X-Gone": "1", "X-Old": "o", "X-Rep": "1", "Content-Type": "text/plain"}))
    assert answer.status == 200 and answer.body == b"set"
    assert answer.header("x-gone") is None, "what came is not added, though it was removed"
    assert answer.header("x-old") is None and answer.header("x-none") is None
    assert (answer.all("x-new"), answer.all("x-rep"), answer.all("x-added")) == (["o"], ["2", "3"], ["a:b"])
    assert answer.header("content-length") == "3", "the body stays as it is"


def test_json_bodies_are_changed(gateway, changed):
    route = changed({
        "remove": {"json": ["headers", "none"]}, "rename": {"json": ["method:verb"]},
        "replace": {"json": ["server:mine", "nothing:1"]},
        "add": {"json": ["n:1.50", "t:true", "s:a\"b", "verb:no"], "json_types": ["number", "boolean"]},
        "append": {"json": ["version:5", "list:6"], "json_types": ["number", "number"]}})
    answer = gateway.get(route.path)
    assert answer.status == 200 and answer.header("content-type") == "application/json"
    body = answer.json()
    assert answer.header("content-length") in (None, str(len(answer.body))) and answer.complete
    assert "headers" not in body and "method" not in body and "nothing" not in body
    assert (body["verb"], body["server"], body["n"], body["t"], body["s"]) == ("GET", "mine", 1.5, True, 'a"b')
    assert (body["version"][1], body["list"]) == (5, [6]) and b'"n":1.50' in answer.body
    assert list(body)[0] == "server", "the order of members stays"


def test_other_answers_stream_on(gateway, upstream, changed):
    route = changed({"add": {"json": ["a:1"]}})
    answer = gateway.get(route.path + "/text/2000")
    assert answer.body == b"a" * 2000 and answer.header("content-length") == "2000"
    with gateway.connect() as client:
        client.send(f"GET {route.path}/gate/{route.path[1:]} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        client.head()
        assert client.chunk() == b"first\n", "nothing was held"
        upstream.release(route.path[1:])


def test_what_does_not_parse_stays(gateway, changed):
    route = changed({"add": {"json": ["a:1"]}})
    answer = gateway.get(headers_of(route, **{"Content-Type": "application/json"}))
    assert answer.status == 200 and answer.body == b"set" and answer.complete
    wait_for(lambda: "body transform failed: failed parsing json body" in gateway.log(), "a word in the error log")


def test_a_head_request_has_no_body(gateway, changed):
    route = changed({"add": {"json": ["a:1"]}})
    with gateway.connect() as client:
        client.send(f"HEAD {route.path} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        assert client.answer(head=True).status == 200
        client.send(f"GET {route.path} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        assert client.answer().json()["a"] == "1"


def test_both_transformers_work_together(gateway, guarded):
    route = guarded({"request-transformer": {"add": {"body": ["a:1"]}},
                     "response-transformer": {"remove": {"json": ["headers"]}, "add": {"json": ["b:2"]}}})
    body = fetch(gateway.proxy, "POST", route.path, [("Content-Type", "application/json")], b"{}").json()
    assert (json.loads(body["body"]), body["b"]) == ({"a": "1"}, "2") and "headers" not in body


@pytest.mark.parametrize("config, part, field, error", [
    ({"add": {"json": ["a"]}}, "add", "json", ["invalid value: a"]),
    ({"rename": {"headers": ["a:b c"]}}, "rename", "headers", ["'b c' is not a valid header"]),
    ({"add": {"json": ["a:1"], "json_types": ["text"]}}, "add", "json_types", ["expected one of: boolean, number, string"]),
])
def test_wrong_rules_are_refused(admin, echo, config, part, field, error):
    answer = admin.call("POST", f"/routes/{echo.route['id']}/plugins", {"name": "response-transformer", "config": config})
    assert answer.status == 400
    assert answer.json()["fields"]["config"][part][field] == error
