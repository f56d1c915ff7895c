"""When there is no room: requests are served, the loss is counted, and the books balance at every look."""

import signal

from harness.basics import wait_for
from harness.endpoint import tally
from harness.load import Load, hammer


def test_a_full_ring_drops_counts_and_recovers(make_gateway, make_endpoint, upstream):
    endpoint = make_endpoint()
    gateway = make_gateway(workers=1, settings={"ring_size": "64k"})
    route = gateway.add(f"http://127.0.0.1:{upstream.port}", log_to=endpoint.url)
    agent = gateway.pid("agent")
    gateway.kill(agent, signal.SIGSTOP)
    try:
        outcome = hammer(gateway.proxy, f"{route.path}/text/1000", 300)
    finally:
        gateway.kill(agent, signal.SIGCONT)
    assert len(outcome.complete) == 300 and set(outcome.statuses) == {200}, outcome
    wait_for(lambda: gateway.admin.metrics().pending == 0, lambda: gateway.admin.metrics().account())
    metrics = gateway.admin.metrics()
    assert metrics.captured == 300 and metrics.balanced(), metrics.account()
    assert 0 < metrics.dropped < 300
    full = [v for k, v in metrics.labelled("gibbon_log_entries_dropped_total").items() if "ring_full" in k]
    assert full == [metrics.dropped], metrics.labelled("gibbon_log_entries_dropped_total")
    assert len(tally(endpoint.snapshot())) == metrics.delivered
    after = hammer(gateway.proxy, f"{route.path}/text/1000", 20, connections=1)
    wait_for(lambda: after.complete.keys() <= tally(endpoint.snapshot()).keys(), "entries after room was made")


def test_the_books_balance_at_every_look(make_gateway, make_endpoint, upstream):
    endpoint = make_endpoint()
    gateway = make_gateway(workers=2, settings={"ring_size": "64k"})
    route = gateway.add(f"http://127.0.0.1:{upstream.port}", log_to=endpoint.url)
    load, looks, unbalanced = Load(gateway.proxy, f"{route.path}/text/1000", 8), 0, []

    def look():
        nonlocal looks
        metrics = gateway.admin.metrics()
        looks += 1
        if not metrics.balanced():
            unbalanced.append(metrics.account())
        return metrics

    for mode in ("ok", "error", "down", "ok"):
        if mode == "down":
            endpoint.close()
        else:
            endpoint.mode = mode
            endpoint.open()
        target = load.done + 150
        while load.done < target:
            look()
    outcome = load.stop()
    wait_for(lambda: look().pending == 0, lambda: gateway.admin.metrics().account())
    assert looks > 20 and not unbalanced, (looks, unbalanced[:5])
    metrics = look()
    assert not outcome.failed and metrics.captured == len(outcome.complete)


def test_a_small_spool_says_what_it_dropped(make_gateway, make_endpoint, upstream):
    """The endpoint stays away until ring and spool are full; nothing is lost in silence."""
    endpoint = make_endpoint()
    endpoint.close()
    gateway = make_gateway(workers=1, settings={"ring_size": "64k", "spool_max_size": "1m"})
    route = gateway.add(f"http://127.0.0.1:{upstream.port}", log_to=endpoint.url)
    outcome = hammer(gateway.proxy, f"{route.path}/bytes/1000", 1500)
    assert len(outcome.complete) == 1500
    wait_for(lambda: gateway.admin.metrics().dropped > 0, lambda: gateway.admin.metrics().account())
    assert gateway.admin.metrics().balanced()
    endpoint.open()
    wait_for(lambda: gateway.admin.metrics().pending == 0, lambda: gateway.admin.metrics().account(), timeout=60)
    metrics = gateway.admin.metrics()
    assert metrics.captured == 1500 and metrics.balanced() and metrics.delivered > 0, metrics.account()
    counts = tally(endpoint.snapshot())
    assert len(counts) == metrics.delivered and set(counts.values()) == {1}
