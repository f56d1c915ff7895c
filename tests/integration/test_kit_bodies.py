"""What plugins make of an answer's body: held as a whole (the response phase), in passing, and in one piece."""

import json
import subprocess

import pytest

from harness.client import Client, new_tag
from harness.gateway import BUILD, Gateway
from harness.upstream import pattern


@pytest.fixture(scope="module")
def kit_gateway(gibbon_binary):
    gateway = Gateway(workers=1, h2c=True, settings={
        "plugins": "bundled,request-response-logger,kit-held,kit-pieces", "plugin_path": BUILD / "tests" / "kit"})
    try:
        yield gateway.start()
    finally:
        gateway.close()


@pytest.fixture
def route_with(kit_gateway, upstream):
    """route_with(plugin=config, ...): a route to the upstream with these plugins."""
    made = []

    def make(**plugins):
        route = kit_gateway.add(f"http://127.0.0.1:{upstream.port}")
        made.append(route)
        for name, config in plugins.items():
            kit_gateway.admin.ok("POST", f"/routes/{route.route['id']}/plugins", {"name": name.replace("_", "-"), "config": config})
        return route.path

    yield make
    for route in made:
        route.remove()


def curl_h2(gateway, path, *options):
    done = subprocess.run(["curl", "-sS", "--http2-prior-knowledge", *options, f"http://127.0.0.1:{gateway.h2c}{path}"],
                          capture_output=True, timeout=30, check=True)
    return done.stdout


@pytest.mark.parametrize("wait", [False, True])
class TestResponsePhase:
    def test_another_body(self, kit_gateway, route_with, wait):
        path = route_with(kit_held={"wait": wait})
        answer = kit_gateway.get(f"{path}/status/200")
        assert (answer.status, answer.body) == (200, b"STATUS 200")
        assert answer.header("content-length") == "10"
        assert (answer.header("x-held-status"), answer.header("x-held-size")) == ("200", "10")

    @pytest.mark.parametrize("size", [0, 1, 8192, 300_000, 3_000_000])
    def test_sizes(self, kit_gateway, route_with, wait, size):
        """Answers that nginx would put on disk too."""
        path = route_with(kit_held={"wait": wait, "action": "nothing"})
        answer = kit_gateway.get(f"{path}/bytes/{size}")
        assert answer.body == pattern(size) and answer.header("x-held-size") == str(size)

    @pytest.mark.parametrize("target", ["chunked/5", "gzip"])
    def test_unknown_lengths(self, kit_gateway, route_with, upstream, wait, target):
        path = route_with(kit_held={"wait": wait, "action": "nothing"})
        plain = kit_gateway.get(f"{route_with()}/{target}")
        answer = kit_gateway.get(f"{path}/{target}")
        assert answer.body == plain.body and answer.header("content-length") == str(len(plain.body))

    def test_an_answer_in_its_place(self, kit_gateway, route_with, wait):
        answer = kit_gateway.get(f"{route_with(kit_held={'wait': wait, 'action': 'exit'})}/bytes/100000")
        assert (answer.status, answer.body) == (202, b'{"taken":true}')
        assert answer.header("content-type") == "application/json; charset=utf-8"

    def test_an_error_in_its_place(self, kit_gateway, route_with, wait):
        answer = kit_gateway.get(f"{route_with(kit_held={'wait': wait, 'action': 'error'})}/text", headers=[("Accept", "application/json")])
        assert answer.status == 503 and answer.json()["message"] == "not now"

    def test_another_status(self, kit_gateway, route_with, wait):
        assert kit_gateway.get(f"{route_with(kit_held={'wait': wait, 'action': 'status'})}/status/200").status == 203

    def test_head_keeps_the_length(self, kit_gateway, route_with, wait):
        path = route_with(kit_held={"wait": wait, "action": "nothing"})
        with Client(kit_gateway.proxy) as client:
            answer = client.request("HEAD", f"{path}/bytes/5000")
            assert answer.status == 200 and answer.header("content-length") == "5000"
            assert client.request("GET", f"{path}/bytes/3").body == pattern(3)

    @pytest.mark.parametrize("status", [204, 304])
    def test_answers_without_a_body(self, kit_gateway, route_with, wait, status):
        answer = kit_gateway.get(f"{route_with(kit_held={'wait': wait, 'action': 'nothing'})}/status/{status}")
        assert (answer.status, answer.body) == (status, b"")

    def test_many_on_one_connection(self, kit_gateway, route_with, wait):
        path = route_with(kit_held={"wait": wait})
        with Client(kit_gateway.proxy) as client:
            for _ in range(20):
                assert client.request("GET", f"{path}/status/200").body == b"STATUS 200"

    def test_requests_that_follow_at_once(self, kit_gateway, route_with, wait):
        path = route_with(kit_held={"wait": wait})
        with Client(kit_gateway.proxy) as client:
            client.send(f"GET {path}/status/200 HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 5)
            assert [client.answer().body for _ in range(5)] == [b"STATUS 200"] * 5

    def test_http2(self, kit_gateway, route_with, wait):
        path = route_with(kit_held={"wait": wait})
        assert curl_h2(kit_gateway, f"{path}/status/200") == b"STATUS 200"
        assert json.loads(curl_h2(kit_gateway, f"{path}/x", "-d", "a=b").lower())["method"] == "post"

    def test_the_gateways_own_answers_have_no_such_phase(self, kit_gateway, route_with, wait):
        answer = kit_gateway.get(route_with(kit_held={"wait": wait}, request_termination={"status_code": 418, "message": "tea"}))
        assert answer.status == 418 and answer.header("x-held-status") is None


class TestPieces:
    @pytest.mark.parametrize("hold", [False, True])
    def test_other_bytes(self, kit_gateway, route_with, hold):
        answer = kit_gateway.get(f"{route_with(kit_pieces={'hold': hold})}/status/200")
        assert (answer.status, answer.body) == (200, b"STATUS 200")
        assert answer.header("content-length") is None and answer.header("transfer-encoding") == "chunked"

    @pytest.mark.parametrize("size", [0, 1, 8192, 300_000, 3_000_000])
    def test_appended_in_one_piece(self, kit_gateway, route_with, size):
        answer = kit_gateway.get(f"{route_with(kit_pieces={'hold': True, 'action': 'append'})}/bytes/{size}")
        assert answer.body == pattern(size) + b"[end of 1]"

    def test_nothing_is_left(self, kit_gateway, route_with):
        path = route_with(kit_pieces={"action": "empty"})
        with Client(kit_gateway.proxy) as client:
            for size in (10, 200_000):
                answer = client.request("GET", f"{path}/bytes/{size}")
                assert answer.body == b"" and answer.complete

    def test_a_stream_goes_on_as_it_comes(self, kit_gateway, route_with, upstream):
        path = route_with(kit_pieces={})
        with Client(kit_gateway.proxy) as client:
            client.send(f"GET {path}/gate/pieces HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            client.head()
            first = client.chunk()
            upstream.release("pieces")
            rest = b""
            while chunk := client.chunk():
                rest += chunk
        plain = kit_gateway.get(f"{route_with()}/gate/pieces").body
        assert first and first + rest == plain.upper()

    def test_http2(self, kit_gateway, route_with):
        assert curl_h2(kit_gateway, f"{route_with(kit_pieces={'hold': True})}/status/200") == b"STATUS 200"

    def test_behind_the_response_phase(self, kit_gateway, route_with):
        """The plugins that see pieces see what the response phase has made."""
        path = route_with(kit_held={}, kit_pieces={"action": "append", "hold": True})
        assert kit_gateway.get(f"{path}/status/200").body == b"STATUS 200[end of 1]"

    def test_the_record_shows_what_the_client_got(self, kit_gateway, upstream, endpoint):
        route = kit_gateway.add(f"http://127.0.0.1:{upstream.port}", log_to=endpoint.url)
        try:
            kit_gateway.admin.ok("POST", f"/routes/{route.route['id']}/plugins", {"name": "kit-pieces", "config": {"hold": True}})
            tag = new_tag()
            kit_gateway.get(f"{route.path}/status/200?rid={tag}")
            assert endpoint.wait(tag)["response"]["body"] == "STATUS 200"
        finally:
            route.remove()
