"""Routes, forwarded requests, and Kong's own answers."""

import json
import re
import subprocess

import pytest

from harness.basics import refusing_port
from harness.client import fetch, new_tag

REQUEST_ID = re.compile(r"^[0-9a-f]{32}$")


def seen_headers(answer, name):
    return [v for n, v in answer.json()["headers"] if n.lower() == name.lower()]


def test_an_unmatched_path_gets_kongs_404(gateway):
    answer = gateway.get("/nothing-here")
    request_id = answer.header("x-kong-request-id")
    assert answer.status == 404 and REQUEST_ID.match(request_id)
    assert answer.header("content-type") == "application/json; charset=utf-8"
    assert answer.body.decode() == ('{\n  "message":"no Route matched with those values",\n'
                                    f'  "request_id":"{request_id}"\n}}')
    assert answer.header("content-length") == str(len(answer.body))
    assert answer.header("x-kong-response-latency").isdigit()
    assert answer.header("x-kong-upstream-latency") is None and answer.header("x-kong-proxy-latency") is None
    assert answer.header("via") is None
    assert answer.header("server").startswith("kong/")


def test_a_proxied_answer_carries_kongs_headers(gateway, echo):
    answer = gateway.get(echo.path)
    assert answer.status == 200 and REQUEST_ID.match(answer.header("x-kong-request-id"))
    assert answer.header("x-kong-upstream-latency").isdigit() and answer.header("x-kong-proxy-latency").isdigit()
    assert answer.header("x-kong-response-latency") is None
    assert re.match(r"1\.1 kong/\d", answer.header("via"))
    assert answer.header("x-up") == "1"


def test_what_the_upstream_sees(gateway, add, upstream):
    route = add(f"http://127.0.0.1:{upstream.port}/base")
    answer = gateway.get(f"{route.path}/a%20b//c/../d?q=1&q=2", headers=[
        ("X-A", "1"), ("X-Forwarded-For", "9.9.9.9"), ("Connection", "x-hop"), ("X-Hop", "1"),
        ("User-Agent", "curl/7.88.1"), ("Accept", "*/*")])
    seen = answer.json()
    assert (seen["method"], seen["uri"], seen["version"]) == ("GET", "/base/a%20b/d?q=1&q=2", "1.1")
    headers = {}
    for name, value in seen["headers"]:
        headers.setdefault(name.lower(), []).append(value)
    assert headers.pop("via")[0].startswith("1.1 kong/")
    assert headers == {
        "host": [f"127.0.0.1:{upstream.port}"], "connection": ["keep-alive"],
        "x-forwarded-for": ["9.9.9.9, 127.0.0.1"], "x-forwarded-proto": ["http"], "x-forwarded-host": ["127.0.0.1"],
        "x-forwarded-port": [str(gateway.proxy)], "x-forwarded-path": [f"{route.path}/a%20b//c/../d"],
        "x-forwarded-prefix": [route.path], "x-real-ip": ["127.0.0.1"],
        "x-kong-request-id": [answer.header("x-kong-request-id")], "user-agent": ["curl/7.88.1"], "accept": ["*/*"],
        "x-a": ["1"]}


def test_preserve_host_and_unstripped_path(gateway, add, upstream):
    route = add(f"http://127.0.0.1:{upstream.port}/base", route={"strip_path": False, "preserve_host": True})
    answer = gateway.get(f"{route.path}/z", headers=[("Host", "orig.test:99")])
    assert answer.json()["uri"] == f"/base{route.path}/z"
    assert seen_headers(answer, "host") == ["orig.test:99"]
    assert seen_headers(answer, "x-forwarded-host") == ["orig.test"]
    assert seen_headers(answer, "x-forwarded-prefix") == []


def test_hosts_paths_and_methods_decide(gateway, add, upstream, thread):
    base = f"http://127.0.0.1:{upstream.port}"
    path = add(f"{base}/plain").path
    add(f"{base}/host", path, route={"hosts": ["by-host.test"]})
    add(f"{base}/wild", path, route={"hosts": ["*.wild.test"]})
    add(f"{base}/post", path, route={"methods": ["POST"]})
    add(f"{base}/longer", path + "/deep")
    add(f"{base}/regex", "~" + path + r"/\d+$")
    ask = lambda method, target, host="x.test": fetch(gateway.proxy, method, target, [("Host", host)]).json()["uri"]
    assert ask("GET", path + "/a") == "/plain/a"
    assert ask("GET", path + "/a", "by-host.test") == "/host/a"
    assert ask("GET", path + "/a", "by-host.test:8000") == "/host/a"
    assert ask("GET", path + "/a", "BY-HOST.test") == "/host/a"
    assert ask("GET", path + "/a", "any.wild.test") == "/wild/a"
    assert ask("POST", path + "/a") == "/post/a"
    assert ask("GET", path + "/deep/a") == "/longer/a"
    assert ask("GET", path + "/42").startswith("/regex")


def test_an_https_route_over_http_asks_for_an_upgrade(gateway, add, upstream):
    answer = gateway.get(add(f"http://127.0.0.1:{upstream.port}", route={"protocols": ["https"]}).path)
    assert answer.status == 426
    assert answer.json()["message"] == "Please use HTTPS protocol"
    assert answer.header("upgrade") == "TLS/1.2, HTTP/1.1" and "Upgrade" in answer.all("connection")
    redirect = add(f"http://127.0.0.1:{upstream.port}", route={"protocols": ["https"], "https_redirect_status_code": 301})
    answer = gateway.get(redirect.path + "/x?y=1", headers=[("Host", "redirect.test")])
    assert answer.status == 301 and answer.header("location") == f"https://redirect.test{redirect.path}/x?y=1"


def test_a_route_without_a_service(gateway):
    route = gateway.admin.ok("POST", "/routes", {"paths": ["/serviceless"]})
    try:
        answer = gateway.get("/serviceless")
        assert answer.status == 503 and answer.json()["message"] == "no Service found with those values"
    finally:
        gateway.admin.ok("DELETE", f"/routes/{route['id']}")


BAD_GATEWAY = "An invalid response was received from the upstream server"
ERROR_BODIES = {
    "*/*": ("application/json", '{{\n  "message":"{message}",\n  "request_id":"{id}"\n}}'),
    "application/json": ("application/json", '{{\n  "message":"{message}",\n  "request_id":"{id}"\n}}'),
    "text/html": ("text/html", "<!doctype html>\n<html>\n  <head>\n    <meta charset=\"utf-8\">\n    <title>Error</title>\n"
                  "  </head>\n  <body>\n    <h1>Error</h1>\n    <p>{message}.</p>\n    <p>request_id: {id}</p>\n"
                  "  </body>\n</html>\n"),
    "application/xml": ("application/xml", '<?xml version="1.0" encoding="UTF-8"?>\n<error>\n'
                        "  <message>{message}</message>\n  <requestid>{id}</requestid>\n</error>"),
    "text/plain": ("text/plain", "{message}\nrequest_id: {id}"),
}


@pytest.mark.parametrize("accept", ERROR_BODIES)
def test_a_dead_upstream_gives_502_in_the_form_that_was_asked_for(gateway, add, accept):
    holder, port = refusing_port()
    with holder:
        answer = gateway.get(add(f"http://127.0.0.1:{port}").path, headers=[("Accept", accept)])
    kind, form = ERROR_BODIES[accept]
    assert answer.status == 502 and answer.header("content-type") == f"{kind}; charset=utf-8"
    expected = form.format(message=BAD_GATEWAY, id=answer.header("x-kong-request-id"))
    assert answer.body.decode().rstrip("\n") == expected.rstrip("\n")
    assert answer.header("via") and answer.header("x-kong-upstream-latency") is not None


def test_a_slow_upstream_gives_504(gateway, add, upstream):
    route = add(f"http://127.0.0.1:{upstream.port}", service={"read_timeout": 200, "retries": 0})
    name = new_tag()
    answer = gateway.get(f"{route.path}/stall/{name}")
    upstream.release(name)
    assert answer.status == 504 and answer.json()["message"] == "The upstream server is timing out"


def test_an_upstream_that_closes_without_an_answer_gives_502(gateway, echo):
    answer = gateway.get(echo.path + "/close")
    assert answer.status == 502 and answer.json()["message"] == BAD_GATEWAY


@pytest.mark.parametrize("status", [201, 204, 304, 404, 418, 500, 503])
def test_the_upstreams_own_status_passes(gateway, echo, status):
    answer = gateway.get(f"{echo.path}/status/{status}")
    assert answer.status == status
    assert answer.body == (b"" if status in (204, 304) else f"status {status}".encode())
    assert answer.header("via")


def test_the_request_id_is_one_everywhere(gateway, logged, endpoint):
    tag = new_tag()
    answer = gateway.get(f"{logged.path}/x?rid={tag}")
    entry = endpoint.wait(tag)
    request_id = answer.header("x-kong-request-id")
    assert seen_headers(answer, "x-kong-request-id") == [request_id] == [entry["request_id"]]
    ids = {gateway.get(logged.path).header("x-kong-request-id") for _ in range(50)}
    assert len(ids) == 50


def test_upstreams_by_name(gateway, add, upstream, name_server):
    for name in ("plain.test", "known.example.test", "localhost"):  # the hosts file, the name server, everybody's
        answer = gateway.get(add(f"http://{name}:{upstream.port}").path)
        assert answer.status == 200, (name, answer)
        assert seen_headers(answer, "host") == [f"{name}:{upstream.port}"]
    assert "known.example.test" in name_server.asked


def test_search_domains(make_gateway, upstream, name_server, tmp_path):
    """A name without a dot is looked up in the domains that resolv.conf names; the gateway sees one of our own."""
    resolv = tmp_path / "resolv.conf"
    resolv.write_text("nameserver 127.0.0.1\nsearch elsewhere.test example.test\n")
    inside = ("unshare", "-m", "bash", "-c", f'mount --bind {resolv} /etc/resolv.conf && exec "$@"', "-")
    if subprocess.run([*inside, "true"], capture_output=True).returncode:
        pytest.skip("a file system view of one's own needs root")
    gateway = make_gateway(workers=1, wrapper=inside, settings={"dns_resolver": f"127.0.0.1:{name_server.port}"})
    assert gateway.get(gateway.add(f"http://known:{upstream.port}").path).status == 200
    assert "known.example.test" in name_server.asked
    assert gateway.get(gateway.add(f"http://unknown:{upstream.port}").path).status == 503


def test_a_name_that_does_not_exist(gateway, add, upstream):
    answer = gateway.get(add(f"http://nowhere.example.test:{upstream.port}").path)
    assert answer.status == 503 and answer.json()["message"] == "name resolution failed"
    assert answer.header("via") is None


def test_upstream_connections_are_kept_and_used_again(gateway, echo):
    with gateway.connect() as client:
        used = [client.request("GET", echo.path).json()["connection"] for _ in range(30)]
    assert len(set(used)) <= 2, used  # one worker serves the connection


def test_head_and_conditional_answers(gateway, echo):
    with gateway.connect() as client:
        answer = client.request("HEAD", f"{echo.path}/bytes/5000")
        assert answer.status == 200 and answer.header("content-length") == "5000" and answer.body == b""
        assert client.request("GET", f"{echo.path}/status/304").status == 304
        assert client.request("GET", f"{echo.path}/bytes/10").body  # the connection is still in step


def test_answers_of_the_gateway_are_json(gateway):
    assert json.loads(gateway.get("/still/nothing").body)["message"] == "no Route matched with those values"
