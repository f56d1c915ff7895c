"""The log endpoint fails in every way: clients notice nothing, and every entry arrives, once."""

import pytest

from harness.basics import wait_for
from harness.client import new_tag
from harness.endpoint import tally
from harness.gateway import Gateway
from harness.load import Load, hammer

REQUESTS = 400


@pytest.fixture(scope="module")
def steady(gibbon_binary):
    """One gateway for the tests that leave it well."""
    gateway = Gateway(workers=2)
    try:
        yield gateway.start()
    finally:
        gateway.close()


def assert_each_once(endpoint, tags, timeout=60):
    """Every tag has exactly one entry, and none came twice."""
    tags = set(tags)
    wait_for(lambda: tags <= tally(endpoint.snapshot()).keys(),
             lambda: f"{len(tags - tally(endpoint.snapshot()).keys())} of {len(tags)} entries", timeout)
    counts = tally(endpoint.snapshot())
    assert {t: counts[t] for t in tags if counts[t] != 1} == {}


def assert_settled(gateway):
    """All that was captured was delivered."""
    wait_for(lambda: gateway.admin.metrics().pending == 0, lambda: gateway.admin.metrics().account())
    metrics = gateway.admin.metrics()
    assert metrics.balanced() and metrics.dropped == 0, metrics.account()


@pytest.mark.parametrize("batches", [False, True], ids=["one by one", "batches"])
@pytest.mark.parametrize("fault", ["down", "hang", "error", "unavailable", "reset", "forget", "slow"])
def test_an_endpoint_that_fails_and_returns(steady, make_endpoint, upstream, fault, batches):
    endpoint = make_endpoint(batches=batches)
    # Retries of a hung request begin after `timeout`: short here, so that the test is.
    route = steady.add(f"http://127.0.0.1:{upstream.port}", log_to=endpoint.url, plugin={"timeout": 1000})
    load = Load(steady.proxy, f"{route.path}/text/100", connections=4)
    wait_for(lambda: endpoint.count() >= 20, "the first entries")
    before = load.done
    if fault == "down":
        endpoint.close()
    else:
        endpoint.mode = fault
    wait_for(lambda: load.done > before + REQUESTS, "requests that are served meanwhile")
    if fault not in ("down", "slow"):
        wait_for(lambda: endpoint.requests and (endpoint.refused or fault == "forget"), "the fault to be met")
    endpoint.mode = "ok"
    endpoint.open()
    back = load.done
    wait_for(lambda: load.done > back + 50, "requests after its return")
    outcome = load.stop()
    assert not outcome.failed and set(outcome.statuses) == {200}, outcome
    assert_each_once(endpoint, outcome.complete)
    # Where it took entries and could not say so, it sees repeats with the same entry_id, and drops them.
    if fault not in ("forget", "down"):
        ids = [e["entry_id"] for e in endpoint.snapshot()]
        assert len(ids) == len(set(ids))
    if batches:
        assert endpoint.content_types["application/x-ndjson"] > 0
    else:
        assert set(endpoint.content_types) == {"application/json"}
    route.remove()
    assert_settled(steady)


def test_one_dead_endpoint_does_not_hold_up_another(steady, make_endpoint, upstream):
    dead, well = make_endpoint(), make_endpoint()
    dead.close()
    bad, good = (steady.add(f"http://127.0.0.1:{upstream.port}", log_to=e.url) for e in (dead, well))
    waiting = hammer(steady.proxy, f"{bad.path}/text/10", 200)
    outcome = hammer(steady.proxy, f"{good.path}/text/10", 200)
    assert_each_once(well, outcome.complete)
    dead.open()
    assert_each_once(dead, waiting.complete)
    bad.remove(), good.remove()
    assert_settled(steady)


@pytest.mark.parametrize("verb", ["stop", "quit", "restart"])
def test_entries_wait_on_disk_while_all_is_stopped(make_gateway, make_endpoint, upstream, verb):
    endpoint = make_endpoint()
    gateway = make_gateway(workers=2)
    route = gateway.add(f"http://127.0.0.1:{upstream.port}", log_to=endpoint.url)
    endpoint.close()
    outcome = hammer(gateway.proxy, f"{route.path}/text/300", 300)
    assert len(outcome.complete) == 300
    if verb == "restart":
        assert gateway.run("restart").returncode == 0
        endpoint.open()
    else:
        gateway.stop(verb)
        endpoint.open()
        gateway.start()
    assert_each_once(endpoint, outcome.complete)


def test_an_idle_connection_that_the_endpoint_closed_costs_nothing(steady, make_endpoint, upstream):
    endpoint = make_endpoint()
    route = steady.add(f"http://127.0.0.1:{upstream.port}", log_to=endpoint.url)
    tags = []
    for _ in range(5):
        tags.append(new_tag())
        steady.get(f"{route.path}?rid={tags[-1]}")
        endpoint.wait(tags[-1])
        endpoint.close()
        endpoint.open()
    assert_each_once(endpoint, tags)
    route.remove()


def test_connections_to_the_endpoint_are_kept(steady, make_endpoint, upstream):
    endpoint = make_endpoint()
    route = steady.add(f"http://127.0.0.1:{upstream.port}", log_to=endpoint.url)
    outcome = hammer(steady.proxy, f"{route.path}/text/10", 300)
    assert_each_once(endpoint, outcome.complete)
    assert endpoint.connections <= 10, endpoint.connections
    route.remove()
