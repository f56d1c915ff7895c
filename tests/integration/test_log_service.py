"""`gibbon logs` on its own: any shipper may use it."""

import json
import uuid

import pytest

from harness.basics import wait_for
from harness.client import Client, fetch, new_tag
from harness.gateway import BUILD, Gateway


@pytest.fixture(scope="module")
def service(gibbon_binary):
    gateway = Gateway(workers=1, log_service=True)
    try:
        yield gateway.start()
    finally:
        gateway.close()


def entry(word, entry_id=None, **more):
    return {"id": 1753298422993.277, "type": "kong_request_response", "timestamp": "2025-07-23T19:20:22.993Z",
            **({"entry_id": entry_id} if entry_id else {}),
            "request": {"url": f"http://localhost:8000/{word}", "method": "POST", "headers": {"content-type": "text/plain"}, "body": word},
            "response": {"status_code": 200, "headers": {"content-type": "text/plain"}, "body": "ok"}, **more}


def post(service, body, kind="application/json"):
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return fetch(service.logs, "POST", "/logs", [("Content-Type", kind)], text)


def newest(service, count):
    return fetch(service.logs, "GET", f"/logs?limit={count}").json()["data"]


def bodies(entries):
    return [e["request"]["body"] for e in entries]


def test_one_object_an_array_and_lines(service):
    words = [new_tag() for _ in range(5)]
    assert post(service, entry(words[0])).status in (200, 201, 202)
    assert post(service, [entry(words[1]), entry(words[2])]).status < 300
    lines = b"\n".join(json.dumps(entry(w)).encode() for w in words[3:]) + b"\n"
    answer = post(service, lines, "application/x-ndjson")
    assert answer.status < 300 and "application/x-ndjson" in answer.header("accept-post")
    assert bodies(newest(service, 5)) == words[::-1]


def test_an_entry_comes_back_as_it_was_sent(service):
    sent = entry(new_tag(), str(uuid.uuid4()), extra={"nested": [1, 2.5, None, "ü"]})
    post(service, sent)
    shown = fetch(service.logs, "GET", f"/logs/{sent['entry_id']}").json()
    assert {k: shown[k] for k in sent} == sent


def test_the_same_entry_twice_is_one(service):
    first = entry(new_tag(), str(uuid.uuid4()))
    assert post(service, first).status < 300 and post(service, [first, first]).status < 300
    last = entry(new_tag())
    post(service, last)
    assert bodies(newest(service, 3)).count(first["request"]["body"]) == 1


def test_pages_reach_every_entry_once(service):
    words = [new_tag() for _ in range(25)]
    post(service, [entry(w) for w in words])
    seen, target = [], "/logs?limit=10"
    while len(seen) < 25:
        page = fetch(service.logs, "GET", target).json()
        seen += bodies(page["data"])
        target = page["next"]
    assert seen[:25] == words[::-1]


@pytest.mark.parametrize("body,kind", [(b"{", "application/json"), (b"5", "application/json"), (b"[1]", "application/json"),
                                       (b'{\n[', "application/x-ndjson")])
def test_what_is_no_entry_is_refused(service, body, kind):
    before = newest(service, 1)
    answer = post(service, body, kind)
    assert 400 <= answer.status < 500 and answer.json()["message"]
    assert newest(service, 1) == before


@pytest.mark.parametrize("limit", ["0", "-1", "many", "99999999"])
def test_a_bad_limit_is_refused_or_bounded(service, limit):
    answer = fetch(service.logs, "GET", f"/logs?limit={limit}")
    assert answer.status == 400 or (answer.status == 200 and limit == "99999999"), answer


def test_unknown_ids_and_paths(service):
    assert fetch(service.logs, "GET", f"/logs/{uuid.uuid4()}").status == 404
    assert fetch(service.logs, "GET", "/nope/nope").status == 404
    assert fetch(service.logs, "DELETE", "/logs").status == 405


def test_what_was_answered_survives_a_kill(service):
    words = [new_tag() for _ in range(20)]
    for word in words:
        assert post(service, entry(word)).status < 300
    pid = service.pid("logs")
    service.kill(pid)
    wait_for(lambda: service.pid("logs") not in (None, pid), "a new log service")

    def there():
        try:
            return bodies(newest(service, 20)) == words[::-1]
        except OSError:
            return False

    wait_for(there, "the entries from before")


def test_the_stream_brings_new_entries(service):
    with Client(service.logs) as client:
        client.send(b"GET /logs/stream HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
        status, _, headers = client.head()
        assert status == 200 and any(v.startswith("text/event-stream") for n, v in headers if n.lower() == "content-type")
        word, seen = new_tag(), ""
        post(service, entry(word))
        while word not in seen:
            line = client.file.readline()
            assert line, "the stream ended"
            seen += line.decode()


@pytest.mark.skipif(not (BUILD / "share/gibbon/web/index.html").exists(), reason="the web page is not built")
def test_the_page_is_served(service):
    answer = fetch(service.logs, "GET", "/")
    assert answer.status == 200 and b"<html" in answer.body.lower()
    assert answer.header("content-type").startswith("text/html")
