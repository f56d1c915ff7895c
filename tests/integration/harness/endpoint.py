"""A log endpoint that does what a test asks of it, and remembers every entry."""

import asyncio
import collections
import json
import threading
from urllib.parse import parse_qs, urlsplit

from .basics import wait_for
from .loop import HttpServer, LoopThread


class LogEndpoint(HttpServer):
    """
    Modes: ok · error (500) · unavailable (503) · hang (reads, never answers) · reset (reads, then resets: nothing
    was taken) · forget (takes the entry, then resets in the middle of its answer) · slow (waits 50 ms).
    Down and up again: close() and open(). Entries count as taken when the answer says so, and for `forget`.
    """

    def __init__(self, thread=None, batches=False, port=0):
        self._own = LoopThread("endpoint") if thread is None else None
        super().__init__(thread or self._own, port=port)
        self.mode = "ok"
        self.batches = batches  # answer with Accept-Post: application/x-ndjson
        self.entries, self.requests, self.content_types = [], 0, collections.Counter()
        self.refused = 0  # requests that were not taken
        self.headers = []  # of the requests that were taken
        self._lock = threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/logs"

    def shut(self):
        self.close()
        if self._own:
            self._own.stop()

    async def handle(self, request, connection):
        mode = self.mode
        self.requests += 1
        if mode in ("hang", "reset", "error", "unavailable"):
            self.refused += 1
        if mode == "hang":
            while self.mode == "hang":
                await asyncio.sleep(0.05)
            connection.writer.transport.abort()
            return False
        if mode == "reset":
            connection.writer.transport.abort()
            return False
        if mode in ("error", "unavailable"):
            await connection.send(500 if mode == "error" else 503, [("Content-Type", "application/json")], b"{}")
            return True
        if mode == "slow":
            await asyncio.sleep(0.05)
        extra = [("Accept-Post", "application/x-ndjson, application/json")] if self.batches else []
        if request.method == "POST":
            self._take(request)
        if mode == "forget":
            connection.writer.write(b"HTTP/1.1 200 OK\r\nContent-Le")
            await connection.writer.drain()
            connection.writer.transport.abort()
            return False
        await connection.send(200, [("Content-Type", "application/json"), *extra], b'{"ok":true}')
        return True

    def _take(self, request):
        kind = (request.header("content-type") or "").split(";")[0]
        if kind == "application/x-ndjson":
            taken = [json.loads(line) for line in request.body.splitlines() if line.strip()]
        else:
            parsed = json.loads(request.body)
            taken = parsed if isinstance(parsed, list) else [parsed]
        with self._lock:
            self.content_types[kind] += 1
            self.headers.append(request.headers)
            self.entries.extend(taken)

    # What tests ask.

    def snapshot(self):
        with self._lock:
            return list(self.entries)

    def count(self):
        return len(self.entries)

    def of(self, tag):
        """Entries of the request that carried `rid=tag`."""
        return [e for e in self.snapshot() if tag_of(e) == tag]

    def wait(self, tag, timeout=20):
        """The one entry of the request that carried `rid=tag`."""
        return wait_for(lambda: self.of(tag), lambda: f"the entry of {tag}; have {self.count()} entries", timeout)[0]

    def wait_where(self, predicate, what, timeout=20):
        return wait_for(lambda: [e for e in self.snapshot() if predicate(e)], what, timeout)[0]


def tag_of(entry):
    """The `rid` of an entry's URL, or None."""
    found = parse_qs(urlsplit(entry["request"]["url"]).query).get("rid")
    return found[0] if found else None


def tally(entries):
    """How many different entries (by entry_id) each tag has: {tag: count}."""
    ids = collections.defaultdict(set)
    for entry in entries:
        tag = tag_of(entry)
        if tag is not None:
            ids[tag].add(entry["entry_id"])
    return {tag: len(found) for tag, found in ids.items()}
