"""Consumers: who a request comes from, and what key-auth, basic-auth and acl make of it."""

import base64
import hashlib
import json
import uuid

import grpc
import pytest

from harness.client import fetch, new_tag


@pytest.fixture
def admin(gateway):
    return gateway.admin


@pytest.fixture
def consumer(admin):
    """consumer(username, ...): a consumer with a fresh username, taken away at the end of the test."""
    made = []

    def make(**fields):
        made.append(admin.ok("POST", "/consumers", {"username": "c" + uuid.uuid4().hex[:10], **fields}))
        return made[-1]

    yield make
    for one in made:
        admin.call("DELETE", f"/consumers/{one['id']}")


@pytest.fixture
def guarded(add, admin, upstream):
    """guarded({plugin: config}, log_to=...): a route to the upstream with these plugins."""

    def make(plugins, **options):
        route = add(f"http://127.0.0.1:{upstream.port}", **options)
        for name, config in plugins.items():
            admin.ok("POST", f"/routes/{route.route['id']}/plugins", {"name": name, "config": config})
        return route

    return make


@pytest.fixture
def key(admin, consumer):
    """A key of a consumer of its own: (consumer, credential)."""
    owner = consumer(custom_id=new_tag())
    return owner, admin.ok("POST", f"/consumers/{owner['id']}/key-auth", {})


def basic(username, password, scheme="Basic"):
    return f"{scheme} " + base64.b64encode(f"{username}:{password}".encode()).decode()


def seen(answer):
    """What the upstream saw: its request, with the headers by name in lower case."""
    assert answer.status == 200, answer
    echo = answer.json()
    echo["names"] = {}
    for name, value in echo["headers"]:
        echo["names"].setdefault(name.lower(), []).append(value)
    return echo


def message(answer):
    body = answer.json()
    assert body["request_id"] == answer.header("x-kong-request-id")
    assert answer.header("content-type") == "application/json; charset=utf-8"
    return body["message"]


# key-auth: where keys are found, and what the upstream learns.

def test_a_key_in_the_header_names_its_consumer(gateway, guarded, key):
    owner, credential = key
    route = guarded({"key-auth": {}})
    echo = seen(gateway.get(route.path, headers=[
        ("apikey", credential["key"]), ("X-Consumer-ID", "forged"), ("x-consumer-username", "forged"),
        ("X_Consumer_Custom_ID", "forged"), ("X-Anonymous-Consumer", "true"), ("X-Kept", "1")]))
    assert echo["names"]["x-consumer-id"] == [owner["id"]]
    assert echo["names"]["x-consumer-username"] == [owner["username"]]
    assert echo["names"]["x-consumer-custom-id"] == [owner["custom_id"]]
    assert echo["names"]["x-credential-identifier"] == [credential["id"]]
    assert echo["names"]["apikey"] == [credential["key"]] and echo["names"]["x-kept"] == ["1"]
    assert "x-anonymous-consumer" not in echo["names"] and "forged" not in json.dumps(echo["headers"])


def test_without_a_custom_id_a_forged_one_is_gone(gateway, admin, guarded, consumer):
    owner = consumer()
    credential = admin.ok("POST", f"/consumers/{owner['id']}/key-auth", {})
    echo = seen(gateway.get(guarded({"key-auth": {}}).path, headers=[
        ("apikey", credential["key"]), ("X-Consumer-Custom-ID", "forged")]))
    assert "x-consumer-custom-id" not in echo["names"]


@pytest.mark.parametrize("headers, query, said", [
    ([], "", "No API key found in request"),
    ([("apikey", "")], "", "No API key found in request"),
    ([], "?apikey=", "No API key found in request"),
    ([], "?apikey", "No API key found in request"),
    ([("apikey", "nobody's")], "", "Unauthorized"),
    ([], "?apikey=nobody%27s", "Unauthorized"),
    ([("apikey", "a"), ("apikey", "b")], "", "Duplicate API key found"),
    ([], "?apikey=a&apikey=b", "Duplicate API key found"),
])
def test_refusals_are_kongs(gateway, guarded, headers, query, said):
    answer = gateway.get(guarded({"key-auth": {}}).path + query, headers=headers)
    assert answer.status == 401 and message(answer) == said
    assert answer.header("www-authenticate") == "Key"


def test_a_realm_is_named(gateway, guarded):
    answer = gateway.get(guarded({"key-auth": {"realm": "the realm"}}).path)
    assert answer.status == 401 and answer.header("www-authenticate") == 'Key realm="the realm"'


@pytest.mark.parametrize("accept, kind, part", [
    ("text/plain", "text/plain; charset=utf-8", "Unauthorized\nrequest_id: "),
    ("text/html", "text/html; charset=utf-8", "<p>Unauthorized.</p>"),
    ("application/xml", "application/xml; charset=utf-8", "<message>Unauthorized</message>"),
])
def test_a_refusal_has_the_form_that_the_client_prefers(gateway, guarded, accept, kind, part):
    answer = gateway.get(guarded({"key-auth": {}}).path, headers=[("apikey", "x"), ("Accept", accept)])
    assert answer.status == 401 and answer.header("content-type") == kind and part in answer.body.decode()


def test_names_and_places_are_the_configurations(gateway, guarded, key):
    secret = key[1]["key"]
    route = guarded({"key-auth": {"key_names": ["x-first", "second_name"], "key_in_query": False}})
    assert gateway.get(route.path, headers=[("X-First", secret)]).status == 200
    assert gateway.get(route.path, headers=[("Second-Name", secret)]).status == 200
    assert gateway.get(route.path, headers=[("apikey", secret)]).status == 401
    assert gateway.get(f"{route.path}?x-first={secret}").status == 401
    route = guarded({"key-auth": {"key_in_header": False}})
    assert gateway.get(route.path, headers=[("apikey", secret)]).status == 401
    assert gateway.get(f"{route.path}?%61pikey={secret}").status == 200


FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=xx"


def multipart(*fields):
    return "".join(f'--xx\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields) + "--xx--\r\n"


@pytest.mark.parametrize("kind, body, status", [
    (FORM, "a=1&apikey={}&b=2", 200), ("application/json", '{{"a": [1, {{"x": "}}"}}], "apikey": "{}"}}', 200),
    (MULTIPART, multipart(("a", "1"), ("apikey", "{}")), 200),
    ("text/plain", "apikey={}", 401), ("application/json", '{{"apikey": ["{}"]}}', 401),
    ("application/json", '{{"b": {{"apikey": "{}"}}}}', 401), ("application/json", 'apikey={}', 401),
])
def test_a_key_in_the_body(gateway, guarded, key, kind, body, status):
    route = guarded({"key-auth": {"key_in_body": True}})
    text = body.format(key[1]["key"]).encode()
    answer = fetch(gateway.proxy, "POST", route.path, [("Content-Type", kind)], text)
    assert answer.status == status, answer
    if status == 200:
        assert answer.json()["body"] == text.decode() and answer.json()["body_size"] == len(text)


@pytest.mark.parametrize("buffering", [True, False])
@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_with_a_key_goes_on_however_it_came(gateway, add, admin, upstream, key, buffering, chunked):
    route = add(f"http://127.0.0.1:{upstream.port}", route={"request_buffering": buffering})
    admin.ok("POST", f"/routes/{route.route['id']}/plugins", {"name": "key-auth", "config": {"key_in_body": True}})
    text = f"apikey={key[1]['key']}&rest={'r' * 3000}".encode()
    headers, body = [("Content-Type", FORM)], text
    if chunked:
        headers.append(("Transfer-Encoding", "chunked"))
        body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (text[:100], text[100:])) + b"0\r\n\r\n"
    answer = fetch(gateway.proxy, "POST", route.path, headers, body)
    assert answer.status == 200 and answer.json()["body_sha256"] == hashlib.sha256(text).hexdigest()
    assert fetch(gateway.proxy, "POST", route.path, [("Content-Type", FORM)], b"").status == 401


def test_hidden_keys_do_not_reach_the_upstream(gateway, guarded, key):
    secret = key[1]["key"]
    route = guarded({"key-auth": {"hide_credentials": True, "key_in_body": True}})
    echo = seen(gateway.get(f"{route.path}?a=1&apikey=other&b=%202", headers=[("apikey", secret), ("X-Kept", "1")]))
    assert "apikey" not in echo["names"] and echo["names"]["x-kept"] == ["1"] and echo["uri"] == "/?a=1&b=%202"
    assert seen(gateway.get(f"{route.path}?apikey={secret}"))["uri"] == "/"
    for kind, sent, left in (
            (FORM, f"apikey={secret}&b=2", "b=2"), (FORM, f"a=1&apikey={secret}", "a=1"), (FORM, f"apikey={secret}", ""),
            ("application/json", f'{{"apikey": "{secret}", "b": 1.0}}', '{"b": 1.0}'),
            ("application/json", f'{{"a": 1, "apikey" : "{secret}" }}', '{"a": 1 }'),
            (MULTIPART, multipart(("a", "1"), ("apikey", secret), ("b", "2")), multipart(("a", "1"), ("b", "2")))):
        echo = seen(fetch(gateway.proxy, "POST", route.path, [("Content-Type", kind)], sent.encode()))
        assert echo["body"] == left and echo["names"].get("content-length", ["0"]) == [str(len(left))]


def test_preflight_requests_pass_where_they_may(gateway, guarded):
    assert fetch(gateway.proxy, "OPTIONS", guarded({"key-auth": {}}).path).status == 401
    assert fetch(gateway.proxy, "OPTIONS", guarded({"key-auth": {"run_on_preflight": False}}).path).status == 200


# basic-auth

def test_a_password_names_its_consumer(gateway, admin, guarded, consumer):
    owner = consumer()
    name = new_tag()
    made = admin.ok("POST", f"/consumers/{owner['id']}/basic-auth", {"username": name, "password": "s3cret:x"})
    assert made["password"] == hashlib.sha1(f"s3cret:x{owner['id']}".encode()).hexdigest()
    route = guarded({"basic-auth": {}})
    echo = seen(gateway.get(route.path, headers=[("Authorization", basic(name, "s3cret:x"))]))
    assert echo["names"]["x-consumer-username"] == [owner["username"]]
    assert echo["names"]["x-credential-identifier"] == [name] and echo["names"]["authorization"] == [basic(name, "s3cret:x")]
    for header in (("authorization", basic(name, "s3cret:x", "basic")), ("Proxy-Authorization", basic(name, "s3cret:x"))):
        assert gateway.get(route.path, headers=[header]).status == 200
    for header in ((), ("Authorization", basic(name, "wrong")), ("Authorization", basic("nobody", "s3cret:x")),
                   ("Authorization", "Basic %%%"), ("Authorization", "Bearer x"), ("Authorization", basic(name, made["password"])),
                   ("Authorization", "Basic " + base64.b64encode(b"nocolon").decode())):
        answer = gateway.get(route.path, headers=[header] if header else [])
        assert answer.status == 401 and message(answer) == "Unauthorized", header
        assert answer.header("www-authenticate") == 'Basic realm="service"'
    admin.ok("PATCH", f"/consumers/{owner['id']}/basic-auth/{name}", {"password": "another"})
    assert gateway.get(route.path, headers=[("Authorization", basic(name, "another"))]).status == 200
    hidden = guarded({"basic-auth": {"hide_credentials": True, "realm": "r"}})
    assert "authorization" not in seen(gateway.get(hidden.path, headers=[("Authorization", basic(name, "another"))]))["names"]
    assert gateway.get(hidden.path).header("www-authenticate") == 'Basic realm="r"'


# Several plugins, anonymous consumers.

@pytest.fixture
def login(admin, consumer):
    owner, name = consumer(), new_tag()
    admin.ok("POST", f"/consumers/{owner['id']}/basic-auth", {"username": name, "password": "p"})
    return owner, [("Authorization", basic(name, "p"))]


def test_without_anonymous_both_must_succeed(gateway, guarded, key, login):
    route = guarded({"key-auth": {}, "basic-auth": {}})
    by_key = [("apikey", key[1]["key"])]
    assert gateway.get(route.path, headers=by_key).status == 401
    assert gateway.get(route.path, headers=login[1]).status == 401
    echo = seen(gateway.get(route.path, headers=by_key + login[1]))
    assert echo["names"]["x-consumer-id"] == [login[0]["id"]], "the last one counts"


@pytest.mark.parametrize("by", ["id", "username"])
def test_with_anonymous_one_is_enough(gateway, guarded, consumer, key, login, by):
    nobody = consumer()
    route = guarded({"key-auth": {"anonymous": nobody[by]}, "basic-auth": {"anonymous": nobody[by]}})
    echo = seen(gateway.get(route.path, headers=[("apikey", key[1]["key"]), ("X-Anonymous-Consumer", "true")]))
    assert echo["names"]["x-consumer-id"] == [key[0]["id"]] and "x-anonymous-consumer" not in echo["names"]
    assert seen(gateway.get(route.path, headers=login[1]))["names"]["x-consumer-id"] == [login[0]["id"]]
    echo = seen(gateway.get(route.path, headers=[("X-Credential-Identifier", "forged")]))
    assert echo["names"]["x-consumer-id"] == [nobody["id"]] and echo["names"]["x-anonymous-consumer"] == ["true"]
    assert "x-credential-identifier" not in echo["names"]


def test_an_anonymous_consumer_that_is_none_is_an_error(gateway, guarded):
    name = new_tag()
    answer = gateway.get(guarded({"key-auth": {"anonymous": name}}).path)
    assert answer.status == 500 and message(answer) == f"anonymous consumer {name} is configured but doesn't exist"


# acl

def test_groups_decide(gateway, admin, guarded, key):
    owner, credential = key
    headers = [("apikey", credential["key"]), ("X-Consumer-Groups", "forged")]
    allowed = guarded({"key-auth": {}, "acl": {"allow": ["gold", "silver"]}})
    denied = guarded({"key-auth": {}, "acl": {"deny": ["banned"]}})
    hiding = guarded({"key-auth": {}, "acl": {"allow": ["gold"], "hide_groups_header": True}})
    answer = gateway.get(allowed.path, headers=headers)
    assert answer.status == 403 and message(answer) == "You cannot consume this service"
    assert gateway.get(denied.path, headers=headers).status == 200
    for group in ("gold", "other"):
        admin.ok("POST", f"/consumers/{owner['id']}/acls", {"group": group})
    groups = seen(gateway.get(allowed.path, headers=headers))["names"]["x-consumer-groups"]
    assert len(groups) == 1 and sorted(groups[0].split(", ")) == ["gold", "other"]
    assert gateway.get(denied.path, headers=headers).status == 200
    assert "x-consumer-groups" not in seen(gateway.get(hiding.path, headers=headers[:1]))["names"]
    banned = admin.ok("PUT", f"/consumers/{owner['id']}/acls/banned", {})
    assert banned["group"] == "banned" and gateway.get(denied.path, headers=headers).status == 403
    assert admin.call("DELETE", f"/consumers/{owner['id']}/acls/banned").status == 204
    assert gateway.get(denied.path, headers=headers).status == 200


def test_groups_of_nobody(gateway, admin, guarded, consumer):
    alone = guarded({"acl": {"allow": ["gold"]}})
    answer = gateway.get(alone.path, headers=[("X-Consumer-Groups", "gold")])
    assert answer.status == 401 and message(answer) == "Unauthorized" and answer.header("www-authenticate") is None
    nobody = consumer()
    route = guarded({"key-auth": {"anonymous": nobody["id"]}, "acl": {"allow": ["gold"]}})
    assert gateway.get(route.path).status == 401
    admin.ok("POST", f"/consumers/{nobody['id']}/acls", {"group": "gold"})
    assert seen(gateway.get(route.path))["names"]["x-consumer-groups"] == ["gold"]


# What runs for a consumer.

def test_plugins_below_run_for_the_consumer(gateway, admin, guarded, key, consumer, endpoint, make_endpoint):
    owner, credential = key
    special = make_endpoint()
    route = guarded({"key-auth": {}}, log_to=endpoint.url)
    admin.ok("POST", f"/consumers/{owner['id']}/plugins", {
        "name": "request-response-logger", "route": {"id": route.route["id"]}, "config": {"log_endpoint": special.url}})
    other = consumer()
    second = admin.ok("POST", f"/consumers/{other['id']}/key-auth", {})
    tags = [new_tag() for _ in range(3)]
    gateway.get(f"{route.path}?rid={tags[0]}", headers=[("apikey", credential["key"])])
    gateway.get(f"{route.path}?rid={tags[1]}", headers=[("apikey", second["key"])])
    gateway.get(f"{route.path}?rid={tags[2]}")
    entry = special.wait(tags[0])
    assert entry["consumer"] == {"id": owner["id"], "username": owner["username"]}
    entry = endpoint.wait(tags[1])
    assert entry["consumer"] == {"id": other["id"], "username": other["username"]}
    entry = endpoint.wait(tags[2])
    assert "consumer" not in entry and entry["response"]["status_code"] == 401
    assert not endpoint.of(tags[0]) and not special.of(tags[1])


def test_an_upstream_hashes_on_the_consumer(gateway, admin, consumer, servers):
    up = gateway.add_upstream([f"127.0.0.1:{server.port}" for server in servers(3)], algorithm="consistent-hashing",
                              hash_on="consumer")
    try:
        admin.ok("POST", f"/routes/{up.route['id']}/plugins", {"name": "key-auth"})
        chosen = {}
        for _ in range(12):
            credential = admin.ok("POST", f"/consumers/{consumer()['id']}/key-auth", {})
            answers = [seen(gateway.get(up.path, headers=[("apikey", credential["key"])]))["server"] for _ in range(6)]
            assert len(set(answers)) == 1, answers
            chosen[credential["id"]] = answers[0]
        assert len(set(chosen.values())) > 1, chosen
    finally:
        up.remove()


def test_grpc_calls_are_authenticated(gateway, admin, add, grpc_echo, key):
    route = add(None, "/echo.Echo", service={"protocol": "grpc", "host": "127.0.0.1", "port": grpc_echo.port},
                route={"protocols": ["grpc"], "strip_path": False})
    admin.ok("POST", f"/routes/{route.route['id']}/plugins", {"name": "key-auth", "config": {"hide_credentials": True}})
    with grpc.insecure_channel(f"127.0.0.1:{gateway.h2c}") as channel:
        ask = channel.unary_unary("/echo.Echo/Metadata")
        metadata = [("apikey", key[1]["key"]), ("x-consumer-id", "forged")]
        assert ask(b"x-consumer-id", metadata=metadata, timeout=10).decode() == key[0]["id"]
        assert ask(b"apikey", metadata=metadata, timeout=10) == b""
        with pytest.raises(grpc.RpcError) as error:
            ask(b"x", timeout=10)
        assert error.value.code() == grpc.StatusCode.UNAUTHENTICATED
