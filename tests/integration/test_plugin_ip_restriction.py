"""ip-restriction: who may come in, by the address."""

import pytest

from test_consumers import admin, guarded, message  # noqa: F401: fixtures among them


@pytest.mark.parametrize("config, status", [
    ({"allow": ["127.0.0.1"]}, 200),
    ({"allow": ["127.0.0.0/8"]}, 200),
    ({"allow": ["127.0.0.0/31"]}, 200),
    ({"allow": ["127.0.0.2/31"]}, 403),
    ({"allow": ["0.0.0.0/0"]}, 200),
    ({"allow": ["10.0.0.0/8", "127.0.0.1/32"]}, 200),
    ({"allow": ["10.0.0.0/8"]}, 403),
    ({"allow": ["::/0"]}, 403),
    ({"allow": ["::1"]}, 403),
    ({"deny": ["127.0.0.1"]}, 403),
    ({"deny": ["127.0.0.2"]}, 200),
    ({"deny": ["126.0.0.0/7"]}, 403),
    ({"deny": ["::/0"]}, 200),
    ({"allow": ["127.0.0.0/8"], "deny": ["127.0.0.1"]}, 403),
    ({"allow": ["127.0.0.1"], "deny": ["127.0.0.2"]}, 200),
    ({"allow": [], "deny": ["10.0.0.1"]}, 200),
])
def test_addresses(gateway, guarded, config, status):
    answer = gateway.get(guarded({"ip-restriction": config}).path)
    assert answer.status == status
    if status == 403:
        assert message(answer) == "IP address not allowed: 127.0.0.1"


def test_a_status_and_a_message_of_ones_own(gateway, guarded):
    answer = gateway.get(guarded({"ip-restriction": {"deny": ["127.0.0.1"], "status": 418, "message": "not you"}}).path)
    assert answer.status == 418 and message(answer) == "not you"


@pytest.mark.parametrize("address, status", [
    ("2001:db8::7", 200), ("2001:db8:1::7", 200), ("2001:db9::7", 403), ("2001:db8::bad", 403), ("192.0.2.7", 403),
    ("203.0.113.7", 200), ("::ffff:203.0.113.7", 200), ("::ffff:203.0.113.8", 403), ("203.0.113.8", 403),
])
def test_addresses_that_a_trusted_proxy_names(make_gateway, upstream, address, status):
    gateway = make_gateway(workers=1, settings={"trusted_ips": "127.0.0.1", "real_ip_header": "X-Real-IP"})
    route = gateway.add(f"http://127.0.0.1:{upstream.port}")
    gateway.admin.ok("POST", f"/routes/{route.route['id']}/plugins", {"name": "ip-restriction", "config": {
        "allow": ["2001:db8::/32", "203.0.113.0/24"], "deny": ["2001:db8::bad", "203.0.113.8"]}})
    assert gateway.get(route.path, headers=[("X-Real-IP", address)]).status == status


@pytest.mark.parametrize("config, where", [
    ({}, "@entity"), ({"allow": ["nonsense"]}, "config"), ({"deny": ["10.0.0.0/33"]}, "config"),
    ({"deny": ["1.2.3.4"], "status": "x"}, "config"),
])
def test_refused_configurations(admin, echo, config, where):
    answer = admin.call("POST", f"/routes/{echo.route['id']}/plugins", {"name": "ip-restriction", "config": config})
    assert answer.status == 400 and where in answer.json()["fields"]
