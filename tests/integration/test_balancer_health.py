"""Passive and active health checks: what takes a target out, what brings it back, and who knows of it."""

import pytest

from harness.basics import refusing_port, wait_for
from harness.client import new_tag


@pytest.fixture(scope="module")
def own_gateway(gibbon_binary, authority, hosts_file):
    from harness.gateway import Gateway
    gateway = Gateway(workers=2, settings={"lua_ssl_trusted_certificate": str(authority.certificate),
                                           "dns_hostsfile": str(hosts_file)})
    try:
        yield gateway.start()
    finally:
        gateway.close()


@pytest.fixture
def gateway(own_gateway):
    own_gateway.new_alarms()
    yield own_gateway
    assert not (new := own_gateway.new_alarms()), new


@pytest.fixture
def add_upstream(gateway):
    made = []

    def make(*arguments, **options):
        made.append(gateway.add_upstream(*arguments, **options))
        return made[-1]

    yield make
    for added in made:
        added.remove()


def at(server):
    return f"127.0.0.1:{server.port}"


def passive(**unhealthy):
    return {"passive": {"healthy": {"successes": unhealthy.pop("successes", 0)}, "unhealthy": unhealthy}}


def active(type="http", interval=0.2, path="/probe", **more):
    return {"active": {
        "type": type, "http_path": path, "timeout": more.pop("timeout", 1),
        "healthy": {"interval": interval, "successes": more.pop("successes", 1)},
        "unhealthy": {"interval": interval, "tcp_failures": more.pop("failures", 1), "timeouts": more.pop("timeouts", 1),
                      "http_failures": more.pop("http_failures", 1)}, **more}}


def every_worker(gateway, path, requests=24):
    """The servers that answer now, over connections of their own: both workers are asked."""
    seen = set()
    for _ in range(requests):
        answer = gateway.get(path)
        seen.add(answer.json()["server"] if answer.status == 200 else answer.status)
    return seen


def wait_health(gateway, up, target, health):
    wait_for(lambda: gateway.target_health(up.upstream["name"]).get(target) == health,
             lambda: f"{target} to be {health}: {gateway.target_health(up.upstream['name'])}")


def test_without_checks_nothing_is_out(gateway, add_upstream, servers):
    (a,) = servers(1)
    up = add_upstream([at(a)])
    for _ in range(10):
        assert gateway.get(f"{up.path}/status/500").status == 500
    assert gateway.target_health(up.upstream["name"]) == {at(a): "HEALTHCHECKS_OFF"}
    refused = gateway.admin.call("PUT", f"/upstreams/{up.upstream['name']}/targets/{at(a)}/unhealthy")
    assert refused.status == 400 and refused.json()["message"] == f"no healthchecker found for {up.upstream['name']}"


def test_bad_answers_take_a_target_out_in_all_workers(gateway, add_upstream, servers):
    a, b = servers(2)
    up = add_upstream([at(a), at(b)], algorithm="consistent-hashing", hash_on="query_arg", hash_on_query_arg="u",
                      healthchecks=passive(http_failures=3))
    assert every_worker(gateway, up.path) == {"a", "b"}
    user = next(i for i in range(99) if gateway.get(f"{up.path}?u={i}").json()["server"] == "a")
    with gateway.connect() as client:  # one worker sees all that is bad
        for _ in range(2):
            assert client.request("GET", f"{up.path}/status/500?u={user}").status == 500
        assert gateway.target_health(up.upstream["name"]) == {at(a): "HEALTHY", at(b): "HEALTHY"}
        assert client.request("GET", f"{up.path}/status/500?u={user}").status == 500
    wait_health(gateway, up, at(a), "UNHEALTHY")  # An answer is reported once it has left.
    assert gateway.target_health(up.upstream["name"])[at(b)] == "HEALTHY"
    assert every_worker(gateway, up.path) == {"b"}


def test_statuses_that_are_in_no_list_count_nothing(gateway, add_upstream, servers):
    (a,) = servers(1)
    up = add_upstream([at(a)], healthchecks=passive(http_failures=1))
    for _ in range(3):
        assert gateway.get(f"{up.path}/status/404").status == 404
    assert gateway.target_health(up.upstream["name"]) == {at(a): "HEALTHY"}
    assert gateway.get(f"{up.path}/status/429").status == 429
    wait_health(gateway, up, at(a), "UNHEALTHY")
    answer = gateway.get(up.path)
    assert answer.status == 503 and answer.json()["message"] == "failure to get a peer from the ring-balancer"


def test_failed_connections_take_a_target_out(gateway, add_upstream, servers):
    (a,) = servers(1)
    holder, port = refusing_port()
    dead = f"127.0.0.1:{port}"
    up = add_upstream([at(a), dead], healthchecks=passive(tcp_failures=2))
    assert every_worker(gateway, up.path) == {"a"}  # Retries hide it from the client.
    wait_health(gateway, up, dead, "UNHEALTHY")
    assert gateway.target_health(up.upstream["name"])[at(a)] == "HEALTHY"
    holder.close()


def test_also_without_another_try(gateway, add_upstream, servers):
    (a,) = servers(1)
    holder, port = refusing_port()
    up = add_upstream([at(a), f"127.0.0.1:{port}"], healthchecks=passive(tcp_failures=1), service={"retries": 0})
    seen = every_worker(gateway, up.path)
    assert 502 in seen
    wait_health(gateway, up, f"127.0.0.1:{port}", "UNHEALTHY")
    assert every_worker(gateway, up.path) == {"a"}
    holder.close()


def test_timeouts_take_a_target_out(gateway, add_upstream, servers):
    (a,) = servers(1)
    up = add_upstream([at(a)], healthchecks=passive(timeouts=1), service={"read_timeout": 100, "retries": 0})
    tag = new_tag()
    assert gateway.get(f"{up.path}/stall/{tag}").status == 504
    wait_health(gateway, up, at(a), "UNHEALTHY")
    a.release(tag)


def test_an_operator_takes_targets_out_and_brings_them_back(gateway, add_upstream, servers):
    a, b = servers(2)
    up = add_upstream([at(a), at(b)], healthchecks=passive(http_failures=255))
    path = f"/upstreams/{up.upstream['name']}/targets/{at(a)}"
    gateway.admin.ok("PUT", f"{path}/unhealthy")
    assert every_worker(gateway, up.path) == {"b"}
    gateway.admin.ok("PUT", f"{path}/healthy")
    assert every_worker(gateway, up.path) == {"a", "b"}
    gateway.admin.ok("PUT", f"{path}/{at(a)}/unhealthy")
    assert every_worker(gateway, up.path) == {"b"}


def test_below_the_threshold_the_upstream_is_out(gateway, add_upstream, servers):
    a, b = servers(2)
    up = add_upstream([at(a), (at(b), 50)], healthchecks={**passive(http_failures=1), "threshold": 50})
    name = up.upstream["name"]
    gateway.admin.ok("PUT", f"/upstreams/{name}/targets/{at(b)}/unhealthy")
    assert every_worker(gateway, up.path) == {"a"}
    gateway.admin.ok("PUT", f"/upstreams/{name}/targets/{at(b)}/healthy")
    gateway.admin.ok("PUT", f"/upstreams/{name}/targets/{at(a)}/unhealthy")
    assert every_worker(gateway, up.path) == {503}
    shown = gateway.admin.get(f"/upstreams/{name}/health?balancer_health=1")["data"]
    assert shown["balancer_health"] == "UNHEALTHY" and shown["details"]["weight"]["available"] == 50


# Active checks.


def test_probes_take_a_target_out_and_bring_it_back(gateway, add_upstream, servers):
    a, b = servers(2)
    up = add_upstream([at(a), at(b)], healthchecks=active(successes=2, http_failures=2, headers={"X-Probe": ["1", "2"]}))
    wait_for(lambda: a.probes and b.probes, "probes of both")
    head = dict((k.lower(), v) for k, v in a.probes[0].headers)
    assert (a.probes[0].method, a.probes[0].version, head["host"]) == ("GET", "1.0", "127.0.0.1")
    assert [v for k, v in a.probes[0].headers if k.lower() == "x-probe"] == ["1", "2"]
    a.probe_status = 503
    wait_health(gateway, up, at(a), "UNHEALTHY")
    assert every_worker(gateway, up.path) == {"b"}
    a.probe_status = 200
    wait_health(gateway, up, at(a), "HEALTHY")
    assert every_worker(gateway, up.path) == {"a", "b"}


@pytest.mark.parametrize("type", ["http", "tcp", "grpc"])
def test_probes_notice_a_server_that_dies(gateway, add_upstream, servers, type):
    a, b = servers(2)
    up = add_upstream([at(a), at(b)], healthchecks=active(type=type))
    a.close()
    wait_health(gateway, up, at(a), "UNHEALTHY")
    assert every_worker(gateway, up.path) == {"b"}
    a.open()
    wait_health(gateway, up, at(a), "HEALTHY")
    assert every_worker(gateway, up.path) == {"a", "b"}


def test_probes_time_out(gateway, add_upstream, servers):
    (a,) = servers(1)
    tag = new_tag()
    up = add_upstream([at(a)], healthchecks=active(path=f"/stall/{tag}", timeout=0.2, timeouts=2))
    wait_health(gateway, up, at(a), "UNHEALTHY")
    a.release(tag)


def test_probes_over_tls_check_the_name(gateway, add_upstream, tls_upstream, untrusted_upstream):
    good, bad = f"one.test:{tls_upstream.port}", f"one.test:{untrusted_upstream.port}"
    for type in ("https", "grpcs"):
        checks = active(type=type, https_sni="one.test")
        trusted = add_upstream([good], healthchecks=checks, service={"protocol": "https"})
        untrusted = add_upstream([bad], healthchecks=checks, service={"protocol": "https"})
        wait_health(gateway, untrusted, bad, "UNHEALTHY")
        wait_health(gateway, trusted, good, "HEALTHY")
        checks["active"]["https_verify_certificate"] = False
        lenient = add_upstream([bad], healthchecks=checks, service={"protocol": "https"})
        before = untrusted_upstream.connections
        wait_for(lambda: untrusted_upstream.connections >= before + 3, "probes of the untrusted one")
        wait_health(gateway, lenient, bad, "HEALTHY")
        checks["active"].update(https_verify_certificate=True, https_sni="other.test")
        misnamed = add_upstream([good], healthchecks=checks, service={"protocol": "https"})
        wait_health(gateway, misnamed, good, "UNHEALTHY")


def test_one_worker_at_a_time_probes(gateway, add_upstream, servers):
    """Two workers that both probed would be twice as fast as the interval allows."""
    (a,) = servers(1)
    add_upstream([at(a)], healthchecks=active(interval=0.5))
    wait_for(lambda: len(a.probes) >= 4, "four probes")
    peers = {r.header("user-agent") for r in a.probes}
    assert peers == {None}
    import time
    started, before = time.monotonic(), len(a.probes)
    wait_for(lambda: len(a.probes) >= before + 4, "four more")
    assert (time.monotonic() - started) / 4 > 0.3  # the interval is the product's promise


def test_targets_that_are_removed_are_not_probed(gateway, add_upstream, servers):
    a, b = servers(2)
    up = add_upstream([at(a), at(b)], healthchecks=active())
    wait_for(lambda: a.probes and b.probes, "probes of both")
    gateway.admin.ok("DELETE", f"/upstreams/{up.upstream['name']}/targets/{at(a)}")
    seen = len(a.probes)
    before = len(b.probes)
    wait_for(lambda: len(b.probes) >= before + 5, "more probes of the other")
    assert len(a.probes) <= seen + 1  # one may have been under way


# What survives.


def test_health_survives_changes_reloads_and_killed_workers(make_gateway, servers):
    a, b, c = servers(3)
    gateway = make_gateway(workers=2)
    up = gateway.add_upstream([at(a), at(b)], healthchecks=passive(http_failures=255))
    name = up.upstream["name"]
    gateway.admin.ok("PUT", f"/upstreams/{name}/targets/{at(a)}/unhealthy")

    gateway.add_target(name, at(c))
    gateway.admin.ok("PATCH", f"/upstreams/{name}/targets/{at(a)}", {"weight": 500})
    assert every_worker(gateway, up.path) == {"b", "c"}

    old = set(gateway.workers())
    assert gateway.run("reload").returncode == 0
    wait_for(lambda: len(new := set(gateway.workers())) == 2 and not new & old, "new workers")
    assert every_worker(gateway, up.path) == {"b", "c"}

    for worker in gateway.workers():
        gateway.allow_alarm(rf"worker process {worker} exited on signal 9")
        gateway.kill(worker)
        wait_for(lambda w=worker: len(gateway.workers()) == 2 and w not in gateway.workers(), "another worker")
    wait_for(lambda: every_worker(gateway, up.path) == {"b", "c"}, "the workers to serve")
    assert gateway.target_health(name)[at(a)] == "UNHEALTHY"


def test_probes_go_on_without_the_worker_that_made_them_and_without_the_agent(make_gateway, servers):
    (a,) = servers(1)
    gateway = make_gateway(workers=2)
    up = gateway.add_upstream([at(a)], healthchecks=active())
    wait_for(lambda: a.probes, "a probe")
    gateway.allow_alarm("exited on signal 9")
    for worker in gateway.workers():
        gateway.kill(worker)
        wait_for(lambda w=worker: len(gateway.workers()) == 2 and w not in gateway.workers(), "another worker")
        before = len(a.probes)
        wait_for(lambda: len(a.probes) > before + 1, "probes from somebody else")
    agent = gateway.pid("agent")
    gateway.kill(agent)
    before = len(a.probes)
    a.probe_status = 500
    wait_for(lambda: gateway.get(up.path).status == 503, "the target to be out, agent or not")
    a.probe_status = 200
    wait_for(lambda: gateway.get(up.path).status == 200, "the target to be back")
    assert len(a.probes) > before
    wait_for(lambda: gateway.pid("agent") not in (None, agent), "the next agent")
