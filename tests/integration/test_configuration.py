"""Files, variables and commands: what starts, what is refused, and with which words."""

import pytest

from harness.basics import wait_for
from harness.client import new_tag

DECLARATIVE = """\
_format_version: "3.0"
services:
- name: svc
  url: http://127.0.0.1:{upstream}
  routes:
  - name: r
    paths: [/yaml]
  plugins:
  - name: request-response-logger
    config:
      log_endpoint: {endpoint}
"""


@pytest.fixture
def yaml_gateway(make_gateway, make_endpoint, upstream, tmp_path):
    """A gateway without a database, not started: (gateway, endpoint, its file)."""
    file, endpoint = tmp_path / "kong.yml", make_endpoint()
    file.write_text(DECLARATIVE.format(upstream=upstream.port, endpoint=endpoint.url))
    return make_gateway(start=False, workers=1, database="off", settings={"declarative_config": str(file)}), endpoint, file


def test_a_declarative_file(yaml_gateway):
    gateway, endpoint, _ = yaml_gateway
    gateway.start()
    tag = new_tag()
    assert gateway.get(f"/yaml/x?rid={tag}").status == 200
    assert endpoint.wait(tag)["service"]["name"] == "svc"
    assert [s["name"] for s in gateway.admin.get("/services")["data"]] == ["svc"]
    refused = gateway.admin.call("POST", "/services", {"name": "x", "host": "h"})
    assert refused.status == 405 and refused.json() == {
        "name": "operation unsupported", "code": 12, "message": "cannot create 'services' entities when not using a database"}


BROKEN = {
    "not yaml": ("services: [", "failed parsing declarative configuration: 1:"),
    "no version": ("services: []\n", "_format_version"),
    "unknown field": ('_format_version: "3.0"\nservices:\n- {name: s, host: h, colour: red}\n', "colour"),
    "bad plugin field": ('_format_version: "3.0"\nplugins:\n- name: request-response-logger\n  config: {timeout: soon}\n',
                         "expected a number"),
    "unknown plugin": ('_format_version: "3.0"\nplugins:\n- name: nonesuch\n', "nonesuch"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_declarative_file_does_not_start(yaml_gateway, kind):
    gateway, _, file = yaml_gateway
    text, word = BROKEN[kind]
    file.write_text(text)
    done = gateway.run("start")
    said = (done.stdout + done.stderr).lower()
    assert done.returncode != 0 and word.lower() in said, said
    wait_for(lambda: not gateway.processes(), lambda: f"nothing to run, but {gateway.processes()}")


def test_a_broken_file_at_reload_leaves_the_running_configuration(yaml_gateway):
    gateway, endpoint, file = yaml_gateway
    gateway.start()
    good = file.read_text()
    file.write_text(BROKEN["bad plugin field"][0])
    gateway.run("reload")
    for _ in range(20):
        assert gateway.get("/yaml").status == 200
    file.write_text(good.replace("/yaml", "/changed"))
    assert gateway.run("reload").returncode == 0
    wait_for(lambda: gateway.get("/changed").status == 200, "the new route")
    assert gateway.get("/yaml").status == 404


def test_declarative_configuration_over_the_admin_api(yaml_gateway, upstream):
    gateway, _, _ = yaml_gateway
    gateway.start()
    new = {"_format_version": "3.0", "services": [{"name": "n", "url": f"http://127.0.0.1:{upstream.port}",
                                                   "routes": [{"name": "n", "paths": ["/posted"]}]}]}
    assert gateway.admin.call("POST", "/config", new).status == 201
    assert gateway.get("/posted").status == 200 and gateway.get("/yaml").status == 404
    bad = {"_format_version": "3.0", "services": [{"name": "s", "host": "h", "plugins": [
        {"name": "request-response-logger", "config": {"bogus": 1, "timeout": "x"}}]}]}
    answer = gateway.admin.call("POST", "/config", bad)
    assert answer.status == 400 and answer.json()["code"] == 14
    assert answer.json()["fields"]["services"][0]["plugins"][0]["config"] == {
        "timeout": "expected a number", "bogus": "unknown field"}
    assert gateway.get("/posted").status == 200


BAD_SETTINGS = {
    "unknown key": ("proxy_lisen", "127.0.0.1:1", "proxy_lisen"),
    "bad listener": ("proxy_listen", "nonsense", "proxy_listen must be of form"),
    "bad choice": ("log_level", "loud", "log_level"),
    "unknown plugin": ("plugins", "bundled,nonesuch", "nonesuch"),
    "bad number": ("nginx_worker_processes", "few", "nginx_worker_processes"),
    "bad database": ("database", "stone", "database"),
}


@pytest.mark.parametrize("kind", BAD_SETTINGS)
def test_bad_settings_are_refused_by_name(make_gateway, kind):
    key, value, words = BAD_SETTINGS[kind]
    gateway = make_gateway(start=False, settings={key: value})
    for verb in ("check", "start"):
        done = gateway.command("check", gateway.file) if verb == "check" else gateway.run("start")
        assert done.returncode != 0 and words in done.stdout + done.stderr, (verb, done)
    assert not gateway.processes()


def test_check_takes_a_good_file(make_gateway):
    gateway = make_gateway(start=False)
    done = gateway.command("check", gateway.file)
    assert done.returncode == 0, done
    assert not gateway.processes()


@pytest.mark.parametrize("variable", ["KONG_PLUGINS", "GIBBON_PLUGINS"])
def test_plugins_are_loaded_because_a_variable_names_them(make_gateway, variable):
    gateway = make_gateway(workers=1, settings={"plugins": None}, env={variable: "bundled,request-response-logger"})
    assert "request-response-logger" in gateway.admin.get("/plugins/enabled")["enabled_plugins"]


def test_without_its_name_the_plugin_is_not_there(make_gateway):
    gateway = make_gateway(workers=1, settings={"plugins": "bundled"})
    assert "request-response-logger" not in gateway.admin.get("/plugins/enabled")["enabled_plugins"]
    refused = gateway.admin.call("POST", "/plugins", {"name": "request-response-logger"})
    assert refused.status == 400 and "not enabled" in refused.json()["message"]


def test_two_gateways_side_by_side(make_gateway, make_endpoint, upstream):
    gateways = [make_gateway(workers=1, log_service=True) for _ in range(2)]
    for number, gateway in enumerate(gateways):
        gateway.add(f"http://127.0.0.1:{upstream.port}/of{number}", "/same", log_to=f"http://127.0.0.1:{gateway.logs}/logs")
    for number, gateway in enumerate(gateways):
        assert gateway.get("/same").json()["uri"] == f"/of{number}"
    assert {g.pid(name) for g in gateways for name in ("nginx", "agent", "logs")} - {None} and \
        len({g.pid(name) for g in gateways for name in ("nginx", "agent", "logs")}) == 6
    gateways[0].stop()
    assert gateways[1].get("/same").status == 200


def test_the_verbs(make_gateway, upstream):
    gateway = make_gateway(workers=2)
    route = gateway.add(f"http://127.0.0.1:{upstream.port}")
    assert gateway.run("health").returncode == 0
    again = gateway.run("start")
    assert again.returncode != 0 and "running" in (again.stdout + again.stderr).lower()
    before = set(gateway.workers())
    assert gateway.run("reload").returncode == 0
    wait_for(lambda: len(now := set(gateway.workers())) == 2 and not now & before, "two new workers")
    assert gateway.get(route.path).status == 200
    master = gateway.pid("nginx")
    assert gateway.run("restart").returncode == 0
    wait_for(lambda: gateway.pid("nginx") not in (None, master), "a new master")
    wait_for(lambda: gateway._answers() and gateway.get(route.path).status == 200, "the stored route")
    gateway.stop("quit")
    assert gateway.run("health").returncode != 0
    version = gateway.command("version")
    assert version.returncode == 0 and version.stdout.strip()
    gateway.start()
    assert gateway.get(route.path).status == 200  # configuration outlives the processes


def test_an_occupied_port_is_named(make_gateway, upstream):
    gateway = make_gateway(start=False, settings={"proxy_listen": f"127.0.0.1:{upstream.port}"})
    done = gateway.run("start")
    assert done.returncode != 0 and str(upstream.port) in done.stdout + done.stderr
    gateway.allow_alarm(r"bind\(\)|still could not bind")
    wait_for(lambda: not gateway.processes(), lambda: f"nothing to run, but {gateway.processes()}")
