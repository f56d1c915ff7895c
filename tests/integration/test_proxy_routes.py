"""Which route serves a request, where tests/cases/router.json is silent: ports, TLS, SNIs, protocols, odd patterns."""

import pytest

from harness.client import Client, fetch, new_tag


class Table:
    """Routes that all lead to the upstream, each under a path that is its name."""

    def __init__(self, gateway, add, upstream):
        self.gateway, self._add, self._port = gateway, add, upstream.port

    def add(self, name, service=None, **route):
        service = {"url": f"http://127.0.0.1:{self._port}/{name}", **(service or {})}
        return self._add(None, service=service, route={"paths": None, **route})

    def ask(self, target="/", host=None, headers=(), method="GET"):
        """The name of the route that served the request; None for a 404."""
        return self._name(fetch(self.gateway.proxy, method, target, [*([("Host", host)] if host else []), *headers]))

    def ask_tls(self, name, target="/", host=None):
        with Client(self.gateway.tls, tls_name=name) as client:
            return self._name(client.request("GET", target, [("Host", host or name)]))

    @staticmethod
    def _name(answer):
        if answer.status == 404:
            assert answer.json()["message"] == "no Route matched with those values"
            return None
        assert answer.status == 200, answer
        return answer.json()["uri"].split("/")[1]


@pytest.fixture
def table(gateway, add, upstream):
    return Table(gateway, add, upstream)


def test_hosts_and_ports(table):
    table.add("plain", hosts=["ports.test"])
    table.add("port", hosts=["ports.test:123"])
    table.add("wild", hosts=["*.ports.test"])
    table.add("wildport", hosts=["*.ports.test:80"])
    assert table.ask(host="ports.test") == table.ask(host="PORTS.test:9") == "plain"
    assert table.ask(host="ports.test:123") == "port"
    assert table.ask(host="a.b.ports.test:81") == "wild"
    assert table.ask(host="a.ports.test") == table.ask(host="a.ports.test:80") == "wildport"  # http's own port
    assert table.ask(host=".ports.test") is None and table.ask(host="xports.test") is None


def test_a_target_that_names_its_host(table, gateway):
    table.add("absolute", hosts=["absolute.test"])
    assert table.ask("http://absolute.test/x", host="other.test") == "absolute"
    assert table.ask("http://ABSOLUTE.test:81/x", host="other.test") == "absolute"
    assert table.ask("/x", host="absolute.test.") == "absolute"


def test_ipv6_hosts(table):
    table.add("six", hosts=["[::99]"])
    table.add("sixport", hosts=["[::99]:321"])
    assert table.ask(host="[::99]") == table.ask(host="[::99]:5") == "six"
    assert table.ask(host="[::99]:321") == "sixport"


def test_snis(table):
    both = ["http", "https"]
    table.add("sni", hosts=["sni.test"], snis=["a.sni.test", "dot.sni.test."], protocols=both)
    table.add("host", hosts=["sni.test"], protocols=both)
    table.add("lonely", hosts=["lonely.test"], snis=["a.sni.test"], protocols=both)
    assert table.ask_tls("a.sni.test", host="sni.test") == table.ask_tls("dot.sni.test", host="sni.test") == "sni"
    assert table.ask_tls("A.SNI.test", host="sni.test") == "sni"
    assert table.ask_tls("b.sni.test", host="sni.test") == "host"
    assert table.ask(host="sni.test") == "host"  # without TLS a SNI shadows nobody
    assert table.ask(host="lonely.test") == "lonely"
    assert table.ask_tls("b.sni.test", host="lonely.test") is None


def test_protocols(table):
    table.add("onlyhttp", hosts=["proto.test"], protocols=["http"])
    assert table.ask(host="proto.test") == "onlyhttp"
    assert table.ask_tls("proto.test") == "onlyhttp"  # as Kong: http alone refuses nobody


def test_headers(table):
    table.add("exact", hosts=["headers.test"], headers={"X-Kind": ["One", "two"]})
    table.add("regex", hosts=["headers.test"], headers={"x-agent": ["~*(bot|crawl)er?$"]})
    table.add("two", hosts=["headers.test"], headers={"x-kind": ["one"], "x-agent": ["z"]})
    assert table.ask(host="headers.test", headers=[("x-kind", "ONE")]) == "exact"
    assert table.ask(host="headers.test", headers=[("X-Kind", "three"), ("X-Kind", "Two")]) == "exact"
    assert table.ask(host="headers.test", headers=[("x-agent", "Some CRAWLER")]) == "regex"
    assert table.ask(host="headers.test", headers=[("x-agent", "crawler 2")]) is None
    assert table.ask(host="headers.test", headers=[("x-kind", "one"), ("x-agent", "Z")]) == "two"


def test_methods(table):
    table.add("purge", hosts=["methods.test"], methods=["PURGE"])
    table.add("any", hosts=["methods.test"])
    assert table.ask(host="methods.test", method="PURGE") == "purge"
    assert table.ask(host="methods.test", method="OPTIONS") == "any"


def test_regex_priorities(table):
    host = {"hosts": ["regex.test"]}
    table.add("low", paths=["~/a/.*"], regex_priority=1, **host)
    table.add("high", paths=["~/a/b.*"], regex_priority=5, **host)
    table.add("long", paths=["/a/b/c/d/e/f"], **host)
    assert table.ask("/a/x", "regex.test") == "low"
    assert table.ask("/a/b/c/d/e/f", "regex.test") == "high"  # a regex goes before every prefix


def test_paths_are_normalised(table):
    table.add("norm", hosts=["norm.test"], paths=["/a-b/c"], strip_path=False)
    for target in ("/a-b/c", "/%61%2db/c", "//a-b///c", "/x/../a-b/./c", "/a-b/c/../c/d"):
        assert table.ask(target, "norm.test") == "norm", target
    assert table.ask("/a-b%2Fc", "norm.test") is None and table.ask("/A-b/c", "norm.test") is None


def test_a_catastrophic_pattern_matches_nothing(table):
    """It would take 2^40 steps: without a limit this request would not end."""
    table.add("evil", hosts=["evil.test"], paths=["~/(a+)+$"])
    assert table.ask("/" + "a" * 20, "evil.test") == "evil"
    assert table.ask("/" + "a" * 40 + "!", "evil.test") is None


def test_a_disabled_service_is_not_there(table, gateway):
    table.add("fallback", hosts=["off.test"])
    route = table.add("off", hosts=["off.test"], paths=["/off"])
    assert table.ask("/off", "off.test") == "off"
    gateway.admin.ok("PATCH", f"/services/{route.service['id']}", {"enabled": False})
    assert table.ask("/off", "off.test") == "fallback"
    gateway.admin.ok("PATCH", f"/services/{route.service['id']}", {"enabled": True})
    assert table.ask("/off", "off.test") == "off"


def test_plugins_run_on_routes_without_a_service(gateway, endpoint):
    route = gateway.admin.ok("POST", "/routes", {"paths": ["/alone"], "name": "alone"})
    try:
        gateway.admin.ok("POST", "/routes/alone/plugins", {"name": "request-response-logger", "config": {"log_endpoint": endpoint.url}})
        tag = new_tag()
        assert fetch(gateway.proxy, "POST", f"/alone?rid={tag}", body=b"kept").status == 503
        entry = endpoint.wait(tag)
        assert entry["request"]["body"] == "kept" and entry["response"]["status_code"] == 503
        assert "no Service found with those values" in entry["response"]["body"]
    finally:
        gateway.admin.ok("DELETE", f"/routes/{route['id']}")
