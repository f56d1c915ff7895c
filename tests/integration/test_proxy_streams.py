"""Bodies of every size and shape, streams, WebSocket, HTTP/2 and gRPC."""

import asyncio
import gzip
import hashlib
import json
import socket
import subprocess
import threading

import grpc
import pytest
import websockets

from harness.basics import wait_for
from harness.client import Client, fetch, new_tag
from harness.loop import HttpServer
from harness.upstream import decode_body, pattern

BIG = 5 << 20


@pytest.mark.parametrize("kind", ["echo", "logged"])
def test_big_bodies_arrive_whole_both_ways(gateway, request, kind):
    route = request.getfixturevalue(kind)
    body = pattern(BIG, seed=7)
    seen = fetch(gateway.proxy, "POST", route.path, body=body).json()
    assert seen["body_size"] == BIG and seen["body_sha256"] == hashlib.sha256(body).hexdigest()
    assert gateway.get(f"{route.path}/bytes/{BIG}").body == pattern(BIG)
    assert gateway.get(f"{route.path}/chunked/{BIG}").body == pattern(BIG)


def test_a_client_that_reads_late_gets_all_of_it(gateway, logged, endpoint, upstream):
    """The whole answer waits in the gateway, on disk for the most part, and is captured all the same."""
    tag, target = new_tag(), f"{logged.path}/bytes/{BIG}"
    with gateway.connect() as client:
        client.send(f"GET {target}?rid={tag} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        wait_for(lambda: f"/bytes/{BIG}?rid={tag}" in upstream.finished, "the upstream to be rid of it")
        assert client.answer().body == pattern(BIG)
    response = endpoint.wait(tag)["response"]
    assert response["body_size"] == BIG and decode_body(response) == pattern(BIG)[:1024]


def chunked(*parts):
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\n\r\n"


def test_chunked_uploads(gateway, logged):
    parts = [pattern(n, seed=n) for n in (1, 100, 20000, 70000)]
    seen = fetch(gateway.proxy, "POST", logged.path, [("Transfer-Encoding", "chunked")], chunked(*parts)).json()
    assert seen["body_sha256"] == hashlib.sha256(b"".join(parts)).hexdigest()


def test_expect_100_continue(gateway, logged):
    with gateway.connect() as client:
        client.send(f"POST {logged.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n".encode())
        assert client.head()[0] == 100
        client.send(b"hello")
        assert client.answer().json()["body"] == "hello"


def test_gzip_passes_untouched(gateway, logged):
    answer = gateway.get(f"{logged.path}/gzip", headers=[("Accept-Encoding", "gzip")])
    assert answer.header("content-encoding") == "gzip"
    assert gzip.decompress(answer.body) == b"squeezed " * 100


def unbuffered(add, upstream, endpoint):
    return add(f"http://127.0.0.1:{upstream.port}", log_to=endpoint.url, route={"response_buffering": False})


@pytest.mark.parametrize("kind,first,second", [("gate", b"first\n", b"second\n"), ("sse", b"data: one\n\n", b"data: two\n\n")])
def test_a_stream_is_not_held_back(gateway, add, upstream, endpoint, kind, first, second):
    """The first chunk reaches the client before the upstream sends the second."""
    for route in (unbuffered(add, upstream, endpoint), add(f"http://127.0.0.1:{upstream.port}", log_to=endpoint.url)):
        name = new_tag()
        with gateway.connect() as client:
            client.send(f"GET {route.path}/{kind}/{name}?rid={name} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert client.head()[0] == 200
            assert client.chunk() == first  # would block until the time-out if the gateway held it
            upstream.release(name)
            assert client.chunk() == second and client.chunk() == b""
        assert endpoint.wait(name)["response"]["body"] == (first + second).decode()


class FirstByte(HttpServer):
    """Tells how much of a body of 2 bytes had come when the head was there, and whether the rest did."""

    def __init__(self, thread):
        super().__init__(thread)
        self.started = threading.Event()

    async def _serve(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        first = await reader.readexactly(1)
        self.started.set()
        rest = await reader.readexactly(1)
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n" + first + rest if b"POST" in head else b"")
        await writer.drain()
        writer.close()


@pytest.mark.parametrize("buffered", [True, False], ids=["buffered", "unbuffered"])
def test_request_buffering_is_the_routes_choice(gateway, add, thread, buffered):
    server = FirstByte(thread).open()
    route = add(f"http://127.0.0.1:{server.port}", route={"request_buffering": buffered})
    with gateway.connect() as client:
        client.send(f"POST {route.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na".encode())
        if buffered:
            # Another request goes all the way meanwhile; this one's upstream has heard nothing.
            assert gateway.get("/still-nothing").status == 404
            assert server.connections == 0 and not server.started.is_set()
        else:
            assert server.started.wait(20), "the body's first byte"
        client.send(b"b")
        assert client.answer().body == b"ab"
    server.close()


def test_an_upstream_that_ends_too_early_is_not_taken_for_whole(gateway, echo):
    assert not gateway.get(f"{echo.path}/cut/10").complete


def test_websocket(gateway, add, websocket_echo, endpoint):
    route = add(f"http://127.0.0.1:{websocket_echo.port}", log_to=endpoint.url)
    tag = new_tag()

    async def talk():
        async with websockets.connect(f"ws://127.0.0.1:{gateway.proxy}{route.path}/room?rid={tag}", max_size=1 << 22) as ws:
            assert await ws.recv() == f"/room?rid={tag}"
            for message in ("hello", b"\0\1\2", "x" * 300000):
                await ws.send(message)
                assert await ws.recv() == message

    asyncio.run(talk())
    assert endpoint.wait(tag)["response"]["status_code"] == 101


def curl(*arguments):
    return subprocess.run(["curl", "-sS", "--max-time", "20", *map(str, arguments)], capture_output=True, check=True).stdout


def test_http2_with_and_without_tls(gateway, logged, authority, endpoint, tmp_path):
    for tag, base, more in ((new_tag(), f"http://127.0.0.1:{gateway.h2c}", ["--http2-prior-knowledge"]),
                            (new_tag(), f"https://127.0.0.1:{gateway.tls}", ["--http2", "--cacert", authority.certificate])):
        body = tmp_path / "body"
        body.write_text("b" * 200000)
        out = curl(*more, "-w", "\n%{http_version}", "-d", f"@{body}", f"{base}{logged.path}/x?rid={tag}")
        answer, _, version = out.rpartition(b"\n")
        assert version == b"2"
        assert json.loads(answer)["body_size"] == 200000 and json.loads(answer)["version"] == "1.1"
        entry = endpoint.wait(tag)
        assert entry["request"]["url"] == f"{base}{logged.path}/x?rid={tag}"
        assert entry["request"]["body_size"] == 200000


def test_many_streams_on_one_http2_connection(gateway, logged, endpoint):
    tags = [new_tag() for _ in range(40)]
    urls = [f"http://127.0.0.1:{gateway.h2c}{logged.path}/bytes/3000?rid={tag}" for tag in tags]
    done = subprocess.run(["nghttp", "-n", "-s", *urls], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" 200 ") == len(tags), done.stdout
    for tag in tags:
        assert endpoint.wait(tag)["response"]["body_size"] == 3000


def test_tls_for_clients(gateway, add, upstream, authority):
    route = add(f"http://127.0.0.1:{upstream.port}", route={"protocols": ["https"]})
    with Client(gateway.tls, tls_name="gate.test", ca=authority.certificate) as client:
        answer = client.request("GET", route.path, [("Host", f"gate.test:{gateway.tls}")])
    seen = dict((n.lower(), v) for n, v in answer.json()["headers"])
    assert answer.status == 200 and seen["x-forwarded-proto"] == "https"
    assert seen["x-forwarded-port"] == str(gateway.tls) and seen["x-forwarded-host"] == "gate.test"


@pytest.fixture
def grpc_route(add, grpc_echo, endpoint):
    return add(None, "/echo.Echo", log_to=endpoint.url,
               service={"protocol": "grpc", "host": "127.0.0.1", "port": grpc_echo.port},
               route={"protocols": ["grpc", "grpcs"], "strip_path": False})


@pytest.mark.parametrize("secure", [False, True], ids=["h2c", "tls"])
def test_grpc(gateway, grpc_route, authority, endpoint, secure):
    def is_grpc(entry):
        return entry["request"]["url"].endswith("/echo.Echo/Say") and entry["request"]["url"].startswith("https" if secure else "http:")

    if secure:
        credentials = grpc.ssl_channel_credentials(authority.certificate.read_bytes())
        channel = grpc.secure_channel(f"localhost:{gateway.tls}", credentials)
    else:
        channel = grpc.insecure_channel(f"127.0.0.1:{gateway.h2c}")
    with channel:
        assert channel.unary_unary("/echo.Echo/Say")(b"abc" * 50000, timeout=10) == b"ABC" * 50000
        replies = channel.stream_stream("/echo.Echo/Stream")(iter([b"a", b"b", b"c"]), timeout=10)
        assert list(replies) == [b"a!", b"b!", b"c!"]
        with pytest.raises(grpc.RpcError) as error:
            channel.unary_unary("/echo.Echo/Fail")(b"", timeout=10)
        assert (error.value.code(), error.value.details()) == (grpc.StatusCode.FAILED_PRECONDITION, "as asked")
    entry = endpoint.wait_where(is_grpc, "the entry of the gRPC call")
    assert entry["response"]["status_code"] == 200 and entry["request"]["body_size"] == 150005
