"""A global logger sees every exchange: the unmatched and the malformed ones too."""

import pytest

from harness.basics import wait_for
from harness.client import Client, fetch, new_tag
from harness.endpoint import LogEndpoint
from harness.gateway import Gateway


@pytest.fixture(scope="module")
def recorded(gibbon_binary, upstream):
    """A gateway with a global logger: (gateway, its endpoint, path of a route without a logger of its own)."""
    endpoint, gateway = LogEndpoint().open(), Gateway(workers=1)
    try:
        gateway.start()
        gateway.admin.ok("POST", "/plugins", {"name": "request-response-logger", "config": {"log_endpoint": endpoint.url}})
        yield gateway, endpoint, gateway.add(f"http://127.0.0.1:{upstream.port}")
    finally:
        gateway.close()
        endpoint.shut()


def test_unmatched(recorded):
    gateway, endpoint, _ = recorded
    tag = new_tag()
    answer = fetch(gateway.proxy, "POST", f"/no/route?rid={tag}", body=b"hello?")
    entry = endpoint.wait(tag)
    assert entry["response"]["status_code"] == answer.status == 404
    assert entry["response"]["body"] == answer.body.decode()
    assert entry["request"]["method"] == "POST"
    assert not entry.get("service") and not entry.get("route")


def test_matched(recorded):
    gateway, endpoint, route = recorded
    tag = new_tag()
    gateway.get(f"{route.path}?rid={tag}")
    assert endpoint.wait(tag)["service"]["id"] == route.service["id"]


MALFORMED = {
    "garbage": (b"\x16\x03\x01 what is this\r\n\r\n", 400),
    "no host": (b"GET /?rid=%s HTTP/1.1\r\n\r\n", 400),
    "bad length": (b"POST /?rid=%s HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n", 400),
    "two lengths": (b"POST /?rid=%s HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    "bad version": (b"GET /?rid=%s HTTP/9.9\r\nHost: x\r\n\r\n", 505),
    "huge header": (b"GET /?rid=%s HTTP/1.1\r\nHost: x\r\nX-Big: " + b"x" * 60000 + b"\r\n\r\n", 400),
    "huge target": (b"GET /?rid=%s&x=" + b"x" * 60000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed(recorded, kind):
    gateway, endpoint, _ = recorded
    text, status = MALFORMED[kind]
    have = endpoint.count()
    with Client(gateway.proxy) as client:
        client.send(text.replace(b"%s", new_tag().encode()))
        answer = client.answer()
    assert answer.status in (status, 494 if status == 400 else status), answer
    wait_for(lambda: endpoint.count() > have, f"an entry for a request with {kind}")
    assert endpoint.count() == have + 1
    entry = endpoint.snapshot()[-1]
    assert entry["response"]["status_code"] in (status, 494) and entry["request_id"]
    assert entry["response"]["body"] == answer.body.decode()


def test_the_most_specific_instance_records_and_it_alone(recorded, make_endpoint):
    """Global < service < route, as in Kong; what is disabled or deleted steps back."""
    gateway, endpoint, route = recorded
    of_service, of_route = make_endpoint(), make_endpoint()

    def recorder(expected):
        tag = new_tag()
        gateway.get(f"{route.path}?rid={tag}")
        expected.wait(tag)
        assert [e.count() for e in (endpoint, of_service, of_route) if e is not expected and e.of(tag)] == []

    def instance(path, url):
        return gateway.admin.ok("POST", f"{path}/plugins", {"name": "request-response-logger", "config": {"log_endpoint": url}})

    recorder(endpoint)
    service = instance(f"/services/{route.service['id']}", of_service.url)
    recorder(of_service)
    specific = instance(f"/routes/{route.route['id']}", of_route.url)
    recorder(of_route)
    gateway.admin.ok("PATCH", f"/plugins/{specific['id']}", {"enabled": False})
    recorder(of_service)
    gateway.admin.ok("PATCH", f"/plugins/{specific['id']}", {"enabled": True})
    recorder(of_route)
    gateway.admin.ok("DELETE", f"/plugins/{specific['id']}")
    gateway.admin.ok("DELETE", f"/plugins/{service['id']}")
    recorder(endpoint)
