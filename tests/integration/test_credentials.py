"""Credentials while they change: live at the answer, running out, declared in a file, kept without their plugin, and
never in a log."""

import hashlib
import json
import threading
import uuid

from harness.basics import wait_for
from harness.client import fetch, new_tag
from test_consumers import FORM, admin, basic, consumer, guarded, key, seen  # noqa: F401: fixtures among them


# Changes are live at their answer, in every worker.

def all_workers(gateway, path, headers):
    """The statuses of many connections at once, which all workers share."""
    return {fetch(gateway.proxy, "GET", path, headers).status for _ in range(24)}


def test_changes_are_live_at_the_answer(gateway, admin, guarded, consumer):
    owner = consumer()
    route = guarded({"key-auth": {}})
    pids = sorted(gateway.workers())
    for i in range(5):
        made = admin.ok("POST", f"/consumers/{owner['username']}/key-auth", {"key": new_tag()})
        headers = [("apikey", made["key"])]
        assert all_workers(gateway, route.path, headers) == {200}
        renamed = admin.ok("PATCH", f"/key-auths/{made['id']}", {"key": new_tag()})
        assert all_workers(gateway, route.path, headers) == {401}
        headers = [("apikey", renamed["key"])]
        assert all_workers(gateway, route.path, headers) == {200}
        assert admin.call("DELETE", f"/consumers/{owner['username']}/key-auth/{renamed['key']}").status == 204
        assert all_workers(gateway, route.path, headers) == {401}
    made = admin.ok("POST", f"/consumers/{owner['username']}/key-auth", {})
    assert all_workers(gateway, route.path, [("apikey", made["key"])]) == {200}
    assert admin.call("DELETE", f"/consumers/{owner['id']}").status == 204
    assert all_workers(gateway, route.path, [("apikey", made["key"])]) == {401}
    assert admin.call("GET", f"/key-auths/{made['id']}").status == 404, "credentials go with their consumer"
    assert sorted(gateway.workers()) == pids, "no reload"


def test_a_key_runs_out(gateway, admin, guarded, consumer):
    owner = consumer()
    route = guarded({"key-auth": {}})
    made = admin.ok("POST", f"/consumers/{owner['id']}/key-auth", {"ttl": 2})
    lasting = admin.ok("POST", f"/consumers/{owner['id']}/key-auth", {"ttl": 1000})
    assert made["ttl"] in (1, 2) and 990 < lasting["ttl"] <= 1000
    assert gateway.get(route.path, headers=[("apikey", made["key"])]).status == 200
    wait_for(lambda: gateway.get(route.path, headers=[("apikey", made["key"])]).status == 401, "the end of the key")
    wait_for(lambda: admin.call("GET", f"/key-auths/{made['id']}").status == 404, "the end of the entity")
    assert [c["id"] for c in admin.get(f"/consumers/{owner['id']}/key-auth")["data"]] == [lasting["id"]]
    assert gateway.get(route.path, headers=[("apikey", lasting["key"])]).status == 200
    again = admin.ok("POST", f"/consumers/{owner['id']}/key-auth", {"key": made["key"]})
    assert again["ttl"] is None and gateway.get(route.path, headers=[("apikey", made["key"])]).status == 200


def test_keys_change_under_load(gateway, admin, guarded, key, consumer):
    route, stop, statuses = guarded({"key-auth": {}}), threading.Event(), set()

    def work():
        with gateway.connect() as client:
            while not stop.is_set():
                statuses.add(client.request("GET", route.path, [("apikey", key[1]["key"])]).status)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    owner = consumer()
    for _ in range(30):
        made = admin.ok("POST", f"/consumers/{owner['id']}/key-auth", {})
        admin.ok("DELETE", f"/key-auths/{made['id']}")
    stop.set()
    for thread in threads:
        thread.join()
    assert statuses == {200}


# Without a database; without the plugin.

def test_declared_credentials_work(make_gateway, upstream, tmp_path):
    owner = "0f7b5b02-5a4b-4b43-9f0f-3c1a1b8d3c11"
    document = {
        "_format_version": "3.0",
        "services": [{"name": "s", "url": f"http://127.0.0.1:{upstream.port}", "routes": [
            {"name": "keys", "paths": ["/keys"], "plugins": [{"name": "key-auth"}, {"name": "acl", "config": {"allow": ["gold"]}}]},
            {"name": "passwords", "paths": ["/passwords"], "plugins": [{"name": "basic-auth"}]}]}],
        "consumers": [
            {"id": owner, "username": "ada", "keyauth_credentials": [{"key": "adas"}], "acls": [{"group": "gold"}],
             "basicauth_credentials": [{"username": "ada", "password": "pw"}]},
            {"username": "bob", "keyauth_credentials": [{"key": "bobs"}], "acls": [{"group": "gold"}]}]}
    file = tmp_path / "kong.json"
    file.write_text(json.dumps(document))
    gateway = make_gateway(database="off", settings={"declarative_config": str(file)})
    for name, secret in (("ada", "adas"), ("bob", "bobs")):
        assert seen(gateway.get("/keys", headers=[("apikey", secret)]))["names"]["x-consumer-username"] == [name]
    assert gateway.get("/passwords", headers=[("Authorization", basic("ada", "pw"))]).status == 200
    stored = gateway.admin.get("/consumers/ada/basic-auth/ada")
    assert stored["password"] == hashlib.sha1(f"pw{owner}".encode()).hexdigest()
    refused = gateway.admin.call("POST", "/consumers/ada/key-auth", {"key": "more"})
    assert refused.status == 405 and refused.json()["code"] == 12
    # What is given as stored stays as it is.
    document["_transform"] = False
    document["consumers"][0]["basicauth_credentials"][0]["password"] = stored["password"]
    assert gateway.admin.call("POST", "/config", document).status == 201
    assert gateway.get("/passwords", headers=[("Authorization", basic("ada", "pw"))]).status == 200


def test_a_disabled_plugin_keeps_its_data(make_gateway):
    gateway = make_gateway()
    admin = gateway.admin
    admin.ok("POST", "/consumers", {"username": "ada"})
    made = admin.ok("POST", "/consumers/ada/key-auth", {"tags": ["t1"]})
    assert "/key-auths" in admin.get("/endpoints")["data"]
    gateway.write_settings(plugins="request-response-logger")
    assert gateway.run("reload").returncode == 0
    wait_for(lambda: "/key-auths" not in admin.get("/endpoints")["data"], "the end of the endpoints")
    assert admin.call("GET", "/key-auths").status == 404
    assert admin.call("GET", "/schemas/keyauth_credentials").status == 404
    assert admin.get("/tags/t1")["data"] == []
    gateway.write_settings(plugins="bundled,request-response-logger")
    assert gateway.run("reload").returncode == 0
    wait_for(lambda: "/key-auths" in admin.get("/endpoints")["data"], "the endpoints")
    assert admin.get("/consumers/ada/key-auth")["data"] == [made]


# Secrets.

def test_credentials_are_in_no_log(make_gateway, endpoint, upstream):
    gateway = make_gateway(log_level="info")
    admin = gateway.admin
    route = gateway.add(f"http://127.0.0.1:{upstream.port}", log_to=endpoint.url)
    broken = gateway.add("http://127.0.0.1:1", log_to=endpoint.url)
    admin.ok("POST", "/consumers", {"username": "ada"})
    secrets = {name: f"{name}-{uuid.uuid4().hex}" for name in ("header", "query", "form", "json", "password", "wrong", "lost")}
    for name in ("header", "query", "form", "json"):
        admin.ok("POST", "/consumers/ada/key-auth", {"key": secrets[name]})
    admin.ok("POST", "/consumers/ada/basic-auth", {"username": "ada", "password": secrets["password"]})
    for path in (route.route["id"], broken.route["id"]):
        admin.ok("POST", f"/routes/{path}/plugins", {
            "name": "key-auth", "config": {"key_names": ["X-Token", "apikey"], "key_in_body": True}})
    tags = [new_tag() for _ in range(7)]
    post = lambda tag, kind, body: fetch(gateway.proxy, "POST", f"{route.path}?rid={tag}", [("Content-Type", kind)], body.encode())
    assert gateway.get(f"{route.path}?rid={tags[0]}", headers=[("X-Token", secrets["header"])]).status == 200
    assert gateway.get(f"{route.path}?rid={tags[1]}&x-t%6Fken={secrets['query']}&z=1").status == 401, "names have their case"
    assert gateway.get(f"{route.path}?rid={tags[1]}&X-T%6Fken={secrets['query']}&z=1").status == 200
    assert post(tags[2], FORM, f"a=1&apikey={secrets['form']}").status == 200
    assert post(tags[3], "application/json", json.dumps({"apikey": secrets["json"], "b": 2})).status == 200
    assert gateway.get(f"{broken.path}?rid={tags[4]}&apikey={secrets['query']}").status == 502
    assert gateway.get(f"{route.path}?rid={tags[5]}&apikey={secrets['wrong']}",
                       headers=[("Authorization", basic("ada", secrets["password"]))]).status == 401
    assert gateway.get(f"/nowhere?apikey={secrets['lost']}", headers=[("X-Token", secrets["lost"])]).status == 404
    entries = [endpoint.wait(tag) for tag in tags[:6]]
    assert entries[0]["request"]["headers"]["x-token"] == "[REDACTED]"
    assert "X-T%6Fken=%5BREDACTED%5D&z=1" in json.dumps(endpoint.of(tags[1]))
    assert entries[2]["request"]["body"] == "a=1&apikey=" + "*" * len(secrets["form"])
    assert json.loads(json.dumps(entries[3]["request"]["body_size"])) == len(json.dumps({"apikey": secrets["json"], "b": 2}))
    written = json.dumps(endpoint.snapshot())
    logs = "".join(file.read_text(errors="replace") for file in (gateway.prefix / "logs").iterdir() if file.is_file())
    assert tags[0] in logs and tags[0] in written, "what is looked for would be found"
    for name, secret in secrets.items():
        assert secret not in logs, name
        if name not in ("lost",):
            responses = "".join(json.dumps(e["request"]) for e in entries)
            assert secret not in responses, name
