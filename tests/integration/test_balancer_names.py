"""Names behind targets and services: A, AAAA and SRV records, their TTLs, and name servers that are down."""

import collections

import pytest

from harness.basics import wait_for
from test_proxy_basics import seen_headers


@pytest.fixture
def names(make_names):
    return make_names({})


@pytest.fixture
def gateway(make_gateway, names):
    """One worker: each has its own answers."""
    return make_gateway(workers=1, settings={"dns_resolver": f"127.0.0.1:{names.port}", "dns_not_found_ttl": 1,
                                             "nginx_http_resolver_timeout": "1s"})


def answering(gateway, path, requests=8):
    """How often which server answered."""
    seen = collections.Counter()
    for _ in range(requests):
        answer = gateway.get(path)
        seen[answer.json()["server"] if answer.status == 200 else answer.status] += 1
    return seen


@pytest.fixture
def pair(servers):
    """Two servers of the same port at 127.0.0.1 and 127.0.0.2."""
    (a,) = servers(1)
    (b,) = servers(1, host="127.0.0.2", port=a.port)
    return a, b


@pytest.fixture(params=["upstream", "service"])
def reach(request, gateway):
    """A route to "host:port": through an upstream with that target, or straight from the service."""
    def make(host, port):
        if request.param == "upstream":
            return gateway.add_upstream([f"{host}:{port}"])
        return gateway.add(f"http://{host}:{port}")
    return make


def test_every_address_of_a_name_is_used(reach, gateway, names, pair):
    names.set("two.dns.test", [("A", "127.0.0.1"), ("A", "127.0.0.2")], ttl=60)
    route = reach("two.dns.test", pair[0].port)
    assert set(answering(gateway, route.path)) == {"a", "b"}
    assert seen_headers(gateway.get(route.path), "host") == [f"two.dns.test:{pair[0].port}"]


def test_a_change_is_followed_when_its_time_is_over(reach, gateway, names, pair):
    names.set("moves.dns.test", [("A", "127.0.0.1")], ttl=1)
    route = reach("moves.dns.test", pair[0].port)
    assert set(answering(gateway, route.path)) == {"a"}
    names.set("moves.dns.test", [("A", "127.0.0.2")], ttl=1)
    wait_for(lambda: set(answering(gateway, route.path)) == {"b"}, "the new address")


def test_an_answer_serves_on_while_no_name_server_answers(reach, gateway, names, pair):
    names.set("stale.dns.test", [("A", "127.0.0.1")], ttl=1)
    route = reach("stale.dns.test", pair[0].port)
    assert set(answering(gateway, route.path)) == {"a"}
    names.silent = True
    asked = len(names.asked)
    # The worker asks again and hears nothing; the requests meanwhile are served at once.
    wait_for(lambda: set(answering(gateway, route.path)) == {"a"} and "its last addresses are used" in gateway.log(),
             "the worker to give up")
    assert len(names.asked) > asked
    assert set(answering(gateway, route.path)) == {"a"}
    names.set("stale.dns.test", [("A", "127.0.0.2")], ttl=1)
    names.silent = False
    wait_for(lambda: set(answering(gateway, route.path)) == {"b"}, "the new address")


def test_a_name_that_is_gone_is_gone_and_may_come_back(reach, gateway, names, pair):
    names.set("gone.dns.test", [("A", "127.0.0.1")], ttl=1)
    route = reach("gone.dns.test", pair[0].port)
    assert set(answering(gateway, route.path)) == {"a"}
    names.set("gone.dns.test", None)
    wait_for(lambda: set(answering(gateway, route.path)) == {503}, "the name to be gone")
    names.set("gone.dns.test", [("A", "127.0.0.1")], ttl=1)
    wait_for(lambda: set(answering(gateway, route.path)) == {"a"}, "the name to be back")


def test_requests_wait_for_the_first_answer_alone(reach, gateway, names, pair):
    names.set("slow.dns.test", [("A", "127.0.0.1")], ttl=60)
    route = reach("slow.dns.test", pair[0].port)
    assert set(answering(gateway, route.path, 30)) == {"a"}
    assert names.asked.count("slow.dns.test") == 2  # SRV and A, once


def test_service_records_bring_ports_and_weights(reach, gateway, names, servers):
    a, b, c = servers(3)
    names.set("_http._tcp.srv.dns.test", [("SRV", 1, 30, a.port, "one.dns.test"), ("SRV", 1, 10, b.port, "one.dns.test"),
                                          ("SRV", 2, 90, c.port, "one.dns.test")], ttl=60)
    names.set("one.dns.test", [("A", "127.0.0.1")], ttl=60)
    route = reach("_http._tcp.srv.dns.test", 8)  # the record's port counts
    with gateway.connect() as client:
        seen = collections.Counter(client.request("GET", route.path).json()["server"] for _ in range(40))
    assert abs(seen["a"] - 30) <= 1 and abs(seen["b"] - 10) <= 1 and seen["c"] == 0, seen


def test_the_name_of_a_service_record_may_be_the_host(gateway, names, servers):
    (a,) = servers(1)
    names.set("web.srv.dns.test", [("SRV", 1, 1, a.port, "node.dns.test")], ttl=60)
    names.set("node.dns.test", [("A", "127.0.0.1")], ttl=60)
    plain = gateway.add_upstream(["web.srv.dns.test:80"])
    assert seen_headers(gateway.get(plain.path), "host") == [f"web.srv.dns.test:{a.port}"]
    named = gateway.add_upstream(["web.srv.dns.test:80"], use_srv_name=True)
    assert seen_headers(gateway.get(named.path), "host") == [f"node.dns.test:{a.port}"]


def test_service_records_that_change(gateway, names, servers):
    a, b = servers(2)
    names.set("node.dns.test", [("A", "127.0.0.1")], ttl=1)
    names.set("web.srv.dns.test", [("SRV", 1, 1, a.port, "node.dns.test")], ttl=1)
    up = gateway.add_upstream(["web.srv.dns.test:80"])
    assert set(answering(gateway, up.path)) == {"a"}
    names.set("web.srv.dns.test", [("SRV", 1, 1, b.port, "node.dns.test")], ttl=1)
    wait_for(lambda: set(answering(gateway, up.path)) == {"b"}, "the new port")
    names.set("web.srv.dns.test", [("A", "127.0.0.1")], ttl=1)  # from now on an address, so the target's own port
    wait_for(lambda: set(answering(gateway, up.path)) == {502}, "the address record")


def test_the_admin_api_shows_what_stands_behind_names(gateway, names, pair):
    port = pair[0].port
    names.set("two.dns.test", [("A", "127.0.0.1"), ("A", "127.0.0.2")], ttl=1)
    names.set("web.srv.dns.test", [("SRV", 1, 7, port, "node.dns.test")], ttl=1)
    names.set("node.dns.test", [("A", "127.0.0.2")], ttl=1)
    up = gateway.add_upstream([f"two.dns.test:{port}", "web.srv.dns.test:80", "none.dns.test:80"],
                              healthchecks={"passive": {"unhealthy": {"tcp_failures": 9}}})
    name = up.upstream["name"]

    def shown():
        return {t["target"]: t for t in gateway.admin.get(f"/upstreams/{name}/health")["data"]}

    wait_for(lambda: shown()["none.dns.test:80"]["data"]["dns"] == "dns server error: 3 name error", shown)
    now = shown()
    assert now["none.dns.test:80"]["health"] == "DNS_ERROR"
    assert now[f"two.dns.test:{port}"]["data"]["dns"] == "A"
    assert sorted((a["ip"], a["port"], a["weight"], a["health"]) for a in now[f"two.dns.test:{port}"]["data"]["addresses"]) == [
        ("127.0.0.1", port, 100, "HEALTHY"), ("127.0.0.2", port, 100, "HEALTHY")]
    assert now["web.srv.dns.test:80"]["data"]["dns"] == "SRV"
    assert now["web.srv.dns.test:80"]["data"]["addresses"] == [
        {"ip": "127.0.0.2", "port": port, "weight": 7, "health": "HEALTHY"}]
    gateway.admin.ok("PUT", f"/upstreams/{name}/targets/two.dns.test:{port}/127.0.0.1:{port}/unhealthy")
    assert set(answering(gateway, up.path)) == {"b"}
    metrics = gateway.admin.metrics()
    assert metrics.samples[f'kong_upstream_target_health{{upstream="{name}",target="none.dns.test:80",address="",'
                           'state="dns_error",subsystem="http"}'] == 1
    names.set("none.dns.test", [("A", "127.0.0.1")], ttl=1)
    wait_for(lambda: shown()["none.dns.test:80"]["health"] == "HEALTHY", shown)


def test_a_request_waits_while_a_targets_name_is_looked_up(gateway, names, pair):
    """The upstream is made while the name server says nothing; it answers when it is asked again."""
    names.set("late.dns.test", [("A", "127.0.0.1")], ttl=60)
    names.silent = True
    up = gateway.add_upstream([f"late.dns.test:{pair[0].port}"])
    assert gateway.get(up.path).json()["message"] == "failure to get a peer from the ring-balancer"
    names.silent = False
    wait_for(lambda: set(answering(gateway, up.path)) == {"a"}, "the name")


def test_addresses_of_ipv6(make_gateway, names, servers):
    (a,) = servers(1, host="::1")
    names.set("six.dns.test", [("AAAA", "::1")], ttl=60)
    gateway = make_gateway(workers=1, settings={"dns_resolver": f"127.0.0.1:{names.port}", "dns_order": "AAAA,A"})
    up = gateway.add_upstream([f"six.dns.test:{a.port}"])
    assert gateway.get(up.path).json()["server"] == "a"
    wait_for(lambda: gateway.admin.get(f"/upstreams/{up.upstream['name']}/health")["data"][0]["data"]["dns"] == "AAAA", "AAAA")
    assert 33 not in names.kinds  # dns_order names no SRV
    literal = gateway.add_upstream([f"[::1]:{a.port}"])
    answer = gateway.get(literal.path)
    (target,) = gateway.admin.get(f"/upstreams/{literal.upstream['name']}/targets")["data"]
    assert answer.json()["server"] == "a" and seen_headers(answer, "host") == [target["target"]]
