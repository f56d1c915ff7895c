"""Which target a request goes to, and what it is told there."""

import collections
import re
import time

import grpc
import pytest

from harness.basics import refusing_port, wait_for
from harness.client import Client, new_tag
from test_proxy_basics import seen_headers


@pytest.fixture
def add_upstream(gateway):
    """gateway.add_upstream(...), undone at the end of the test."""
    made = []

    def make(*arguments, **options):
        made.append(gateway.add_upstream(*arguments, **options))
        return made[-1]

    yield make
    for added in made:
        added.remove()


def at(server):
    return f"127.0.0.1:{server.port}"


def names(gateway, path, count, headers=(), client=None):
    """How often which server answered."""
    seen = collections.Counter()
    with client or gateway.connect() as connection:
        for _ in range(count):
            answer = connection.request("GET", path, headers)
            assert answer.status == 200, answer
            seen[answer.json()["server"]] += 1
    return seen


def test_round_robin_follows_the_weights(gateway, add_upstream, servers):
    a, b, c, d = servers(4)
    up = add_upstream([(at(a), 50), (at(b), 100), (at(c), 250), (at(d), 0)])
    seen = names(gateway, up.path, 400)  # one connection: one worker
    assert abs(seen["a"] - 50) <= 1 and abs(seen["b"] - 100) <= 1 and abs(seen["c"] - 250) <= 1, seen
    assert seen["d"] == 0


def test_an_upstream_without_targets(gateway, add_upstream):
    answer = gateway.get(add_upstream().path)
    assert answer.status == 503
    assert answer.json()["message"] == "failure to get a peer from the ring-balancer"


def test_targets_come_and_go(gateway, add_upstream, servers):
    a, b = servers(2)
    up = add_upstream([at(a)])
    name = up.upstream["name"]
    assert names(gateway, up.path, 10) == {"a": 10}
    gateway.add_target(name, at(b))
    assert names(gateway, up.path, 10)["b"] in (4, 5, 6)
    gateway.admin.ok("PATCH", f"/upstreams/{name}/targets/{at(b)}", {"weight": 900})
    assert abs(names(gateway, up.path, 100)["b"] - 90) <= 1
    gateway.admin.ok("DELETE", f"/upstreams/{name}/targets/{at(a)}")
    assert names(gateway, up.path, 10) == {"b": 10}


def test_the_upstream_itself_may_come_later(gateway, add, servers):
    """A service's host becomes an upstream's name, and stops being one."""
    (a,) = servers(1)
    name = "later.upstream.test"
    route = add(None, service={"host": name, "protocol": "http"})
    assert gateway.get(route.path).json()["message"] == "name resolution failed"
    gateway.admin.ok("POST", "/upstreams", {"name": name})
    gateway.add_target(name, at(a))
    assert gateway.get(route.path).status == 200
    gateway.admin.ok("DELETE", f"/upstreams/{name}")
    assert gateway.get(route.path).json()["message"] == "name resolution failed"


# What the target is told.


def test_the_host_header(gateway, add_upstream, servers):
    (a,) = servers(1)
    by_name = add_upstream([f"one.test:{a.port}"])
    assert seen_headers(gateway.get(by_name.path), "host") == [f"one.test:{a.port}"]
    by_address = add_upstream([at(a)])
    assert seen_headers(gateway.get(by_address.path), "host") == [at(a)]
    set_host = add_upstream([at(a)], host_header="set.test")
    assert seen_headers(gateway.get(set_host.path), "host") == [f"set.test:{a.port}"]
    preserved = add_upstream([at(a)], host_header="set.test", route={"preserve_host": True})
    assert seen_headers(gateway.get(preserved.path, host="mine.test"), "host") == ["mine.test"]


def test_a_retry_tells_the_next_target_its_own_name(gateway, add_upstream, servers, refusing):
    (a,) = servers(1)
    up = add_upstream([(f"one.test:{refusing}", 1000), (f"two.test:{a.port}", 1)])
    for _ in range(5):
        answer = gateway.get(up.path, body=b"a body of its own", headers=[("X-Mine", "kept")])
        assert answer.status == 200, answer
        assert seen_headers(answer, "host") == [f"two.test:{a.port}"]
        assert seen_headers(answer, "x-mine") == ["kept"]
        assert answer.json()["body"] == "a body of its own"
        assert answer.json()["uri"] == "/"


def test_tls_targets_are_asked_and_checked_by_their_own_names(gateway, add_upstream, tls_upstream):
    port = tls_upstream.port
    service = {"protocol": "https", "tls_verify": True}
    for name in ("one.test", "two.test"):
        up = add_upstream([f"{name}:{port}"], service=service)
        for _ in range(3):
            assert gateway.get(up.path).json()["sni"] == name
    both = add_upstream([f"one.test:{port}", f"two.test:{port}"], service=service)
    with gateway.connect() as client:
        seen = {client.request("GET", both.path).json()["sni"] for _ in range(6)}
    assert seen == {"one.test", "two.test"}
    wrong = add_upstream([f"plain.test:{port}"], service=service)  # no certificate for that name
    assert gateway.get(wrong.path).status == 502
    named = add_upstream([f"plain.test:{port}"], host_header="one.test", service=service)
    assert gateway.get(named.path).json()["sni"] == "one.test"


# Retries.


@pytest.fixture
def refusing():
    holder, port = refusing_port()
    yield port
    holder.close()


def connections_to(gateway, port):
    return len(re.findall(rf"connect\(\) failed .* upstream: \"\w+://127\.0\.0\.1:{port}/", gateway.log()))


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_retries_are_counted_as_kong_counts_them(gateway, add_upstream, refusing, retries):
    up = add_upstream([f"127.0.0.1:{refusing}"], service={"retries": retries})
    before = connections_to(gateway, refusing)
    assert gateway.get(up.path).status == 502
    assert connections_to(gateway, refusing) - before == retries + 1


def test_a_target_that_failed_is_not_tried_again_while_others_remain(gateway, add_upstream, servers, refusing):
    (a,) = servers(1)
    for algorithm in ("round-robin", "least-connections", "latency", "consistent-hashing"):
        up = add_upstream([(f"127.0.0.1:{refusing}", 60000), (at(a), 1)], service={"retries": 1}, algorithm=algorithm,
                          hash_on="ip" if algorithm == "consistent-hashing" else "none")
        assert names(gateway, up.path, 20) == {"a": 20}


# Hashing.


def test_a_client_stays_with_its_target(gateway, add_upstream, servers):
    up = add_upstream([at(s) for s in servers(4)], algorithm="consistent-hashing", hash_on="header",
                      hash_on_header="X-User", hash_fallback="ip")
    chosen = {}
    for user in range(24):
        seen = names(gateway, up.path, 4, [("X-User", f"user {user}")])  # a connection each: either worker
        assert len(seen) == 1, seen
        chosen[user] = next(iter(seen))
    assert len(set(chosen.values())) > 1  # ports differ from run to run, and so do the shares
    assert len(names(gateway, up.path, 8)) == 1  # without the header, by the address


def hashed(add_upstream, servers, **fields):
    route = fields.pop("route", None)
    return add_upstream([at(s) for s in servers], algorithm="consistent-hashing", route=route, **fields)


def spread(gateway, requests):
    """The servers that each of `requests` ((target, headers)) goes to: one each, whatever the worker, not all the same."""
    chosen = []
    for target, headers in requests:
        seen = set()
        for _ in range(3):
            answer = gateway.get(target, headers=headers)
            assert answer.status == 200, answer
            seen.add(answer.json()["server"])
        assert len(seen) == 1, (target, seen)
        chosen.append(seen.pop())
    assert len(set(chosen)) > 1, chosen
    return chosen


def test_hashing_on_the_path(gateway, add_upstream, servers):
    up = hashed(add_upstream, servers(3), hash_on="path")
    first = spread(gateway, [(f"{up.path}/p{i}", ()) for i in range(12)])
    assert first == spread(gateway, [(f"{up.path}/p{i}?q=other", ()) for i in range(12)])


def test_hashing_on_a_query_argument(gateway, add_upstream, servers):
    up = hashed(add_upstream, servers(3), hash_on="query_arg", hash_on_query_arg="who", hash_fallback="header",
                hash_fallback_header="x-who")
    first = spread(gateway, [(f"{up.path}/x{i}?a=1&who=w%20{i}", ()) for i in range(12)])
    assert first == spread(gateway, [(f"{up.path}?who=w+{i}&b={i}", ()) for i in range(12)])
    assert first == spread(gateway, [(up.path, [("X-Who", f"w {i}")]) for i in range(12)])
    several = spread(gateway, [(f"{up.path}?who={i}&who=b", ()) for i in range(12)])
    assert several == spread(gateway, [(f"{up.path}?who=b&who={i}", ()) for i in range(12)])


def test_hashing_on_a_capture_of_the_path(gateway, add_upstream, servers):
    up = hashed(add_upstream, servers(3), hash_on="uri_capture", hash_on_uri_capture="user", hash_fallback="path",
                route={"paths": [r"~/captured/(?<user>\w+)/(?<rest>.*)"], "strip_path": False})
    first = spread(gateway, [(f"/captured/u{i}/x", ()) for i in range(12)])
    assert first == spread(gateway, [(f"/captured/u{i}/something/else", ()) for i in range(12)])


def test_hashing_on_the_consumer_falls_back(gateway, add_upstream, servers):
    """Nobody is authenticated here."""
    up = hashed(add_upstream, servers(3), hash_on="consumer", hash_fallback="header", hash_fallback_header="x-who")
    spread(gateway, [(up.path, [("X-Who", f"w{i}")]) for i in range(12)])


def test_hashing_on_the_address(gateway, add_upstream, servers):
    up = hashed(add_upstream, servers(3), hash_on="ip")
    assert len(names(gateway, up.path, 20)) == 1
    assert len({gateway.get(up.path).json()["server"] for _ in range(10)}) == 1


def test_a_missing_cookie_is_set_and_then_followed(gateway, add_upstream, servers):
    up = hashed(add_upstream, servers(3), hash_on="cookie", hash_on_cookie="sticky", hash_on_cookie_path="/here")
    seen = set()
    for _ in range(16):
        answer = gateway.get(up.path)
        (cookie,) = answer.all("set-cookie")
        value = re.fullmatch(r"sticky=([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})"
                             r"; Path=/here; Same-Site=Lax; HttpOnly", cookie)[1]
        server = answer.json()["server"]
        again = gateway.get(up.path, headers=[("Cookie", f"other=1; sticky={value}")])
        assert again.json()["server"] == server and again.header("set-cookie") is None
        seen.add(server)
    assert len(seen) > 1
    # The upstream's own cookies stay; one of that name is replaced.
    answer = gateway.get(f"{up.path}/set?Set-Cookie=a%3D1&Set-Cookie=sticky%3Dforeign")
    cookies = answer.all("set-cookie")
    assert len(cookies) == 2 and cookies[0] == "a=1" and "foreign" not in cookies[1]


def test_without_anything_to_hash_the_requests_are_spread(gateway, add_upstream, servers):
    up = hashed(add_upstream, servers(2), hash_on="header", hash_on_header="x-nobody-sends")
    assert names(gateway, up.path, 10) == {"a": 5, "b": 5}


def test_a_target_that_goes_takes_only_its_own_clients(gateway, add_upstream, servers):
    all_servers = servers(4)
    up = hashed(add_upstream, all_servers, hash_on="query_arg", hash_on_query_arg="u")
    where = lambda: [gateway.get(f"{up.path}?u={i}").json()["server"] for i in range(40)]  # noqa: E731
    before = where()
    gateway.admin.ok("DELETE", f"/upstreams/{up.upstream['name']}/targets/{at(all_servers[1])}")
    after = where()
    assert all(new == old for new, old in zip(after, before) if old != "b")
    assert "b" in before and "b" not in after
    gateway.add_target(up.upstream["name"], at(all_servers[1]))
    assert where() == before


# Load.


def hold(gateway, path, servers, tag):
    """A request that its server does not answer yet: its client, and the server."""
    client = Client(gateway.proxy)
    client.send(f"GET {path}/stall/{tag} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return client, wait_for(lambda: next((s for s in servers if any(tag in t for _, t in s.seen)), None), f"{tag} to arrive")


def test_least_connections(make_gateway, servers):
    gateway = make_gateway(workers=1)  # each counts its own
    a, b = servers(2)
    up = gateway.add_upstream([(at(a), 100), (at(b), 200)], algorithm="least-connections")
    held = {tag: hold(gateway, up.path, (a, b), tag) for tag in (new_tag() for _ in range(6))}
    assert collections.Counter(server.name for _, server in held.values()) == {"a": 2, "b": 4}
    of_a = [tag for tag, (_, server) in held.items() if server is a]
    for tag in of_a:
        a.release(tag)
        assert held[tag][0].answer().body == b"late"
    assert names(gateway, up.path, 4) == {"a": 4}  # the other one has four
    for tag, (client, server) in held.items():
        server.release(tag)
        client.close()


def test_latency_prefers_the_fast(make_gateway, servers):
    gateway = make_gateway(workers=1)
    a, b = servers(2)
    up = gateway.add_upstream([at(a), at(b)], algorithm="latency")
    tags = new_tag(), new_tag()
    (first, fast), (second, slow) = (hold(gateway, up.path, (a, b), tag) for tag in tags)
    assert fast is not slow  # neither has been measured
    fast.release(tags[0])
    assert first.answer().body == b"late"
    time.sleep(0.3)  # the other one's latency
    slow.release(tags[1])
    assert second.answer().body == b"late"
    wait_for(lambda: names(gateway, up.path, 20) == {fast.name: 20}, "the measures to count")


def test_grpc_goes_through_upstreams_too(gateway, grpc_echo):
    """The first target is dead; the second one is told its own name."""
    holder, refusing = refusing_port()
    up = gateway.add_upstream([(f"one.test:{refusing}", 1000), (f"two.test:{grpc_echo.port}", 1)], path="/echo.Echo/Say",
                              service={"protocol": "grpc"}, route={"protocols": ["grpc", "grpcs"], "strip_path": False})
    try:
        with grpc.insecure_channel(f"127.0.0.1:{gateway.h2c}") as channel:
            say = channel.unary_unary("/echo.Echo/Say")
            for _ in range(4):
                assert say(b"through an upstream", timeout=20) == b"THROUGH AN UPSTREAM"
    finally:
        up.remove()
        holder.close()
