"""The server behind the gateway: it does what the path says, and tells what it saw."""

import asyncio
import base64
import gzip
import hashlib
import json
import ssl
import threading
from urllib.parse import parse_qsl

from .loop import HttpServer


def pattern(size, seed=1):
    """`size` bytes that look random but are the same each time."""
    block = b"".join(hashlib.sha256(b"%d-%d" % (seed, i)).digest() for i in range(2048))
    return (block * (size // len(block) + 1))[:size]


class Upstream(HttpServer):
    """
    /status/N · /probe (self.probe_status) · /bytes/N · /chunked/N · /text · /gzip · /set (query pairs become response headers)
    /gate/NAME (one chunk, then another one after release(NAME)) · /sse/NAME (the same as an event stream)
    /stall/NAME (no answer before release(NAME)) · /cut/N (promises 1000 bytes, sends N, closes) · /close (no answer)
    everything else: the request as JSON
    """

    def __init__(self, thread, tls=None, name="upstream", host="127.0.0.1", port=0):
        super().__init__(thread, host=host, port=port, tls=tls)
        self.name = name
        self.seen = []      # (method, target) of every request
        self.finished = []  # targets whose answer has left in full
        self.probe_status = 200  # of /probe: what health checks get
        self.probes = []    # the requests for /probe
        self._gates, self._lock = {}, threading.Lock()

    def gate(self, name):
        with self._lock:
            return self._gates.setdefault(name, asyncio.Event())

    def release(self, name):
        self.thread.loop.call_soon_threadsafe(self.gate(name).set)

    async def handle(self, request, connection):
        self.seen.append((request.method, request.target))
        parts = request.path.strip("/").split("/")
        action = getattr(self, "_do_" + parts[0], None)
        if action is None:
            going_on = await self._echo(request, connection)
        else:
            going_on = await action(request, connection, parts[1] if len(parts) > 1 else "")
        self.finished.append(request.target)
        return going_on

    async def _answer(self, request, connection, status, headers, body):
        await connection.send(status, headers, body, head_only=request.method == "HEAD")

    async def _echo(self, request, connection):
        peer = connection.writer.get_extra_info("ssl_object")
        body = json.dumps({
            "server": self.name, "connection": connection.number, "method": request.method, "uri": request.target,
            "version": request.version, "headers": request.headers, "body_size": len(request.body),
            "body_sha256": hashlib.sha256(request.body).hexdigest(),
            "body": request.body[:4096].decode("latin-1"), "tls": peer is not None,
            "sni": getattr(peer, "test_sni", None) if peer else None,
            "client_certificate": _common_name(peer.getpeercert()) if peer else None}).encode()
        await self._answer(request, connection, 200, [("Content-Type", "application/json"), ("X-Up", "1")], body)

    async def _do_status(self, request, connection, argument):
        await self._answer(request, connection, int(argument), [("Content-Type", "text/plain")],
                           b"" if argument in ("204", "304") else f"status {argument}".encode())

    async def _do_probe(self, request, connection, argument):
        self.probes.append(request)
        await self._answer(request, connection, self.probe_status, [("Content-Type", "text/plain")], b"")

    async def _do_bytes(self, request, connection, argument):
        await self._answer(request, connection, 200, [("Content-Type", "application/octet-stream")],
                           pattern(int(argument)))

    async def _do_text(self, request, connection, argument):
        size = int(argument or 1024)
        await self._answer(request, connection, 200, [("Content-Type", "text/plain")], b"a" * size)

    async def _do_gzip(self, request, connection, argument):
        await self._answer(request, connection, 200, [("Content-Type", "text/plain"), ("Content-Encoding", "gzip")],
                           gzip.compress(b"squeezed " * 100, mtime=0))

    async def _do_set(self, request, connection, argument):
        await self._answer(request, connection, 200, parse_qsl(request.query), b"set")

    async def _do_chunked(self, request, connection, argument):
        await connection.send_head(200, [("Content-Type", "application/octet-stream"), ("Transfer-Encoding", "chunked")])
        data = pattern(int(argument))
        for start in range(0, len(data), 10000):
            await connection.send_chunk(data[start:start + 10000])
        await connection.send_chunk(b"")

    async def _do_gate(self, request, connection, argument, kind="text/plain", texts=(b"first\n", b"second\n")):
        await connection.send_head(200, [("Content-Type", kind), ("Transfer-Encoding", "chunked")])
        await connection.send_chunk(texts[0])
        await self.gate(argument).wait()
        await connection.send_chunk(texts[1])
        await connection.send_chunk(b"")

    async def _do_sse(self, request, connection, argument):
        await self._do_gate(request, connection, argument, "text/event-stream", (b"data: one\n\n", b"data: two\n\n"))

    async def _do_stall(self, request, connection, argument):
        await self.gate(argument).wait()
        await self._answer(request, connection, 200, [("Content-Type", "text/plain")], b"late")

    async def _do_cut(self, request, connection, argument):
        await connection.send_head(200, [("Content-Type", "text/plain"), ("Content-Length", "1000")])
        connection.writer.write(b"c" * int(argument))
        await connection.writer.drain()
        return False

    async def _do_close(self, request, connection, argument):
        return False


def _common_name(certificate):
    return dict(pair for part in certificate["subject"] for pair in part).get("commonName") if certificate else None


def server_tls(certificate, key, others=(), clients=None):
    """A server context that remembers the name each client asked for; `others`: {name: (certificate, key)};
    `clients`: the authority whose certificate every client must have."""
    def make(cert, private):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, private)
        if clients:
            context.load_verify_locations(clients)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    by_name = {name: make(*pair) for name, pair in dict(others).items()}

    def choose(connection, name, _):
        connection.test_sni = name
        if name in by_name:
            connection.context = by_name[name]

    context = make(certificate, key)
    context.sni_callback = choose
    return context


def decode_body(side):
    """The bytes of an entry's `request` or `response` body."""
    if side.get("body_encoding") == "base64":
        return base64.b64decode(side["body"])
    return side["body"].encode()
