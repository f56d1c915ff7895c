"""kill -9 under load. What a client got in full is in the log once; what is allowed to be missing is said here."""

import json
import signal

import pytest

from harness.basics import wait_for
from harness.client import fetch
from harness.endpoint import tag_of, tally
from harness.load import Load, hammer

CONNECTIONS = 8


class LogService:
    """The entries that `gibbon logs` has, with the questions of LogEndpoint."""

    def __init__(self, port):
        self.port = port

    def snapshot(self):
        entries, target = [], "/logs?limit=1000"
        while target:
            page = fetch(self.port, "GET", target).json()
            entries += page["data"]
            target = page["next"]
        return entries


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(workers=2, log_service=True)


@pytest.fixture
def route(gateway, upstream):
    return gateway.add(f"http://127.0.0.1:{upstream.port}", log_to=f"http://127.0.0.1:{gateway.logs}/logs")


def settle(gateway):
    """Waits until nothing is under way, and returns the entries that the log service has."""
    def settled():
        try:
            metrics = gateway.admin.metrics()
            return metrics.pending == 0 and metrics.balanced()
        except OSError:
            return False

    wait_for(settled, lambda: f"nothing pending, but {gateway.admin.metrics().account()}", timeout=60)
    return LogService(gateway.logs).snapshot()


def check(entries, outcome, may_miss=0):
    counts = tally(entries)
    twice = {tag: n for tag, n in counts.items() if n > 1}
    missing = outcome.complete.keys() - counts.keys()
    assert not twice, f"{len(twice)} entries came more than once"
    assert len(missing) <= may_miss, f"{len(missing)} of {len(outcome.complete)} entries are missing"
    ids = [e["entry_id"] for e in entries if tag_of(e)]
    assert len(ids) == len(set(ids))


def test_killed_workers(gateway, route):
    """
    A killed worker takes with it the requests it was in: their connections break. Of those whose last byte had
    left already, the record may be missing: at most one for each connection, since the log phase of one request
    comes before the next request of its connection.
    """
    gateway.allow_alarm(r"\[alert\] .* worker process \d+ exited on signal 9")
    load, kills = Load(gateway.proxy, f"{route.path}/text/200", CONNECTIONS), 3
    for number in range(kills):
        done = load.done
        wait_for(lambda: load.done > done + 150, "load")
        before = gateway.workers()
        gateway.kill(before[0])
        wait_for(lambda: len(now := gateway.workers()) == 2 and before[0] not in now, "a new worker")
    done = load.done
    wait_for(lambda: load.done > done + 150, "load")
    outcome = load.stop()
    assert len(outcome.failed) <= kills * CONNECTIONS, outcome
    check(settle(gateway), outcome, may_miss=kills * CONNECTIONS)
    metrics = gateway.admin.metrics()
    assert metrics.dropped == 0 and metrics.captured >= len(outcome.complete) - kills * CONNECTIONS


@pytest.mark.parametrize("which", ["agent", "logs"])
def test_killed_helpers(gateway, route, which):
    """Clients notice nothing, and every entry is there once."""
    load = Load(gateway.proxy, f"{route.path}/text/200", CONNECTIONS)
    for _ in range(3):
        done = load.done
        wait_for(lambda: load.done > done + 150, "load")
        pid = gateway.pid(which)
        gateway.kill(pid)
        wait_for(lambda: gateway.pid(which) not in (None, pid), f"a new {which} process")
    done = load.done
    wait_for(lambda: load.done > done + 150, "load")
    outcome = load.stop()
    assert not outcome.failed and set(outcome.statuses) == {200}, outcome
    check(settle(gateway), outcome)


def test_a_killed_master_comes_back(gateway, route):
    gateway.allow_alarm(r"signal 9|\[emerg\] .*bind\(\)|still could not bind")
    before = hammer(gateway.proxy, f"{route.path}/text/10", 50)
    master = gateway.pid("nginx")
    gateway.kill(master)
    wait_for(lambda: gateway.pid("nginx") not in (None, master), "a new master")

    def serves():
        try:
            return gateway.get(route.path).status == 200
        except OSError:
            return False

    wait_for(serves, "an answer")
    after = hammer(gateway.proxy, f"{route.path}/text/10", 50)
    assert len(before.complete) == len(after.complete) == 50
    entries = settle(gateway)
    check(entries, before)
    check(entries, after)


def test_a_killed_supervisor_is_replaced_by_the_next_start(gateway, route):
    """Everything runs on without it; `start` takes it over, and restarts what ends from then on."""
    before = {name: gateway.pid(name) for name in ("nginx", "agent", "logs")}
    load = Load(gateway.proxy, f"{route.path}/text/200", CONNECTIONS)
    gateway.kill(gateway.pid("gibbon"))
    wait_for(lambda: gateway.pid("gibbon") is None, "its end")
    done = load.done
    wait_for(lambda: load.done > done + 150, "load without a supervisor")
    assert {name: gateway.pid(name) for name in before} == before
    gateway.start()
    assert {name: gateway.pid(name) for name in before} == before
    gateway.kill(before["agent"])
    wait_for(lambda: gateway.pid("agent") not in (None, before["agent"]), "a new agent")
    outcome = load.stop()
    assert not outcome.failed, outcome
    check(settle(gateway), outcome)


@pytest.mark.parametrize("close_each", [False, True], ids=["kept connections", "a connection each"])
def test_reload_under_load(gateway, route, close_each):
    """No request fails, no entry is lost. (A kept connection may end between two requests: clients send again.)"""
    load = Load(gateway.proxy, f"{route.path}/text/200", CONNECTIONS, close_each=close_each)
    for _ in range(3):
        done, before = load.done, set(gateway.workers())
        wait_for(lambda: load.done > done + 150, "load")
        assert gateway.run("reload").returncode == 0
        wait_for(lambda: len(now := set(gateway.workers())) == 2 and not now & before, "new workers")
    done = load.done
    wait_for(lambda: load.done > done + 150, "load")
    outcome = load.stop()
    assert not outcome.failed and set(outcome.statuses) == {200}, outcome
    assert not close_each or outcome.stale == 0
    check(settle(gateway), outcome)


def test_traffic_and_configuration_survive_an_agent_that_stands_still(gateway, route):
    agent = gateway.pid("agent")
    gateway.kill(agent, signal.SIGSTOP)
    try:
        outcome = hammer(gateway.proxy, f"{route.path}/text/200", 200)
    finally:
        gateway.kill(agent, signal.SIGCONT)
    assert len(outcome.complete) == 200 and not outcome.failed
    check(settle(gateway), outcome)


def test_a_restarted_log_service_still_has_what_it_answered_for(gateway, route):
    outcome = hammer(gateway.proxy, f"{route.path}/text/200", 100)
    settle(gateway)
    pid = gateway.pid("logs")
    gateway.kill(pid)
    wait_for(lambda: gateway.pid("logs") not in (None, pid), "a new log service")

    def complete():
        try:
            return outcome.complete.keys() <= tally(LogService(gateway.logs).snapshot()).keys()
        except (OSError, json.JSONDecodeError):
            return False

    wait_for(complete, "the entries from before")
