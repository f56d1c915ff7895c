"""request-transformer: what the upstream gets instead of what the client sent."""

import json

import pytest

from harness.basics import wait_for
from harness.client import fetch
from harness.gateway import BUILD
from test_consumers import admin, guarded, message, seen  # noqa: F401: fixtures among them

FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")


@pytest.fixture
def changed(guarded):
    """changed(config, ...): a route to the upstream with the plugin."""
    return lambda config, **options: guarded({"request-transformer": config}, **options)


def post(gateway, path, headers, body):
    return seen(fetch(gateway.proxy, "POST", path, headers, body))


def test_headers_are_changed_in_order(gateway, changed):
    route = changed({
        "remove": {"headers": ["x-gone"]}, "rename": {"headers": ["x-old:x-new"]},
        "replace": {"headers": ["x-new:$(headers['x-old'])!", "x-none:1", "host:other.test"]},
        "add": {"headers": ["x-added:a:b", "x-there:no"]}, "append": {"headers": ["x-there:more", "x-first:1"]}})
    echo = seen(gateway.get(route.path, headers=[("X-Gone", "1"), ("X-Old", "o"), ("X-There", "t"), ("x-stays", "s")]))
    names = echo["names"]
    assert "x-gone" not in names and "x-old" not in names and "x-none" not in names
    assert (names["x-new"], names["x-added"], names["x-there"], names["x-first"], names["x-stays"], names["host"]) == (
        ["o!"], ["a:b"], ["t", "more"], ["1"], ["s"], ["other.test"])


def test_the_query_is_changed_and_sorted(gateway, changed):
    route = changed({
        "remove": {"querystring": ["gone"]}, "rename": {"querystring": ["old:new"]},
        "replace": {"querystring": ["new:$(query_params.old) x", "none:1"]},
        "add": {"querystring": ["added:$(query_params.none or 'default')"]}, "append": {"querystring": ["many:3"]}})
    echo = seen(gateway.get(route.path + "?z&old=o&gone=1&many=1&many=2"))
    assert echo["uri"].split("?")[1] == "added=default&many=1&many=2&many=3&new=o%20x&z"


def test_the_path_is_made_from_captures(gateway, changed):
    path = "/users-(?<name>[a-z]+)"
    route = changed({"replace": {"uri": "/people/$(uri_captures.name)/$(uri_captures[1])$(uri_captures[0])/$(uri_captures.none or 'x y')"},
                     "add": {"querystring": ["who:$(uri_captures['name'])"]}}, path="~" + path)
    assert route.route["paths"] == ["~" + path]
    echo = seen(gateway.get("/users-ada?q=1"))
    assert echo["uri"] == "/people/ada/ada/users-ada/x%20y?q=1&who=ada"


@pytest.mark.parametrize("sent, got", [
    (b'{"z":9007199254740993,"a":1.50,"b":"x","l":["1"]}',
     b'{"z":9007199254740993,"c":"x","l":["1","2"],"n":"ada"}'),
    (b"", b'{"n":"ada","z":"no","l":["2"]}'),
    (b"[1, 2]", b"[1, 2]"),
    (b"{not json", b"{not json"),
])
def test_json_bodies_are_changed(gateway, changed, sent, got):
    route = changed({"remove": {"body": ["a"]}, "rename": {"body": ["b:c"]}, "add": {"body": ["n:$(headers.name)", "z:no"]},
                     "append": {"body": ["l:2"]}})
    echo = post(gateway, route.path, [JSON, ("Name", "ada")], sent)
    assert echo["body"].encode() == got
    assert echo["names"]["content-length"] == [str(len(got))]


def test_a_chunked_body_gets_its_new_length(gateway, changed):
    route = changed({"add": {"body": ["b:2"]}})
    with gateway.connect() as client:
        client.send((f"POST {route.path} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n7\r\n{\"a\":1}\r\n0\r\n\r\n").encode())
        echo = seen(client.answer())
    assert echo["body"] == '{"a":1,"b":"2"}'
    assert echo["names"]["content-length"] == ["15"] and "transfer-encoding" not in echo["names"]


def test_forms_are_changed(gateway, changed):
    route = changed({"remove": {"body": ["a"]}, "rename": {"body": ["b:c"]}, "replace": {"body": ["c:x y"]},
                     "append": {"body": ["l:2"]}})
    echo = post(gateway, route.path, [FORM], b"a=1&b=1&l=1&k=%2B")
    assert echo["body"] == "c=x%20y&l=1&l=2&k=%2B"
    assert echo["names"]["content-length"] == ["21"]


def test_multipart_bodies_are_changed(gateway, changed):
    route = changed({"remove": {"body": ["a"]}, "add": {"body": ["c:3"]}})

    def part(name, value):
        return f'--xx\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'

    sent = part("a", "1") + part("b", "2") + "--xx--\r\n"
    echo = post(gateway, route.path, [("Content-Type", "multipart/form-data; boundary=xx")], sent.encode())
    assert echo["body"] == part("b", "2") + part("c", "3") + "--xx--\r\n"


def test_other_bodies_and_large_ones_stay(gateway, changed):
    route = changed({"add": {"body": ["a:1"]}})
    assert post(gateway, route.path, [("Content-Type", "text/plain")], b"{}")["body"] == "{}"
    large = b'{"x":"' + b"y" * 3_000_000 + b'"}'
    echo = post(gateway, route.path, [JSON], large)
    assert echo["body_size"] == len(large)
    wait_for(lambda: "request body did not fit into client body buffer" in gateway.log(), "a word in the error log")


def test_another_method_takes_a_form_into_the_query(gateway, changed):
    route = changed({"http_method": "GET"})
    echo = post(gateway, route.path + "?a=1", [FORM], b"a=2&b=x%20y")
    assert (echo["method"], echo["uri"].split("?")[1], echo["body"]) == ("GET", "a=1&a=2&b=x%20y", "a=2&b=x%20y")
    assert seen(gateway.get(changed({"http_method": "PUT"}).path))["method"] == "PUT"


def test_templates_see_repeated_headers_and_the_host(gateway, changed):
    route = changed({"add": {"headers": [
        "x-first:$(type(headers.many) == 'table' and headers.many[1] or headers.many)", "x-host:$(headers.host)",
        "x-literal:$('$(headers.host)')", "x-none:[$(headers.none)]", "x-low:$(headers['Name']:lower() .. '-' .. 1)"]}})
    names = seen(gateway.get(route.path, headers=[("many", "a"), ("many", "b"), ("name", "ADA")], host="h.test"))["names"]
    assert [names[n][0] for n in ("x-first", "x-host", "x-literal", "x-none", "x-low")] == [
        "a", "h.test", "$(headers.host)", "[]", "ada-1"]


def test_a_template_that_fails_refuses_the_request(gateway, changed):
    route = changed({"add": {"querystring": ["q:$(headers.none.x)"]}})
    answer = gateway.get(route.path)
    assert (answer.status, message(answer)) == (500, "An unexpected error occurred")
    wait_for(lambda: "failed to render the template $(headers.none.x), error:attempt to index a nil value" in gateway.log(),
             "a word in the error log")
    assert gateway.get(route.path, headers=[("none", "1")]).status == 200
    assert gateway.get(changed({"replace": {"uri": "no-slash"}}).path).status == 500
    assert post_status(gateway, changed({"add": {"body": ["a:1"]}}).path, b"5") == 500


def post_status(gateway, path, body):
    return fetch(gateway.proxy, "POST", path, [JSON], body).status


@pytest.mark.parametrize("config, part, field, error", [
    ({"add": {"querystring": ["a"]}}, "add", "querystring", "key 'a' has no value"),
    ({"add": {"body": ["a:$(ERROR())"]}}, "add", "body",
     "value '$(ERROR())' is not in supported format, error:character 3: 'ERROR' is not known here"),
    ({"add": {"headers": ["a b:1"]}}, "add", "headers", "'a b' is not a valid header"),
    ({"rename": {"headers": ["a:b c"]}}, "rename", "headers", "'b c' is not a valid header"),
    ({"remove": {"headers": ["a b"]}}, "remove", "headers", "'a b' is not a valid header"),
    ({"append": {"headers": ["a"]}}, "append", "headers", "invalid value: a"),
])
def test_wrong_rules_are_refused(admin, echo, config, part, field, error):
    answer = admin.call("POST", f"/routes/{echo.route['id']}/plugins", {"name": "request-transformer", "config": config})
    assert answer.status == 400
    assert answer.json()["fields"]["config"][part][field] == [error]
    assert json.dumps(error)[1:-1] in answer.body.decode()


# What other plugins share, which takes a gateway with a plugin that does.

def test_templates_see_texts_that_plugins_share(make_gateway, upstream):
    gateway = make_gateway(workers=1, settings={
        "plugins": "bundled,sharing", "plugin_path": BUILD / "tests" / "kit"})
    added = gateway.add(f"http://127.0.0.1:{upstream.port}")
    plugins = f"/routes/{added.route['id']}/plugins"
    gateway.admin.ok("POST", plugins, {"name": "sharing", "config": {"tenant": "acme"}})
    gateway.admin.ok("POST", plugins, {"name": "request-transformer", "config": {"add": {"headers": [
        "x-tenant:$(shared.tenant)", "x-number:[$(shared.number)]", "x-none:$(shared.none or 'none')"]}}})
    names = seen(gateway.get(added.path))["names"]
    assert [names[n] for n in ("x-tenant", "x-number", "x-none")] == [["acme"], ["[]"], ["none"]]
