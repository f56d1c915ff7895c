"""Load that counts exactly: every request has an id of its own, and every failure is named."""

import asyncio
import collections
import threading

from .client import new_tag
from .loop import LoopThread


class Outcome:
    """What became of the requests."""

    def __init__(self):
        self.statuses = collections.Counter()
        self.complete = {}   # tag -> status, where the whole answer arrived
        self.failed = {}     # tag -> why
        self.stale = 0       # requests sent again because a kept-alive connection had been closed before any answer

    def __repr__(self):
        why = collections.Counter(self.failed.values())
        return f"<{len(self.complete)} complete {dict(self.statuses)}, {len(self.failed)} failed {dict(why)}, {self.stale} stale>"


class Load:
    """
    `connections` clients that send GET `target?rid=...`, each on a kept-alive connection, until stop() or until
    `requests` were sent. A request on a reused connection that ends before the first byte of an answer is sent
    once more with another id, as any HTTP client does (RFC 9110, 9.2.2); all else that goes wrong is a failure.
    """

    def __init__(self, port, target, connections=8, requests=None, close_each=False, method="GET", body=b"",
                 pause=0.0, headers=()):
        self.port, self.target, self.method, self.body, self.pause = port, target, method, body, pause
        self.outcome = Outcome()
        self._left = requests
        self._close_each = close_each
        self._headers = "".join(f"{n}: {v}\r\n" for n, v in headers)
        self._stop = threading.Event()
        self._connections = connections
        self._thread = LoopThread("load")
        self._future = asyncio.run_coroutine_threadsafe(self._all(), self._thread.loop)

    @property
    def done(self):
        return len(self.outcome.complete)

    def stop(self):
        """Lets each client finish the request it is in, and returns the outcome."""
        self._stop.set()
        return self.wait()

    def wait(self, timeout=120):
        try:
            self._future.result(timeout)
        finally:
            self._thread.stop()
        return self.outcome

    async def _all(self):
        await asyncio.gather(*(self._client() for _ in range(self._connections)))

    def _more(self):
        if self._stop.is_set():
            return False
        if self._left is None:
            return True
        self._left -= 1
        return self._left >= 0

    async def _client(self):
        streams = None
        while self._more():
            tag = new_tag()
            reused = streams is not None
            try:
                if streams is None:
                    streams = await asyncio.open_connection("127.0.0.1", self.port)
                status, keep = await asyncio.wait_for(self._exchange(*streams, tag), 30)
                self.outcome.complete[tag] = status
                self.outcome.statuses[status] += 1
            except Exception as error:  # noqa: BLE001: named in the outcome
                keep = False
                if reused and isinstance(error, _NoAnswer):
                    self.outcome.stale += 1
                    if self._left is not None:
                        self._left += 1
                else:
                    self.outcome.failed[tag] = f"{type(error).__name__}: {error}"
                    await asyncio.sleep(0.02)
            if not keep and streams is not None:
                streams[1].close()
                streams = None
            if self.pause:
                await asyncio.sleep(self.pause)
        if streams is not None:
            streams[1].close()

    async def _exchange(self, reader, writer, tag):
        joint = "&" if "?" in self.target else "?"
        length = f"Content-Length: {len(self.body)}\r\n" if self.body else ""
        close = "Connection: close\r\n" if self._close_each else ""
        writer.write(f"{self.method} {self.target}{joint}rid={tag} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
                     f"{self._headers}{length}{close}\r\n".encode() + self.body)
        try:
            line = await reader.readline()
        except ConnectionError:
            line = b""
        if not line:
            raise _NoAnswer("closed before an answer")
        status = int(line.split()[1])
        length, chunked, keep = None, False, not self._close_each
        while (line := await reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").lower().partition(":")
            if name == "content-length":
                length = int(value)
            elif name == "transfer-encoding":
                chunked = "chunked" in value
            elif name == "connection" and "close" in value:
                keep = False
        if line == b"":
            raise ConnectionError("closed in the headers")
        if chunked:
            while size := int(await reader.readline(), 16):
                await reader.readexactly(size + 2)
            await reader.readline()
        elif length is not None:
            await reader.readexactly(length)
        return status, keep


class _NoAnswer(ConnectionError):
    pass


def hammer(port, target, requests, connections=8, **more):
    """Sends `requests` requests and returns the outcome."""
    return Load(port, target, connections, requests, **more).wait()
