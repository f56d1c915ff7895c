"""TLS towards upstreams: who the gateway is, whom it believes, and that neither mixes with another service's."""

import grpc
import pytest

from harness.certs import Authority
from harness.client import fetch, new_tag
from harness.protocols import GrpcEcho
from harness.upstream import Upstream, server_tls


def pem(pair):
    return {"cert": pair[0].read_text(), "key": pair[1].read_text()}


@pytest.fixture(scope="module")
def clients(scratch):
    """The authority of the gateway's client certificates."""
    return Authority(scratch / "clients", "Client Authority")


@pytest.fixture(scope="module")
def private(scratch):
    """An authority that the gateway does not know by its settings."""
    return Authority(scratch / "private", "Private Authority")


@pytest.fixture(scope="module")
def strict(thread, authority, clients):
    """It wants a certificate from every client."""
    server = Upstream(thread, server_tls(*authority.issue("localhost", "127.0.0.1"), clients=clients.certificate), "strict").open()
    yield server
    server.close()


@pytest.fixture(scope="module")
def hidden(thread, private):
    server = Upstream(thread, server_tls(*private.issue("localhost", "127.0.0.1", "one.test")), "hidden").open()
    yield server
    server.close()


@pytest.fixture
def entities(gateway):
    """entities("/certificates", {...}), undone at the end, the last one first."""
    made = []

    def make(path, body):
        made.append((path, gateway.admin.ok("POST", path, body)))
        return made[-1][1]

    yield make
    for path, entity in reversed(made):
        gateway.admin.ok("DELETE", f"{path}/{entity['id']}")


def https(server, host="localhost", **fields):
    return {"protocol": "https", "host": host, "port": server.port, **fields}


def test_a_client_certificate(gateway, entities, add, strict, clients):
    one = entities("/certificates", pem(clients.issue("gateway-one")))
    two = entities("/certificates", pem(clients.issue("gateway-two")))
    routes = {"gateway-one": add(service=https(strict, client_certificate={"id": one["id"]})),
              "gateway-two": add(service=https(strict, client_certificate={"id": two["id"]}))}
    nobody = add(service=https(strict))
    for _ in range(6):  # a connection of one service must not serve another
        for name, route in routes.items():
            assert gateway.get(route.path).json()["client_certificate"] == name
        assert gateway.get(nobody.path).status in (400, 502)
    gateway.admin.ok("PATCH", f"/certificates/{one['id']}", pem(clients.issue("gateway-new")))
    for _ in range(6):  # nor one that was opened with what the entity held before
        assert gateway.get(routes["gateway-one"].path).json()["client_certificate"] == "gateway-new"
    for route in (*routes.values(), nobody):
        route.remove()


def test_an_upstreams_client_certificate(gateway, entities, add, strict, clients):
    one = entities("/certificates", pem(clients.issue("gateway-one")))
    two = entities("/certificates", pem(clients.issue("gateway-two")))
    upstream = entities("/upstreams", {"name": "localhost", "client_certificate": {"id": one["id"]}})
    entities(f"/upstreams/{upstream['id']}/targets", {"target": f"localhost:{strict.port}"})
    fallback = add(service=https(strict))
    first = add(service=https(strict, client_certificate={"id": two["id"]}))
    assert gateway.get(fallback.path).json()["client_certificate"] == "gateway-one"
    assert gateway.get(first.path).json()["client_certificate"] == "gateway-two"
    for route in (fallback, first):
        route.remove()


def test_a_services_own_authorities(gateway, entities, add, tls_upstream, hidden, private, authority):
    known = entities("/ca_certificates", {"cert": private.certificate.read_text()})
    other = entities("/ca_certificates", {"cert": authority.certificate.read_text()})
    own = {"tls_verify": True, "ca_certificates": [known["id"]]}
    cases = [(https(hidden, **own), 200), (https(hidden, tls_verify=True), 502),
             (https(hidden, tls_verify=True, ca_certificates=[other["id"]]), 502),
             (https(hidden, tls_verify=False, ca_certificates=[other["id"]]), 200),
             (https(tls_upstream, **own), 502), (https(tls_upstream, tls_verify=True), 200),
             (https(hidden, tls_verify=True, ca_certificates=[other["id"], known["id"]]), 200)]
    routes = [(add(service=service), status) for service, status in cases]
    for _ in range(4):
        assert [gateway.get(route.path).status for route, _ in routes] == [status for _, status in cases]
    for route, _ in routes:
        route.remove()


def test_a_trust_that_is_taken_back(gateway, entities, add, hidden, private, foreign_authority):
    authority = entities("/ca_certificates", {"cert": private.certificate.read_text()})
    route = add(service=https(hidden, tls_verify=True, ca_certificates=[authority["id"]]))
    assert all(gateway.get(route.path).status == 200 for _ in range(6))
    gateway.admin.ok("PATCH", f"/ca_certificates/{authority['id']}", {"cert": foreign_authority.certificate.read_text()})
    assert all(gateway.get(route.path).status == 502 for _ in range(6))
    route.remove()


def test_the_depth_of_a_chain(gateway, entities, add, thread, scratch, authority, private):
    deep = Authority(scratch / "deep", "Deep", parent=Authority(scratch / "middle-up", "Middle", parent=private))
    leaf, key = deep.issue("localhost", "127.0.0.1")
    together = scratch / "deep.pem"
    together.write_text(leaf.read_text() + deep.certificate.read_text() + (scratch / "middle-up/ca.crt").read_text())
    server = Upstream(thread, server_tls(together, key), "deep").open()
    root = entities("/ca_certificates", {"cert": private.certificate.read_text()})
    verify = {"tls_verify": True, "ca_certificates": [root["id"]]}
    try:
        for depth, status in ((0, 502), (1, 502), (2, 200), (3, 200)):
            route = add(service=https(server, tls_verify_depth=depth, **verify))
            assert gateway.get(route.path).status == status, depth
            route.remove()
    finally:
        server.close()


def test_a_failed_verification_is_a_try_and_is_named(gateway, add, untrusted_upstream, endpoint):
    tag, accepted = new_tag(), len(untrusted_upstream.seen)
    route = add(service=https(untrusted_upstream, tls_verify=True, retries=2), log_to=endpoint.url)
    before = gateway.log()
    refused = gateway.get(f"{route.path}/x?rid={tag}")
    assert refused.status == 502
    assert refused.json()["message"] == "An invalid response was received from the upstream server"
    lines = [line for line in gateway.log()[len(before):].splitlines() if "certificate verify error" in line]
    assert len(lines) == 3, lines  # as many as tries
    assert all("unable to verify the first certificate" in line and str(untrusted_upstream.port) in line for line in lines), lines
    assert endpoint.wait(tag)["response"]["status_code"] == 502
    assert len(untrusted_upstream.seen) == accepted  # it saw no request


def test_the_name_that_a_client_chooses(gateway, add, tls_upstream):
    """With preserve_host the client's Host is the name for TLS, and connections go by it."""
    route = add(service=https(tls_upstream, tls_verify=True), route={"preserve_host": True})
    for _ in range(6):
        for name, status in (("one.test", 200), ("two.test", 200), ("wrong.test", 502), ("localhost", 200)):
            answer = fetch(gateway.proxy, "GET", route.path, [("Host", f"{name}:1234")])
            assert answer.status == status, name
            if status == 200:
                assert answer.json()["sni"] == name


@pytest.fixture
def grpc_upstream(authority, clients):
    certificate, key = authority.issue("localhost", "127.0.0.1")
    credentials = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())],
                                              clients.certificate.read_bytes(), require_client_auth=True)
    server = GrpcEcho(credentials)
    yield server
    server.close()


def test_grpc_over_tls_both_ways(gateway, entities, add, grpc_upstream, authority, clients):
    certificate = entities("/certificates", pem(clients.issue("gateway-one")))
    # As in Kong a service has a client certificate with https alone; its upstream has one with grpcs too.
    upstream = entities("/upstreams", {"name": "localhost", "client_certificate": {"id": certificate["id"]}})
    entities(f"/upstreams/{upstream['id']}/targets", {"target": f"localhost:{grpc_upstream.port}"})
    route = add(None, "/echo.Echo", service={"protocol": "grpcs", "host": "localhost", "port": grpc_upstream.port},
                route={"protocols": ["grpc", "grpcs"], "strip_path": False})
    credentials = grpc.ssl_channel_credentials(authority.certificate.read_bytes())
    with grpc.secure_channel(f"localhost:{gateway.tls}", credentials) as channel:
        assert channel.unary_unary("/echo.Echo/Say")(b"abc" * 1000, timeout=10) == b"ABC" * 1000
        assert list(channel.stream_stream("/echo.Echo/Stream")(iter([b"a", b"b"]), timeout=10)) == [b"a!", b"b!"]
        gateway.admin.ok("PATCH", f"/upstreams/{upstream['id']}", {"client_certificate": None})
        with pytest.raises(grpc.RpcError) as error:
            channel.unary_unary("/echo.Echo/Say")(b"abc", timeout=10)
        assert error.value.code() == grpc.StatusCode.INTERNAL  # what 502 is for gRPC
    route.remove()


def test_the_gateways_own_certificate_and_defaults(make_gateway, authority, foreign_authority, strict, tls_upstream,
                                                   untrusted_upstream, clients):
    certificate, key = clients.issue("gateway-own")
    gateway = make_gateway(workers=1, settings={
        "client_ssl": "on", "client_ssl_cert": str(certificate), "client_ssl_cert_key": str(key),
        "lua_ssl_trusted_certificate": f"system,{authority.certificate}", "nginx_proxy_proxy_ssl_verify": "on"})
    other = gateway.admin.ok("POST", "/certificates", pem(clients.issue("gateway-one")))
    assert gateway.get(gateway.add(service=https(strict)).path).json()["client_certificate"] == "gateway-own"
    special = gateway.add(service=https(strict, client_certificate={"id": other["id"]}))
    assert gateway.get(special.path).json()["client_certificate"] == "gateway-one"
    assert gateway.get(gateway.add(service=https(tls_upstream)).path).status == 200
    assert gateway.get(gateway.add(service=https(untrusted_upstream)).path).status == 502  # nginx's default is verify
    assert gateway.get(gateway.add(service=https(untrusted_upstream, tls_verify=False)).path).status == 200


def test_the_targets_of_an_upstream_go_by_their_own_names(gateway, entities, add, tls_upstream):
    """Each is asked for its own certificate, and connections to the one never serve the other."""
    pool = entities("/upstreams", {"name": "pool.of.names"})
    for name in ("one.test", "two.test"):
        entities(f"/upstreams/{pool['id']}/targets", {"target": f"{name}:{tls_upstream.port}"})
    route = add(service={"protocol": "https", "host": "pool.of.names", "tls_verify": True})
    answers = [gateway.get(route.path) for _ in range(24)]
    assert [answer.status for answer in answers] == [200] * 24
    hosts = {(answer.json()["sni"], dict((n.lower(), v) for n, v in answer.json()["headers"])["host"].split(":")[0])
             for answer in answers}
    assert hosts == {("one.test", "one.test"), ("two.test", "two.test")}
    route.remove()
