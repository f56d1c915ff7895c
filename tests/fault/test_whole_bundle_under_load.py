"""
Every bundled plugin on one route, under load, while configurations change, plugins come and go and the gateway reloads:
no request fails that no plugin has refused, and nothing that is recorded gets lost. Built with sanitizers
(`./dev test asan`, `./dev test tsan`) the logs must hold no report of theirs either: the gateway's end checks that.
GIBBON_LONG_SECONDS=600 makes it longer than the few rounds that every run has.
"""

import itertools
import os
import time

import pytest

from harness.basics import wait_for
from harness.endpoint import LogEndpoint
from harness.load import Load

LONG = float(os.environ.get("GIBBON_LONG_SECONDS", "0"))


@pytest.fixture
def endpoint():
    server = LogEndpoint().open()
    yield server
    server.shut()


def whole_bundle(log_url, file):
    """Each plugin with a configuration that lets this load through, but has all of its work to do."""
    return {
        "request-response-logger": {"log_endpoint": log_url, "max_body_size": 4096},
        "http-log": {"http_endpoint": log_url, "queue": {"max_batch_size": 50}},
        "file-log": {"path": str(file)},
        "prometheus": {"per_consumer": True, "status_code_metrics": True, "latency_metrics": True, "bandwidth_metrics": True},
        "cors": {"origins": ["https://one.test", ".*\\.two\\.test"], "credentials": True, "exposed_headers": ["X-A", "X-B"]},
        "correlation-id": {"generator": "uuid#counter", "echo_downstream": True},
        "ip-restriction": {"allow": ["127.0.0.0/8", "::1/128"]},
        "key-auth": {"key_names": ["apikey"], "hide_credentials": True},
        "acl": {"allow": ["loaders"]},
        "rate-limiting": {"hour": 1000000, "policy": "local", "limit_by": "consumer"},
        "request-size-limiting": {"allowed_payload_size": 1},
        "request-transformer": {"add": {"headers": ["x-from:$(headers.host)"], "querystring": ["added:yes"], "body": ["tenant:one"]},
                                "rename": {"headers": ["x-old:x-new"]}},
        "response-transformer": {"add": {"headers": ["x-added:1"], "json": ["seen:true"]}, "remove": {"json": ["nothing"]}},
    }


def progress(load, more):
    """Lets so many more requests through."""
    before = load.done + len(load.outcome.failed)
    wait_for(lambda: load.done + len(load.outcome.failed) >= before + more, lambda: f"more requests: {load.outcome}", timeout=120)


def test_nothing_fails(make_gateway, servers, endpoint, scratch):
    gateway = make_gateway(workers=2)
    upstream, = servers(1)
    admin = gateway.admin
    route = gateway.add(f"http://127.0.0.1:{upstream.port}")
    consumer = admin.ok("POST", "/consumers", {"username": "loader"})["id"]
    key = admin.ok("POST", f"/consumers/{consumer}/key-auth", {})["key"]
    admin.ok("POST", f"/consumers/{consumer}/acls", {"group": "loaders"})
    of_route = f"/routes/{route.route['id']}/plugins"
    bundle = whole_bundle(endpoint.url, scratch / "whole-bundle.log")
    made = {name: admin.ok("POST", of_route, {"name": name, "config": config})["id"] for name, config in bundle.items()}

    body = b'{"items": [1, 2, 3], "text": "' + b"x" * 500 + b'"}'
    loads = [Load(gateway.proxy, f"{route.path}/x", 4, headers=[("apikey", key), ("Origin", "https://one.test"), ("x-old", "1")]),
             Load(gateway.proxy, f"{route.path}/x", 4, method="POST", body=body,
                  headers=[("apikey", key), ("Content-Type", "application/json"), ("Origin", "https://a.two.test")])]
    began = time.monotonic()
    names = itertools.cycle(made)
    rounds = 0
    while rounds < len(made) or time.monotonic() - began < LONG:
        name = next(names)
        # It goes and comes back, is switched off and on, and others are configured for the consumer and for all.
        if name not in ("key-auth", "acl"):  # without these two others would ask for what is not there
            admin.ok("DELETE", f"/plugins/{made[name]}")
            progress(loads[rounds % 2], 20)
            made[name] = admin.ok("POST", of_route, {"name": name, "config": bundle[name]})["id"]
        else:
            admin.ok("PATCH", f"/plugins/{made[name]}", {"tags": [f"round-{rounds}"]})
        everywhere = admin.ok("POST", "/plugins", {"name": "correlation-id", "config": {"header_name": f"X-Round-{rounds}"}})["id"]
        admin.ok("PATCH", f"/plugins/{made['rate-limiting']}", {"config": {"hour": 1000000 + rounds}})
        progress(loads[0], 20)
        admin.ok("DELETE", f"/plugins/{everywhere}")
        if rounds % 4 == 3:
            done = gateway.run("reload")
            assert done.returncode == 0, done.stderr
        progress(loads[1], 20)
        rounds += 1
    for load in loads:
        outcome = load.stop()
        assert not outcome.failed and set(outcome.statuses) == {200}, outcome

    # Whatever a plugin refuses is refused by it alone.
    assert gateway.get(f"{route.path}/x").status == 401
    wait_for(lambda: admin.metrics().pending == 0 and admin.metrics().balanced(), lambda: admin.metrics().account(), timeout=60)
    assert admin.metrics().dropped == 0
