"""Targets are added, removed, re-weighted and killed while requests run: no request fails."""

import collections

import pytest

from harness.basics import wait_for
from harness.load import Load

CONNECTIONS = 8


def at(server):
    return f"127.0.0.1:{server.port}"


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(workers=2)


def progress(load, more=200):
    """Lets so many more requests through."""
    before = load.done + len(load.outcome.failed)
    wait_for(lambda: load.done + len(load.outcome.failed) >= before + more, lambda: f"more requests: {load.outcome}", timeout=60)


def all_well(load):
    outcome = load.stop()
    assert not outcome.failed, outcome
    assert set(outcome.statuses) == {200}, outcome
    return outcome


def share(server, count_before):
    return len(server.seen) - count_before


@pytest.mark.parametrize("algorithm", ["round-robin", "least-connections", "latency", "consistent-hashing"])
def test_targets_change_under_load(gateway, servers, algorithm):
    a, b, c = servers(3)
    up = gateway.add_upstream([at(a), at(b)], algorithm=algorithm, hash_on="path" if algorithm == "consistent-hashing" else "none")
    name = up.upstream["name"]
    load = Load(gateway.proxy, f"{up.path}/x", CONNECTIONS)
    progress(load)
    for _ in range(3):
        gateway.add_target(name, at(c))
        progress(load, 60)
        gateway.admin.ok("PATCH", f"/upstreams/{name}/targets/{at(c)}", {"weight": 1000})
        progress(load, 60)
        gateway.admin.ok("PATCH", f"/upstreams/{name}/targets/{at(c)}", {"weight": 0})
        progress(load, 60)
        gateway.admin.ok("DELETE", f"/upstreams/{name}/targets/{at(c)}")
        progress(load, 60)
    gateway.admin.ok("PATCH", f"/upstreams/{name}", {"algorithm": "round-robin", "hash_on": "none"})
    gateway.add_target(name, at(c))
    progress(load, 60)
    before = len(c.seen)
    progress(load, 60)
    assert len(c.seen) > before
    all_well(load)


def test_a_target_that_is_removed_may_be_stopped(gateway, servers):
    """Once the Admin API has answered, and what was under way is done, nothing goes there any more."""
    a, b = servers(2)
    up = gateway.add_upstream([at(a), at(b)])
    name = up.upstream["name"]
    load = Load(gateway.proxy, f"{up.path}/x", CONNECTIONS)
    for _ in range(4):
        progress(load)
        gateway.admin.ok("DELETE", f"/upstreams/{name}/targets/{at(a)}")
        progress(load, 2 * CONNECTIONS)
        seen = len(a.seen)
        progress(load)
        assert len(a.seen) == seen
        a.close()
        progress(load)
        a.open()
        gateway.add_target(name, at(a))
    all_well(load)


@pytest.mark.parametrize("checks", ["none", "passive", "active"])
def test_a_server_that_is_killed_costs_no_request(gateway, servers, checks):
    """Its connections are reset in the midst of requests; each of them is sent to another target."""
    a, b, c = servers(3)
    healthchecks = {
        "none": {},
        "passive": {"passive": {"unhealthy": {"tcp_failures": 2}, "healthy": {"successes": 1}}},
        "active": {"active": {"http_path": "/probe", "healthy": {"interval": 0.2, "successes": 1},
                              "unhealthy": {"interval": 0.2, "tcp_failures": 1, "http_failures": 1}},
                   "passive": {"unhealthy": {"tcp_failures": 2}}},
    }[checks]
    up = gateway.add_upstream([at(a), at(b), at(c)], healthchecks=healthchecks)
    name = up.upstream["name"]
    load = Load(gateway.proxy, f"{up.path}/x", CONNECTIONS)
    for _ in range(3):
        progress(load)
        a.close()
        if checks != "none":
            wait_for(lambda: gateway.target_health(name)[at(a)] == "UNHEALTHY", "the target to be out")
        progress(load)
        a.open()
        if checks == "passive":
            gateway.admin.ok("PUT", f"/upstreams/{name}/targets/{at(a)}/healthy")
        if checks == "active":
            wait_for(lambda: gateway.target_health(name)[at(a)] == "HEALTHY", "the target to be back")
        before = len(a.seen) - len(a.probes)
        wait_for(lambda: len(a.seen) - len(a.probes) > before, "requests at the target that is back", timeout=30)
    all_well(load)


def test_reloads_and_changes_at_once(gateway, servers):
    a, b, c = servers(3)
    up = gateway.add_upstream([at(a), at(b)], healthchecks={"active": {
        "http_path": "/probe", "healthy": {"interval": 0.2, "successes": 1},
        "unhealthy": {"interval": 0.2, "tcp_failures": 1}}})
    name = up.upstream["name"]
    load = Load(gateway.proxy, f"{up.path}/x", CONNECTIONS)
    for _ in range(3):
        gateway.add_target(name, at(c))
        old = set(gateway.workers())
        assert gateway.run("reload").returncode == 0
        wait_for(lambda: len(new := set(gateway.workers())) == 2 and not new & old, "new workers")
        gateway.admin.ok("DELETE", f"/upstreams/{name}/targets/{at(c)}")
        progress(load)
    counted = collections.Counter({s.name: len(s.seen) for s in (a, b, c)})
    assert all(counted.values()), counted
    all_well(load)
