"""prometheus: what is counted by which rules, summed over workers, as text that Prometheus reads."""

import math
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client.parser import text_string_to_metric_families

from harness.basics import wait_for
from harness.client import fetch, new_tag

ALL = {"status_code_metrics": True, "latency_metrics": True, "bandwidth_metrics": True}
LATENCIES = ("kong_request_latency_ms", "kong_kong_latency_ms", "kong_upstream_latency_ms")


def parse(text):
    """Samples by name and labels. Strict: one HELP and one TYPE before a family's samples, no family and no sample twice,
    names and histograms as they must be."""
    assert text.endswith("\n")
    seen = set()
    for line in text.splitlines():
        assert line and line == line.strip(), repr(line)
        if line.startswith("# "):
            kind, name = line.split(" ", 3)[1:3]
            assert kind in ("HELP", "TYPE") and (kind, name) not in seen, line
            assert kind == "HELP" or ("HELP", name) in seen, line
            seen.add((kind, name))
    samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation and family.type in ("counter", "gauge", "histogram"), family.name
        for sample in family.samples:
            name = sample.name
            if name.endswith("_total") and ("TYPE", name) not in seen:  # the parser gives counters this end
                name = name.removesuffix("_total")
            key = (name, tuple(sorted(sample.labels.items())))
            assert key not in samples and not math.isnan(sample.value), key
            samples[key] = sample.value
        if family.type == "histogram":
            check_histogram(family)
    return samples


def check_histogram(family):
    buckets = {}
    for sample in family.samples:
        if sample.name.endswith("_bucket"):
            labels = dict(sample.labels)
            bound = labels.pop("le")
            buckets.setdefault(tuple(labels.items()), []).append((float(bound), sample.value))
    counts = {tuple(s.labels.items()): s.value for s in family.samples if s.name.endswith("_count")}
    sums = {tuple(s.labels.items()) for s in family.samples if s.name.endswith("_sum")}
    assert set(buckets) == set(counts) == sums
    for labels, series in buckets.items():
        assert series == sorted(series) and [v for _, v in series] == sorted(v for _, v in series)
        assert math.isinf(series[-1][0]) and series[-1][1] == counts[labels]


@pytest.fixture
def metered(make_gateway, upstream):
    """metered(workers, config): a gateway with the plugin for all, and a route."""
    def make(workers=2, **config):
        gateway = make_gateway(workers=workers)
        added = gateway.add(f"http://127.0.0.1:{upstream.port}", route={"name": "the-route"})
        gateway.admin.ok("POST", "/plugins", {"name": "prometheus", "config": config})
        return gateway, added
    return make


def samples(gateway):
    answer = gateway.admin.call("GET", "/metrics")
    assert answer.header("Content-Type") == "text/plain; charset=UTF-8"
    return parse(answer.body.decode())


def value(gateway, name, **labels):
    return samples(gateway).get((name, tuple(sorted(labels.items()))), 0)


def requests(gateway, added, code, source="service", consumer=""):
    return value(gateway, "kong_http_requests_total", service=added.service["name"], route="the-route", code=code,
                 source=source, workspace="default", consumer=consumer)


def test_counts_over_workers(metered):
    gateway, added = metered(**ALL)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: fetch(gateway.proxy, "GET", added.path).status, range(60)))
    wait_for(lambda: requests(gateway, added, "200") == 60, "60 requests")
    labels = {"service": added.service["name"], "route": "the-route", "workspace": "default"}
    for name in LATENCIES:
        assert value(gateway, name + "_count", **labels) == 60
    sizes = [value(gateway, "kong_bandwidth_bytes", direction=d, consumer="", **labels) for d in ("ingress", "egress")]
    assert sizes[0] > 60 * 20 and sizes[1] > 60 * 100
    found = samples(gateway)
    bounds = {labels["le"] for name, labels in ((n, dict(l)) for n, l in found) if name == "kong_kong_latency_ms_bucket"}
    assert bounds == {*"1 2 5 7 10 15 20 30 50 75 100 200 500 750 1000 3000 6000 +Inf".split()}
    bounds = {labels["le"] for name, labels in ((n, dict(l)) for n, l in found) if name == "kong_upstream_latency_ms_bucket"}
    assert bounds == {*"25 50 80 100 250 400 700 1000 2000 5000 10000 30000 60000 +Inf".split()}
    assert found[("kong_nginx_metric_errors_total", ())] == 0 and found[("kong_datastore_reachable", ())] == 1


def test_who_answered(metered):
    gateway, added = metered(**ALL)
    gateway.admin.ok("POST", f"/routes/{added.route['id']}/plugins", {"name": "key-auth"})
    assert gateway.get(added.path).status == 401 and gateway.get("/nothing").status == 404
    wait_for(lambda: requests(gateway, added, "401", "kong") == 1, "a refused request")
    names = {name for name, _ in samples(gateway)}
    assert "kong_upstream_latency_ms_count" not in names, "no upstream was asked"
    assert "kong_kong_latency_ms_count" in names
    assert not [labels for name, labels in samples(gateway) if dict(labels).get("code") == "404"], "no route, no count"


def test_consumers_apart(metered):
    gateway, added = metered(per_consumer=True, status_code_metrics=True)
    gateway.admin.ok("POST", f"/routes/{added.route['id']}/plugins", {"name": "key-auth"})
    name = 'quo"te\\' + new_tag()
    consumer = gateway.admin.ok("POST", "/consumers", {"username": name})
    gateway.admin.ok("POST", f"/consumers/{consumer['id']}/key-auth", {"key": "k"})
    assert gateway.get(added.path, headers=[("apikey", "k")]).status == 200
    wait_for(lambda: requests(gateway, added, "200", consumer=name) == 1, "the consumer's request")
    assert not [n for n, _ in samples(gateway) if n.startswith(LATENCIES) or n == "kong_bandwidth_bytes"], "not asked for"


def test_not_shown_while_it_is_off(metered):
    gateway, added = metered(**ALL)
    gateway.get(added.path)
    wait_for(lambda: requests(gateway, added, "200") == 1, "a request")
    plugin = gateway.admin.get("/plugins")["data"][0]["id"]
    gateway.admin.ok("PATCH", f"/plugins/{plugin}", {"enabled": False})
    gateway.get(added.path)
    assert requests(gateway, added, "200") == 0
    gateway.admin.ok("PATCH", f"/plugins/{plugin}", {"enabled": True})
    assert requests(gateway, added, "200") == 1


def test_goes_on_after_workers_and_reloads(metered):
    gateway, added = metered(**ALL)
    gateway.allow_alarm(r"exited on signal 9")
    for round in range(1, 4):
        assert gateway.get(added.path).status == 200
        wait_for(lambda: requests(gateway, added, "200") == round, "each request once")
        old = set(gateway.workers())
        if round == 1:
            for pid in old:
                gateway.kill(pid, signal.SIGKILL)
        else:
            assert gateway.run("reload").returncode == 0
        wait_for(lambda: len(gateway.workers()) == 2 and not old & set(gateway.workers()), "new workers")
    assert requests(gateway, added, "200") == 3
