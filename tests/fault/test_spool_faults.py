"""The disk under the spool fails: what can be saved is, and what is lost is counted."""

import subprocess

import pytest

from harness.basics import wait_for
from harness.endpoint import tally
from harness.load import hammer


@pytest.fixture
def away(make_gateway, make_endpoint, upstream):
    """A gateway whose endpoint is away, and whose ring holds little: (gateway, endpoint, route)."""
    endpoint = make_endpoint()
    endpoint.close()
    gateway = make_gateway(start=False, workers=1, settings={"ring_size": "256k"})

    def start():
        gateway.start()
        return gateway.add(f"http://127.0.0.1:{upstream.port}", log_to=endpoint.url)

    return gateway, endpoint, start


def segments(gateway):
    return sorted(p for p in (gateway.prefix / "spool").rglob("*") if p.is_file())


def books(gateway):
    metrics = gateway.admin.metrics()
    assert metrics.balanced(), metrics.account()
    return metrics


def test_a_torn_write_costs_nothing_that_was_whole(away):
    gateway, endpoint, start = away
    route = start()
    outcome = hammer(gateway.proxy, f"{route.path}/bytes/900", 300)
    gateway.stop()
    held = segments(gateway)
    assert held, "nothing was spooled"
    with open(max(held, key=lambda p: p.stat().st_size), "ab") as segment:
        segment.write(b"\x40\x00\x00\x00half a record")  # a record that power loss cut off
    endpoint.open()
    gateway.start()
    wait_for(lambda: outcome.complete.keys() <= tally(endpoint.snapshot()).keys(),
             lambda: f"{len(tally(endpoint.snapshot()))} of {len(outcome.complete)} entries")
    assert set(tally(endpoint.snapshot()).values()) == {1}
    more = hammer(gateway.proxy, f"{route.path}/bytes/900", 20)
    wait_for(lambda: more.complete.keys() <= tally(endpoint.snapshot()).keys(), "entries after it")


def test_a_flipped_bit_costs_at_most_its_surroundings_and_is_not_delivered(away):
    gateway, endpoint, start = away
    route = start()
    outcome = hammer(gateway.proxy, f"{route.path}/bytes/900", 300)
    gateway.stop()
    segment = max(segments(gateway), key=lambda p: p.stat().st_size)
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 0x10
    segment.write_bytes(data)
    endpoint.open()
    gateway.start()
    wait_for(lambda: books(gateway).pending == 0 and endpoint.count(), lambda: gateway.admin.metrics().account())
    arrived = tally(endpoint.snapshot())  # every entry that arrives is valid JSON with its own tag, or this would fail
    assert arrived.keys() <= outcome.complete.keys() and set(arrived.values()) == {1}
    assert 100 <= len(arrived) <= 300
    more = hammer(gateway.proxy, f"{route.path}/bytes/900", 20)
    wait_for(lambda: more.complete.keys() <= tally(endpoint.snapshot()).keys(), "entries after it")


def test_a_full_disk(away):
    """The spool lies on 1 MB. Requests are served, the loss is counted, and all goes on when there is room."""
    gateway, endpoint, start = away
    spool = gateway.prefix / "spool"
    spool.mkdir(parents=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0777", "tmpfs", spool], capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        route = start()
        outcome = hammer(gateway.proxy, f"{route.path}/bytes/1000", 2500)
        assert len(outcome.complete) == 2500 and set(outcome.statuses) == {200}, outcome
        wait_for(lambda: books(gateway).dropped > 0, lambda: gateway.admin.metrics().account())
        endpoint.open()
        wait_for(lambda: books(gateway).pending == 0, lambda: gateway.admin.metrics().account(), timeout=60)
        metrics = books(gateway)
        assert metrics.captured == 2500 and metrics.delivered == len(tally(endpoint.snapshot())) > 0
        more = hammer(gateway.proxy, f"{route.path}/bytes/1000", 20)
        wait_for(lambda: more.complete.keys() <= tally(endpoint.snapshot()).keys(), "entries after room was made")
        gateway.stop()
    finally:
        if gateway.running:
            gateway.stop()
        subprocess.run(["umount", "-l", spool], check=True)
