"""http-log: Kong's record, its queue, and what happens while the endpoint is away."""

import json

import pytest

from harness.basics import wait_for
from harness.client import fetch, new_tag
from harness.endpoint import LogEndpoint
from harness.transcripts import load


def kinds(value):
    """The shape of a record: keys and types; the values of headers alone do not count."""
    if isinstance(value, dict):
        return {key: kinds(member) for key, member in value.items()}
    if isinstance(value, list):
        return [kinds(member) for member in value]
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def record_kinds(entry):
    """Which headers an upstream answers with is not the record's."""
    shape = kinds(entry)
    assert isinstance(shape["response"].pop("headers"), dict)
    return shape


def at(path, name):
    """Whether an entry is of a request below `path` that named itself."""
    return lambda entry: entry["request"]["uri"].startswith(path) and (not name or f"rid={name}" in entry["request"]["uri"])


@pytest.fixture
def sink(thread):
    endpoint = LogEndpoint(thread).open()
    yield endpoint
    endpoint.close()


@pytest.fixture
def logged(gateway, upstream, sink):
    """A service with http-log: logged(queue={...})."""
    made = []

    def make(**config):
        added = gateway.add(f"http://127.0.0.1:{upstream.port}")
        made.append(added)
        added.plugin = gateway.admin.ok("POST", f"/services/{added.service['name']}/plugins", {
            "name": "http-log", "config": {"http_endpoint": sink.url, **config}})
        return added

    yield make
    for added in made:
        added.remove()


@pytest.mark.parametrize("case", load("log_records.json"), ids=lambda case: case["title"])
def test_the_record_is_kongs(gateway, upstream, sink, case):
    added = gateway.add(f"http://127.0.0.1:{upstream.port}", "/hlog", route={"name": new_tag()})
    gateway.admin.ok("POST", f"/services/{added.service['id']}/plugins", {
        "name": "http-log", "config": {"http_endpoint": sink.url}})
    try:
        answer = fetch(gateway.proxy, case["method"], case["path"], [tuple(h) for h in case["headers"]],
                       case.get("body", "").encode() or None)
        entry = sink.wait_where(at("/hlog", None), "the entry")
        expected = case["expect"]
        assert record_kinds(entry) == record_kinds(expected)
        assert entry["request"]["headers"].keys() == expected["request"]["headers"].keys()
        for key in ("method", "querystring", "uri"):
            assert entry["request"][key] == expected["request"][key], key
        assert entry["request"]["headers"].get("authorization") == expected["request"]["headers"].get("authorization")
        assert entry["request"]["url"] == f"http://127.0.0.1:{gateway.proxy}{case['path']}"
        assert entry["request"]["id"] == answer.header("x-kong-request-id") == entry["response"]["headers"]["x-kong-request-id"]
        assert entry["request"]["size"] > 50 and entry["response"]["size"] > len(answer.body)
        for key in ("upstream_status", "upstream_uri", "source", "client_ip", "workspace_name"):
            assert entry[key] == expected[key], key
        assert entry["tries"][0]["ip"] == "127.0.0.1" and entry["tries"][0]["port"] == added.service["port"]
        shown = {key: value for key, value in added.route.items() if value is not None}
        assert {key: value for key, value in entry["route"].items() if key != "ws_id"} == shown
        shown = {key: value for key, value in added.service.items() if value is not None}
        assert {key: value for key, value in entry["service"].items() if key != "ws_id"} == shown
    finally:
        added.remove()


def test_the_request_carries_what_the_configuration_says(gateway, logged, sink):
    added = logged(headers={"X-Key": "k"}, content_type="application/json; charset=utf-8")
    gateway.get(added.path)
    sink.wait_where(at(added.path, None), "the entry")
    headers = {name.lower(): value for name, value in sink.headers[0]}
    assert headers["x-key"] == "k" and headers["content-type"] == "application/json; charset=utf-8"


def test_custom_fields(gateway, logged, sink):
    added = logged(custom_fields_by_lua={
        "team": "return 'blue'", "request.agent": "return kong.request.get_header('user-agent')", "route": "return nil"})
    fetch(gateway.proxy, "GET", added.path, [("User-Agent", "me")])
    entry = sink.wait_where(at(added.path, None), "the entry")
    assert entry["team"] == "blue" and entry["request"]["agent"] == "me" and "route" not in entry
    answer = gateway.admin.call("POST", f"/services/{added.service['name']}/plugins", {
        "name": "file-log", "config": {"path": "/tmp/x", "custom_fields_by_lua": {"a": "return os.time()"}}})
    assert answer.status == 400 and "custom_fields_by_lua" in answer.json()["fields"]["config"], answer


def test_userinfo_and_authorization_exclude_each_other(gateway, upstream):
    answer = gateway.admin.call("POST", "/plugins", {"name": "http-log", "config": {
        "http_endpoint": "http://me:secret@127.0.0.1/x", "headers": {"authorization": "x"}}})
    assert answer.status == 400, answer
    assert "specifying both an 'Authorization' header and user info in 'http_endpoint' is not allowed" in json.dumps(
        answer.json())


def test_batches_are_arrays(gateway, logged, sink):
    added = logged(queue={"max_batch_size": 5, "max_coalescing_delay": 3600})
    tags = [new_tag() for _ in range(10)]
    for tag in tags:
        gateway.get(f"{added.path}?rid={tag}")
    wait_for(lambda: sink.count() == 10, lambda: f"ten entries; have {sink.count()}")
    assert sink.requests == 2 and all(sink.of(tag) for tag in tags)


@pytest.mark.parametrize("size", [1, 4])
def test_nothing_is_lost_while_the_endpoint_is_away(gateway, logged, sink, size):
    added = logged(queue={"max_batch_size": size, "max_coalescing_delay": 0.05, "max_entries": 3, "max_retry_time": 0,
                          "max_retry_delay": 0.1})
    sink.mode = "error"
    tags = [new_tag() for _ in range(20)]
    for tag in tags[:10]:
        assert gateway.get(f"{added.path}?rid={tag}").status == 200
    wait_for(lambda: sink.refused >= 3, "refusals")
    sink.close()
    for tag in tags[10:]:
        assert gateway.get(f"{added.path}?rid={tag}").status == 200
    sink.mode = "ok"
    sink.open()
    for tag in tags:
        sink.wait(tag)
    wait_for(lambda: gateway.admin.metrics().pending == 0, "nothing waits")
    assert gateway.admin.metrics().balanced()


def test_failed_tries_are_told_of(gateway, logged, sink, upstream):
    from harness.basics import refusing_port

    holder, port = refusing_port()
    added = logged()
    gateway.admin.ok("PATCH", f"/services/{added.service['name']}", {"port": port, "retries": 1})
    try:
        tag = new_tag()
        assert gateway.get(f"{added.path}?rid={tag}").status == 502
        entry = sink.wait(tag)
        assert [(t["port"], t["state"], t["code"]) for t in entry["tries"]] == [(port, "failed", 502)] * 2
        assert entry["upstream_status"] == "502, 502" and entry["source"] == "kong" and entry["response"]["status"] == 502
    finally:
        holder.close()
