"""What an entry holds: the exchange as the client saw it."""

import re
import subprocess
from datetime import datetime, timezone

import pytest

from harness.basics import refusing_port, wait_for
from harness.client import fetch, new_tag
from harness.upstream import decode_body, pattern

LIMIT = 1024  # the plugin's default
UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")


def test_an_entry_has_the_guides_shape_and_more(gateway, logged, endpoint, upstream):
    tag = new_tag()
    before = datetime.now(timezone.utc)
    answer = fetch(gateway.proxy, "POST", f"{logged.path}/x?rid={tag}&b=%20%2F", [("Content-Type", "application/json")],
                   b'{"test": "data"}')
    entry = endpoint.wait(tag)
    assert entry["type"] == "kong_request_response"
    assert isinstance(entry["id"], (int, float)) and abs(entry["id"] / 1000 - before.timestamp()) < 60
    assert re.match(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", entry["timestamp"])
    assert abs(datetime.fromisoformat(entry["timestamp"][:-1] + "+00:00") - before).total_seconds() < 60
    request, response = entry["request"], entry["response"]
    assert request["url"] == f"http://127.0.0.1:{gateway.proxy}{logged.path}/x?rid={tag}&b=%20%2F"
    assert request["method"] == "POST" and request["body"] == '{"test": "data"}'
    assert request["headers"]["content-type"] == "application/json" and request["headers"]["content-length"] == "16"
    assert response["status_code"] == 200 and response["body"] == answer.body.decode()
    assert response["headers"]["content-type"] == "application/json" and response["headers"]["x-up"] == "1"
    assert UUID.match(entry["entry_id"]) and entry["request_id"] == answer.header("x-kong-request-id")
    assert entry["client_ip"] == "127.0.0.1"
    assert entry["service"]["id"] == logged.service["id"] and entry["route"]["id"] == logged.route["id"]
    assert entry["latencies"]["request"] >= 0


def test_the_headers_of_the_answer_are_those_the_client_got(gateway, logged, endpoint):
    tag = new_tag()
    answer = gateway.get(f"{logged.path}?rid={tag}")
    recorded = endpoint.wait(tag)["response"]["headers"]
    sent = {name.lower(): value for name, value in answer.headers}
    for name in ("x-kong-request-id", "x-kong-proxy-latency", "x-kong-upstream-latency", "via", "x-up", "content-type"):
        assert recorded[name] == sent[name], name


@pytest.mark.parametrize("size", [0, 1, LIMIT - 1, LIMIT, LIMIT + 1, 9000, 200000])
def test_bodies_up_to_the_limit_with_their_true_size(gateway, logged, endpoint, size):
    tag = new_tag()
    body = bytes(b"0123456789abcdef"[i % 16] for i in range(size))
    fetch(gateway.proxy, "POST", f"{logged.path}/text/{size}?rid={tag}", body=body)
    entry = endpoint.wait(tag)
    for side, whole in ((entry["request"], body), (entry["response"], b"a" * size)):
        assert decode_body(side) == whole[:LIMIT]
        assert side["body_size"] == size and side["body_truncated"] is (size > LIMIT)


def test_the_limit_is_the_plugins(gateway, add, upstream, endpoint):
    tags = {limit: new_tag() for limit in (0, 10, 100000)}
    for limit, tag in tags.items():
        route = add(f"http://127.0.0.1:{upstream.port}", log_to=endpoint.url, plugin={"max_body_size": limit})
        fetch(gateway.proxy, "POST", f"{route.path}/text/5000?rid={tag}", body=b"b" * 5000)
    for limit, tag in tags.items():
        entry = endpoint.wait(tag)
        kept = min(limit, 5000)
        assert decode_body(entry["request"]) == b"b" * kept and decode_body(entry["response"]) == b"a" * kept
        assert entry["request"]["body_size"] == entry["response"]["body_size"] == 5000
        assert entry["response"]["body_truncated"] is (limit < 5000)


def test_binary_bodies_are_base64(gateway, logged, endpoint):
    tag, body = new_tag(), bytes(range(256))
    fetch(gateway.proxy, "POST", f"{logged.path}/bytes/300?rid={tag}", body=body)
    entry = endpoint.wait(tag)
    assert entry["request"]["body_encoding"] == entry["response"]["body_encoding"] == "base64"
    assert decode_body(entry["request"]) == body and decode_body(entry["response"]) == pattern(300)


def test_text_in_any_script_stays_text(gateway, logged, endpoint):
    tag, text = new_tag(), 'grüße, 世界 🦍 "\\ \t\n\u0001'
    fetch(gateway.proxy, "POST", f"{logged.path}/x?rid={tag}", body=text.encode())
    request = endpoint.wait(tag)["request"]
    assert request["body"] == text and "body_encoding" not in request


def test_chunked_bodies(gateway, logged, endpoint):
    tag = new_tag()
    fetch(gateway.proxy, "POST", f"{logged.path}/chunked/25000?rid={tag}", [("Transfer-Encoding", "chunked")],
          b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")
    entry = endpoint.wait(tag)
    assert entry["request"]["body"] == "abcdefg" and entry["request"]["body_size"] == 7
    assert decode_body(entry["response"]) == pattern(25000)[:LIMIT] and entry["response"]["body_size"] == 25000


def test_a_get_has_an_empty_body(gateway, logged, endpoint):
    tag = new_tag()
    gateway.get(f"{logged.path}/status/204?rid={tag}")
    entry = endpoint.wait(tag)
    assert entry["request"]["body"] == "" and entry["response"]["body"] == ""


def test_repeated_headers_are_arrays(gateway, logged, endpoint):
    tag = new_tag()
    gateway.get(f"{logged.path}/set?X-Many=1&X-Many=2&X-One=3&rid={tag}", headers=[("X-Dup", "a"), ("X-Dup", "b"), ("X-Single", "c")])
    entry = endpoint.wait(tag)
    assert entry["request"]["headers"]["x-dup"] == ["a", "b"] and entry["request"]["headers"]["x-single"] == "c"
    assert entry["response"]["headers"]["x-many"] == ["1", "2"] and entry["response"]["headers"]["x-one"] == "3"


SENSITIVE = ("authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key")


def test_secrets_are_redacted_both_ways(gateway, logged, endpoint):
    tag, secret = new_tag(), "hush" + new_tag()
    gateway.get(f"{logged.path}?rid={tag}", headers=[(n.title(), f"{secret}-{n}") for n in SENSITIVE])
    recorded = endpoint.wait(tag)
    assert {n: recorded["request"]["headers"][n] for n in SENSITIVE} == dict.fromkeys(SENSITIVE, "[REDACTED]")
    assert secret not in str(recorded["request"])
    tag = new_tag()
    query = "&".join(f"{name}={secret}-{name}" for name in SENSITIVE)
    answer = gateway.get(f"{logged.path}/set?{query}&rid={tag}")
    assert answer.header("set-cookie") == f"{secret}-set-cookie"  # the client still gets it
    recorded = endpoint.wait(tag)
    assert {n: recorded["response"]["headers"][n] for n in SENSITIVE} == dict.fromkeys(SENSITIVE, "[REDACTED]")
    assert secret not in str(recorded["response"])


def test_no_secret_is_written_while_the_endpoint_is_away(make_gateway, make_endpoint, upstream):
    endpoint = make_endpoint()
    endpoint.close()
    gateway = make_gateway(workers=1)
    route = gateway.add(f"http://127.0.0.1:{upstream.port}", log_to=endpoint.url)
    secret = "hush" + new_tag()
    tags = [new_tag() for _ in range(30)]
    for tag in tags:
        gateway.get(f"{route.path}/text/10?rid={tag}", headers=[(name, secret) for name in SENSITIVE])
    gateway.stop()  # what was in memory goes to the spool
    found = subprocess.run(["grep", "-rlaF", secret, str(gateway.prefix), str(gateway.shared)], capture_output=True, text=True)
    assert found.stdout == "" and found.returncode == 1
    endpoint.open()
    gateway.start()
    for tag in tags:
        assert secret not in str(endpoint.wait(tag))


def test_bodies_can_be_left_out(gateway, add, upstream, endpoint):
    route = add(f"http://127.0.0.1:{upstream.port}", log_to=endpoint.url,
                plugin={"log_request_body": False, "log_response_body": False})
    tag = new_tag()
    fetch(gateway.proxy, "POST", f"{route.path}/x?rid={tag}", body=b"private")
    entry = endpoint.wait(tag)
    assert "private" not in str(entry)
    assert not entry["request"].get("body") and not entry["response"].get("body")
    assert entry["request"]["headers"]["content-length"] == "7" and entry["response"]["status_code"] == 200


def test_a_dead_upstream_is_recorded(gateway, add, endpoint):
    holder, port = refusing_port()
    with holder:
        route, tag = add(f"http://127.0.0.1:{port}", log_to=endpoint.url), new_tag()
        answer = fetch(gateway.proxy, "POST", f"{route.path}?rid={tag}", body=b"lost?")
    entry = endpoint.wait(tag)
    assert entry["response"]["status_code"] == 502 and entry["response"]["body"] == answer.body.decode()
    assert entry["request"]["body"] == "lost?"


def test_a_client_that_gives_up_is_recorded(gateway, logged, endpoint, upstream):
    tag = new_tag()
    with gateway.connect() as client:
        client.send(f"GET {logged.path}/stall/{tag}?rid={tag} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        wait_for(lambda: any(tag in target for _, target in upstream.seen), "the request at the upstream")
        client.reset()
    assert endpoint.wait(tag)["response"]["status_code"] == 499
    upstream.release(tag)


def test_pipelined_requests_each_have_their_entry(gateway, logged, endpoint):
    tags = [new_tag() for _ in range(10)]
    with gateway.connect() as client:
        client.send(b"".join(f"POST {logged.path}/echo?rid={t} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(t)}\r\n\r\n{t}".encode()
                             for t in tags))
        answers = [client.answer() for _ in tags]
    assert [a.json()["body"] for a in answers] == tags
    for tag, answer in zip(tags, answers):
        entry = endpoint.wait(tag)
        assert entry["request"]["body"] == tag and entry["request_id"] == answer.header("x-kong-request-id")


def test_http_1_0(gateway, logged, endpoint):
    tag = new_tag()
    answer = gateway.get(f"{logged.path}/chunked/3000?rid={tag}", version="1.0")
    assert answer.status == 200 and answer.body == pattern(3000)
    assert endpoint.wait(tag)["response"]["body_size"] == 3000
