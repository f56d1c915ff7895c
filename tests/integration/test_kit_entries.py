"""Entries that plugins queue themselves, and fields that they set in log records."""

import pytest

from harness.basics import wait_for
from harness.client import fetch, new_tag
from harness.endpoint import LogEndpoint
from harness.gateway import BUILD


@pytest.fixture
def endpoints(thread):
    made = [LogEndpoint(thread).open() for _ in range(2)]
    yield made
    for endpoint in made:
        endpoint.close()


def test_entries_and_fields_of_all_phases_arrive(make_gateway, upstream, endpoints):
    own, records = endpoints
    gateway = make_gateway(workers=1, settings={
        "plugins": "bundled,kit-entries", "plugin_path": BUILD / "tests" / "kit"})
    added = gateway.add(f"http://127.0.0.1:{upstream.port}")
    gateway.admin.ok("POST", "/plugins", {"name": "kit-entries", "config": {"endpoint": own.url}})
    gateway.admin.ok("POST", f"/services/{added.service['name']}/plugins", {
        "name": "http-log", "config": {"http_endpoint": records.url}})
    own.mode = "unavailable"
    tag = new_tag()
    assert fetch(gateway.proxy, "GET", f"{added.path}?rid={tag}", [("x-rid", tag)]).status == 200
    entry = records.wait(tag)
    phases = ["rewrite", "access", "header_filter", "log"]
    assert entry["seen"] == {phase: phase for phase in phases}
    assert "size" not in entry["response"]
    wait_for(lambda: own.refused, "a refusal")
    own.mode = "ok"
    wait_for(lambda: own.count() == 4, lambda: f"four entries; have {own.entries}")
    assert {e["phase"] for e in own.snapshot()} == set(phases) and {e["rid"] for e in own.snapshot()} == {tag}
    wait_for(lambda: gateway.admin.metrics().pending == 0, "nothing waits")
    assert gateway.admin.metrics().balanced() and gateway.admin.metrics().dropped == 0
