"""The Admin API as its users know it from Kong."""

import re
import threading

import pytest

from harness.basics import wait_for
from harness.basics import wait_for
from harness.client import fetch, new_tag

SERVICE_DEFAULTS = {
    "path": None, "tls_verify": None, "tls_verify_depth": None, "protocol": "http", "port": 80, "tags": None,
    "ca_certificates": None, "client_certificate": None, "connect_timeout": 60000, "write_timeout": 60000,
    "enabled": True, "retries": 5, "read_timeout": 60000}
LOGGER_DEFAULTS = {"log_endpoint": "http://localhost:3000/logs", "timeout": 10000, "keepalive": 60000,
                   "log_request_body": True, "log_response_body": True, "max_body_size": 1024}
SENDERS = {"json": "json_body", "form": "form"}


@pytest.fixture
def admin(gateway):
    return gateway.admin


@pytest.fixture
def service(admin):
    made = admin.ok("POST", "/services", {"name": new_tag(), "host": "example.test"})
    yield made
    for plugin in admin.get(f"/services/{made['id']}/plugins")["data"]:
        admin.ok("DELETE", f"/plugins/{plugin['id']}")
    for route in admin.get(f"/services/{made['id']}/routes")["data"]:
        admin.ok("DELETE", f"/routes/{route['id']}")
    admin.ok("DELETE", f"/services/{made['id']}")


@pytest.mark.parametrize("how", SENDERS)
def test_the_life_of_a_service(admin, how):
    name = new_tag()
    send = lambda method, path, fields: admin.call(method, path, **{SENDERS[how]: fields})
    made = send("POST", "/services", {"name": name, "url": "http://example.test:8080/base"})
    assert made.status == 201 and made.header("content-type") == "application/json; charset=utf-8"
    service = made.json()
    assert {k: v for k, v in service.items() if k not in ("id", "created_at", "updated_at")} == {
        **SERVICE_DEFAULTS, "name": name, "host": "example.test", "port": 8080, "path": "/base"}
    assert re.match(r"^[0-9a-f-]{36}$", service["id"])
    assert admin.get(f"/services/{name}") == admin.get(f"/services/{service['id']}") == service
    assert service in admin.get("/services?size=1000")["data"]
    changed = send("PATCH", f"/services/{name}", {"retries": 3, "path": "/other"})
    assert changed.status == 200 and changed.json()["retries"] == 3 and changed.json()["path"] == "/other"
    replaced = send("PUT", f"/services/{name}", {"host": "other.test"})
    assert replaced.status == 200 and replaced.json()["retries"] == 5 and replaced.json()["id"] == service["id"]
    assert admin.call("DELETE", f"/services/{name}").status == 204
    gone = admin.call("GET", f"/services/{name}")
    assert gone.status == 404 and gone.json() == {"message": "Not found"}


@pytest.mark.parametrize("how", SENDERS)
def test_routes_and_plugins_under_their_service(admin, service, how):
    send = lambda path, fields: admin.call("POST", path, **{SENDERS[how]: fields})
    paths = {"paths": ["/deep"]} if how == "json" else {"paths[]": "/deep"}
    route = send(f"/services/{service['name']}/routes", {"name": new_tag(), **paths})
    assert route.status == 201 and route.json()["service"] == {"id": service["id"]} and route.json()["paths"] == ["/deep"]
    assert route.json()["strip_path"] is True and route.json()["protocols"] == ["http", "https"]
    fields = {"config": {"timeout": 5000}} if how == "json" else {"config.timeout": "5000"}
    plugin = send(f"/services/{service['id']}/plugins", {"name": "request-response-logger", **fields})
    assert plugin.status == 201 and plugin.json()["config"] == {**LOGGER_DEFAULTS, "timeout": 5000}
    assert plugin.json()["protocols"] == ["grpc", "grpcs", "http", "https"] and plugin.json()["enabled"] is True
    assert admin.get(f"/services/{service['name']}/plugins")["data"] == [plugin.json()]
    on_route = send(f"/routes/{route.json()['name']}/plugins", {"name": "request-response-logger"})
    assert on_route.status == 201 and on_route.json()["route"] == {"id": route.json()["id"]}


def test_information(admin, gateway):
    root = admin.get("/")
    assert root["plugins"]["available_on_server"]["request-response-logger"] == {"priority": 1000, "version": "1.0.0"}
    assert root["configuration"]["proxy_listeners"][0]["port"] == gateway.proxy
    assert {"version", "tagline", "node_id", "hostname"} <= root.keys()
    status = admin.get("/status")
    assert {"connections_active", "total_requests"} <= status["server"].keys()
    assert "request-response-logger" in admin.get("/plugins/enabled")["enabled_plugins"]
    schema = admin.get("/schemas/plugins/request-response-logger")
    fields = {k: v for row in next(f["config"] for f in schema["fields"] if "config" in f)["fields"] for k, v in row.items()}
    assert {k: fields[k]["default"] for k in LOGGER_DEFAULTS} == LOGGER_DEFAULTS
    assert admin.call("GET", "/nope").json() == {"message": "Not found"}
    refused = admin.call("DELETE", "/services")
    assert refused.status == 405 and refused.json() == {"message": "Method not allowed"}


def violation(fields, message):
    return {"code": 2, "name": "schema violation", "fields": fields, "message": message}


# Refused configuration of the logger, with Kong's answer.
REFUSED_PLUGINS = {
    "unknown field": ({"config": {"bogus": 1}}, violation(
        {"config": {"bogus": "unknown field"}}, "schema violation (config.bogus: unknown field)")),
    "wrong types": ({"config": {"timeout": "soon", "log_request_body": "yes", "log_endpoint": 5}}, violation(
        {"config": {"log_request_body": "expected a boolean", "timeout": "expected a number", "log_endpoint": "expected a string"}},
        "3 schema violations (config.log_endpoint: expected a string; config.log_request_body: expected a boolean; "
        "config.timeout: expected a number)")),
    "two at once": ({"foo": 1, "config": {"timeout": "x"}}, violation(
        {"config": {"timeout": "expected a number"}, "foo": "unknown field"},
        "2 schema violations (config.timeout: expected a number; foo: unknown field)")),
    "unknown plugin": ({"name": "nonesuch"}, violation(
        {"name": "plugin 'nonesuch' not enabled; add it to the 'plugins' configuration property"},
        "schema violation (name: plugin 'nonesuch' not enabled; add it to the 'plugins' configuration property)")),
    "no name": ({"name": None}, violation({"name": "required field missing"}, "schema violation (name: required field missing)")),
}


@pytest.mark.parametrize("kind", REFUSED_PLUGINS)
def test_bad_plugins_are_refused_in_kongs_words(admin, service, kind):
    fields, expected = REFUSED_PLUGINS[kind]
    body = {"name": "request-response-logger", **fields}
    answer = admin.call("POST", f"/services/{service['name']}/plugins", {k: v for k, v in body.items() if v is not None})
    assert answer.status == 400 and answer.json() == expected
    assert admin.get(f"/services/{service['name']}/plugins")["data"] == []


@pytest.mark.parametrize("config,field", [
    ({"timeout": -1}, "timeout"), ({"timeout": 1e12}, "timeout"), ({"max_body_size": -1}, "max_body_size"),
    ({"log_endpoint": "nota url"}, "log_endpoint"), ({"log_endpoint": "ftp://x/"}, "log_endpoint")])
def test_values_out_of_range_name_their_field(admin, service, config, field):
    answer = admin.call("POST", f"/services/{service['name']}/plugins", {"name": "request-response-logger", "config": config})
    assert answer.status == 400 and list(answer.json()["fields"]["config"]) == [field], answer
    assert answer.json()["message"].startswith(f"schema violation (config.{field}: ")


REFUSED_SERVICES = {
    "no host": ({"name": "x1"}, 400, violation({"host": "required field missing"}, "schema violation (host: required field missing)")),
    "many": ({"name": "sv cx", "host": "h", "port": 99999, "retries": "five", "unknown_field": 1}, 400, violation(
        {"retries": "expected an integer", "unknown_field": "unknown field", "port": "value should be between 0 and 65535",
         "name": "invalid value 'sv cx': the only accepted ascii characters are alphanumerics or ., -, _, and ~"},
        "4 schema violations (name: invalid value 'sv cx': the only accepted ascii characters are alphanumerics or ., -, _, "
        "and ~; port: value should be between 0 and 65535; retries: expected an integer; unknown_field: unknown field)")),
    "bad url": ({"name": "x1", "url": "nonsense"}, 400, violation(
        {"path": "should start with: /", "host": "required field missing"},
        "2 schema violations (host: required field missing; path: should start with: /)")),
}


@pytest.mark.parametrize("kind", REFUSED_SERVICES)
def test_bad_services_are_refused_in_kongs_words(admin, kind):
    fields, status, expected = REFUSED_SERVICES[kind]
    answer = admin.call("POST", "/services", fields)
    assert answer.status == status and answer.json() == expected


def test_conflicts_and_other_refusals(admin, service):
    again = admin.call("POST", "/services", {"name": service["name"], "host": "h"})
    assert again.status == 409 and again.json() == {
        "code": 5, "name": "unique constraint violation", "fields": {"name": service["name"]},
        "message": f"UNIQUE violation detected on '{{name=\"{service['name']}\"}}'"}
    admin.ok("POST", f"/services/{service['name']}/plugins", {"name": "request-response-logger"})
    again = admin.call("POST", f"/services/{service['name']}/plugins", {"name": "request-response-logger"})
    assert again.status == 409 and again.json()["code"] == 5
    broken = admin.call("POST", "/services", headers=[("Content-Type", "application/json")], body=b'{"name":')
    assert broken.status == 400 and broken.json() == {"message": "Cannot parse JSON body"}
    unknown = "55555555-5555-4555-8555-555555555555"
    orphan = admin.call("POST", "/plugins", {"name": "request-response-logger", "service": {"id": unknown}})
    assert orphan.status == 400 and orphan.json() == {
        "code": 4, "name": "foreign key violation", "fields": {"service": {"id": unknown}},
        "message": f"the foreign key '{{id=\"{unknown}\"}}' does not reference an existing 'services' entity."}


def test_the_running_configuration_stays_when_a_change_is_refused(gateway, logged, endpoint):
    refused = gateway.admin.call("PATCH", f"/plugins/{logged.plugin['id']}", {"config": {"max_body_size": "big"}})
    assert refused.status == 400
    assert gateway.admin.get(f"/plugins/{logged.plugin['id']}") == logged.plugin
    tag = new_tag()
    assert gateway.get(f"{logged.path}?rid={tag}").status == 200
    endpoint.wait(tag)


def test_a_change_is_live_in_every_worker_when_the_answer_arrives(gateway, add, upstream):
    """Fresh connections spread over both workers; not one may see the old configuration after the answer."""
    route = add(f"http://127.0.0.1:{upstream.port}/v0")
    wrong = []

    def ask(expected):
        for _ in range(15):
            answer = gateway.get(f"{route.path}/x")
            if answer.status != 200 or answer.json()["uri"] != expected:
                wrong.append((expected, answer))

    for version in range(1, 9):
        gateway.admin.ok("PATCH", f"/services/{route.service['id']}", {"path": f"/v{version}"})
        threads = [threading.Thread(target=ask, args=(f"/v{version}/x",)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong, wrong[:3]


def test_a_deleted_route_is_gone_at_once(gateway, upstream):
    for _ in range(5):
        route = gateway.add(f"http://127.0.0.1:{upstream.port}")
        assert gateway.get(route.path).status == 200
        route.remove()
        assert {gateway.get(route.path).status for _ in range(10)} == {404}


def test_metrics_are_on_both_listeners(gateway):
    for port in (gateway.admin_port, gateway.status):
        answer = fetch(port, "GET", "/metrics")
        assert answer.status == 200 and b"gibbon_log_entries_captured_total" in answer.body
    assert fetch(gateway.status, "GET", "/status").status == 200
    assert fetch(gateway.status, "GET", "/services").status == 404


def test_the_log_level_of_workers_and_agent(make_gateway):
    """More is logged for a while, in the workers too, and then as before."""
    gateway = make_gateway(workers=1, log_level="error", settings={"dns_not_found_ttl": 1})

    def resolver_lines():
        return gateway.log().count("could not be resolved")

    route = gateway.add("http://nowhere.example.test")
    gateway.get(route.path)
    assert resolver_lines() == 0
    assert gateway.admin.ok("PUT", "/debug/node/log-level/info?timeout=600")["message"] == "log level changed"
    assert gateway.admin.get("/debug/node/log-level")["message"] == "log level: info"
    wait_for(lambda: gateway.get(route.path) and resolver_lines() > 0, "the workers' log")
    gateway.admin.ok("PUT", "/debug/node/log-level/warn?timeout=0")
    wait_for(lambda: gateway.admin.get("/debug/node/log-level")["message"] == "log level: error", "the configured level")


def test_a_gateway_that_drains_serves_on_and_says_so(make_gateway, upstream):
    """Until its end: an agent that is started anew knows it, a gateway that is started anew does not."""
    gateway = make_gateway(workers=1)
    route = gateway.add(f"http://127.0.0.1:{upstream.port}")

    def ready():
        try:
            answer = fetch(gateway.status, "GET", "/status/ready")
        except OSError:
            return None
        return answer.status, answer.json()["message"]

    assert ready() == (200, "ready")
    form = [("Content-Type", "application/x-www-form-urlencoded")]
    assert fetch(gateway.status, "POST", "/status/ready", form, b"status=draining").status == 204
    assert ready() == (503, "draining") and gateway.get(route.path).status == 200
    agent = gateway.pid("agent")
    gateway.kill(agent)
    wait_for(lambda: gateway.pid("agent") not in (None, agent) and ready(), "another agent")
    assert ready() == (503, "draining")
    gateway.stop()
    gateway.start()
    assert ready() == (200, "ready")


def test_kong_managers_origin(make_gateway):
    """Preflights and answers for a page of another origin, through the server."""
    gateway = make_gateway(workers=1, settings={"admin_gui_url": "http://localhost:8002"})
    wanted = [("Origin", "http://localhost:8002"), ("Access-Control-Request-Method", "PATCH"),
              ("Access-Control-Request-Headers", "content-type,kong-admin-token")]
    answer = gateway.admin.call("OPTIONS", "/services/x", headers=wanted)
    assert answer.status == 204 and answer.header("access-control-allow-origin") == "http://localhost:8002"
    assert "PATCH" in answer.header("access-control-allow-methods")
    assert answer.header("access-control-allow-headers") == "content-type,kong-admin-token"
    elsewhere = gateway.admin.call("GET", "/", headers=[("Origin", "http://evil.test")])
    assert elsewhere.header("access-control-allow-origin") == "http://localhost:8002"
