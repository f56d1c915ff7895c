"""TLS towards upstreams: who is believed, and that identities never mix."""

import threading

from harness.client import new_tag


def https(server, host="localhost", **fields):
    return {"protocol": "https", "host": host, "port": server.port, **fields}


def test_an_upstream_over_tls(gateway, add, tls_upstream):
    route = add(service=https(tls_upstream, path="/base"))
    seen = gateway.get(route.path + "/x").json()
    assert seen["tls"] and seen["sni"] == "localhost" and seen["uri"] == "/base/x"


def test_verification_is_the_services_choice(gateway, add, tls_upstream, untrusted_upstream):
    trusted = add(service=https(tls_upstream, tls_verify=True))
    careless = add(service=https(untrusted_upstream, tls_verify=False))
    strict = add(service=https(untrusted_upstream, tls_verify=True))
    assert gateway.get(trusted.path).status == 200
    for _ in range(4):  # a connection that the careless service left open must not serve the strict one
        assert gateway.get(careless.path).status == 200
        refused = gateway.get(strict.path)
        assert refused.status == 502, refused
        assert refused.json()["message"] == "An invalid response was received from the upstream server"


def test_a_certificate_for_another_name_is_refused(gateway, add, tls_upstream):
    # one.test's certificate is served for that name alone; 'plain.test' gets the one of localhost.
    assert gateway.get(add(service=https(tls_upstream, "one.test", tls_verify=True)).path).status == 200
    assert gateway.get(add(service=https(tls_upstream, "plain.test", tls_verify=True)).path).status == 502


def test_two_identities_on_one_address_never_share_a_connection(gateway, add, tls_upstream):
    routes = {name: add(service=https(tls_upstream, name, tls_verify=True)) for name in ("one.test", "two.test")}
    wrong, connections = [], {name: set() for name in routes}

    def ask(name):
        with gateway.connect() as client:
            for _ in range(30):
                answer = client.request("GET", routes[name].path)
                if answer.status != 200 or answer.json()["sni"] != name:
                    wrong.append((name, answer))
                else:
                    connections[name].add(answer.json()["connection"])

    threads = [threading.Thread(target=ask, args=(name,)) for name in list(routes) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[:3]
    assert not connections["one.test"] & connections["two.test"]
    assert sum(map(len, connections.values())) < 8 * 30 / 2  # and still they are kept and used again


def test_http_and_https_on_one_address_stay_apart(gateway, add, tls_upstream):
    secure, plain = add(service=https(tls_upstream)), add(f"http://localhost:{tls_upstream.port}")
    for _ in range(4):
        assert gateway.get(secure.path).status == 200
        assert gateway.get(plain.path).status == 502


def test_bodies_over_tls_are_captured(gateway, add, tls_upstream, endpoint):
    route, tag = add(service=https(tls_upstream), log_to=endpoint.url), new_tag()
    assert len(gateway.get(f"{route.path}/bytes/300000?rid={tag}").body) == 300000
    response = endpoint.wait(tag)["response"]
    assert response["body_size"] == 300000 and response["body_truncated"] is True
