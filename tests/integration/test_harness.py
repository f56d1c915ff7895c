"""The helpers themselves, without Gibbon: a test that cannot fail proves nothing."""

import asyncio
import gzip
import socket

import grpc
import pytest
import websockets

from harness.basics import alive, refusing_port, wait_for
from harness.client import Client, fetch, new_tag
from harness.endpoint import tag_of, tally
from harness.gateway import ALARMS, Metrics
from harness.load import Load, hammer
from harness.names import NameServer
from harness.upstream import pattern


def test_the_upstream_tells_what_it_saw(upstream):
    answer = fetch(upstream.port, "POST", "/echo?a=1", [("X-Dup", "1"), ("X-Dup", "2")], b"body")
    seen = answer.json()
    assert (seen["method"], seen["uri"], seen["body"]) == ("POST", "/echo?a=1", "body")
    assert [v for n, v in seen["headers"] if n == "X-Dup"] == ["1", "2"]


def test_the_upstream_answers_in_every_shape(upstream):
    with Client(upstream.port) as client:
        assert client.request("GET", "/status/503").status == 503
        assert client.request("GET", "/bytes/70000").body == pattern(70000)
        chunked = client.request("GET", "/chunked/25000")
        assert [len(c) for c in chunked.chunks] == [10000, 10000, 5000] and chunked.body == pattern(25000)
        assert gzip.decompress(client.request("GET", "/gzip").body).startswith(b"squeezed")
        assert client.request("GET", "/set?A=1&A=2").all("a") == ["1", "2"]
        assert client.request("HEAD", "/bytes/70000").header("content-length") == "70000"
        assert client.request("GET", "/status/304").status == 304
        assert client.request("PUT", "/x", [("Transfer-Encoding", "chunked")], b"3\r\nabc\r\n0\r\n\r\n").json()["body"] == "abc"
        cut = client.request("GET", "/cut/10")
        assert not cut.complete and cut.body == b"c" * 10
    with pytest.raises(ConnectionError):
        fetch(upstream.port, "GET", "/close")


def test_a_gate_holds_the_second_chunk(upstream):
    with Client(upstream.port) as client:
        client.send(b"GET /gate/self HTTP/1.1\r\nHost: x\r\n\r\n")
        client.head()
        assert client.chunk() == b"first\n"
        client.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.socket.recv(1, socket.MSG_PEEK)
        client.socket.settimeout(20)
        upstream.release("self")
        assert client.chunk() == b"second\n" and client.chunk() == b""


def test_tls_identities(tls_upstream, authority):
    for name in ("one.test", "two.test", "localhost"):
        assert fetch(tls_upstream.port, "GET", "/", tls_name=name, ca=authority.certificate).json()["sni"] == name


def test_websocket_and_grpc_echo(websocket_echo, grpc_echo):
    async def talk():
        async with websockets.connect(f"ws://127.0.0.1:{websocket_echo.port}/p") as ws:
            assert await ws.recv() == "/p"
            await ws.send("hello")
            assert await ws.recv() == "hello"

    asyncio.run(talk())
    with grpc.insecure_channel(f"127.0.0.1:{grpc_echo.port}") as channel:
        assert channel.unary_unary("/echo.Echo/Say")(b"abc", timeout=5) == b"ABC"
        assert list(channel.stream_stream("/echo.Echo/Stream")(iter([b"a", b"b"]), timeout=5)) == [b"a!", b"b!"]
        with pytest.raises(grpc.RpcError) as error:
            channel.unary_unary("/echo.Echo/Fail")(b"", timeout=5)
        assert error.value.code() == grpc.StatusCode.FAILED_PRECONDITION


def entry_body(tag, number=1):
    url = f"http://h/x?rid={tag}"
    return b'{"entry_id":"%d","request":{"url":"%s"}}' % (number, url.encode())


def test_the_endpoint_takes_one_many_and_lines(make_endpoint):
    endpoint = make_endpoint(batches=True)
    for body, kind in ((entry_body("a"), "application/json"), (b"[%s,%s]" % (entry_body("b"), entry_body("c")), "application/json"),
                       (entry_body("d") + b"\n" + entry_body("d", 2) + b"\n", "application/x-ndjson")):
        answer = fetch(endpoint.port, "POST", "/logs", [("Content-Type", kind)], body)
        assert answer.status == 200 and "ndjson" in answer.header("accept-post")
    assert tally(endpoint.snapshot()) == {"a": 1, "b": 1, "c": 1, "d": 2}
    assert tag_of(endpoint.wait("a")) == "a"


def test_the_endpoint_fails_in_every_way(make_endpoint):
    endpoint = make_endpoint()
    post = lambda: fetch(endpoint.port, "POST", "/logs", [("Content-Type", "application/json")], entry_body("x"), timeout=0.3)
    endpoint.mode = "error"
    assert post().status == 500
    endpoint.mode = "reset"
    with pytest.raises(OSError):
        post()
    endpoint.mode = "hang"
    with pytest.raises(TimeoutError):
        post()
    assert endpoint.count() == 0 and endpoint.refused == 3
    endpoint.mode = "forget"
    with pytest.raises((OSError, ValueError)):
        answer = post()
        assert answer.complete
        raise ValueError
    assert endpoint.count() == 1
    endpoint.close()
    with pytest.raises(ConnectionRefusedError):
        post()
    endpoint.mode = "ok"
    endpoint.open()
    assert post().status == 200 and endpoint.count() == 2


def test_load_counts_exactly(upstream):
    outcome = hammer(upstream.port, "/status/200", 300)
    assert len(outcome.complete) == 300 and not outcome.failed and outcome.statuses == {200: 300}
    holder, port = refusing_port()
    with holder:
        outcome = hammer(port, "/", 5, connections=1)
    assert len(outcome.failed) == 5 and not outcome.complete
    outcome = hammer(upstream.port, "/cut/3", 4, connections=2)
    assert len(outcome.failed) == 4 and all("Incomplete" in why for why in outcome.failed.values())
    load = Load(upstream.port, "/text/10")
    wait_for(lambda: load.done > 50, "50 answers")
    assert not load.stop().failed


def test_the_name_server(thread):
    server = NameServer(thread, {"a.test": "127.0.0.9"})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        for name, code, ending in ((b"\1a\4test\0", 0, b"\x7f\0\0\x09"), (b"\1b\4test\0", 3, b"")):
            client.sendto(b"\1\2\1\0\0\1\0\0\0\0\0\0" + name + b"\0\1\0\1", ("127.0.0.1", server.port))
            answer = client.recv(512)
            assert answer[3] & 15 == code and answer.endswith(ending)
    server.close()


def test_metrics_and_alarms():
    metrics = Metrics('# HELP x\ngibbon_log_entries_captured_total 5\ngibbon_log_entries_dropped_total{reason="a"} 1\n'
                      'gibbon_log_entries_dropped_total{reason="b"} 1\ngibbon_log_entries_delivered_total 2\n'
                      'gibbon_log_entries_pending{where="ring"} 1\n')
    assert metrics.account() == {"captured": 5, "delivered": 2, "dropped": 2, "pending": 1} and metrics.balanced()
    assert ALARMS.search("2026/01/01 [alert] 1#1: worker process 5 exited on signal 11") and not ALARMS.search("[notice] x")


def test_waiting_fails_at_the_deadline():
    with pytest.raises(AssertionError, match="for nothing"):
        wait_for(lambda: False, "nothing", timeout=0.05)
    assert alive(1) and not alive(1 << 22)
    assert new_tag() != new_tag()
