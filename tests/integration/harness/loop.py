"""An asyncio loop in a thread of its own, on which the servers of the tests run."""

import asyncio
import threading
from http.client import responses


class LoopThread:
    def __init__(self, name):
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def call(self, coroutine, timeout=30):
        """Runs the coroutine on the loop and returns its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    def stop(self):
        async def cancel_all():
            tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self.call(cancel_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


class HttpServer:
    """HTTP/1.1 on asyncio streams: subclasses answer in `handle`. Closing aborts what is open."""

    def __init__(self, thread, host="127.0.0.1", port=0, tls=None):
        self.thread, self.host, self.port, self._tls = thread, host, port, tls
        self._server, self._writers = None, set()
        self.connections = 0  # ever accepted

    def open(self):
        """Starts to listen; on the same port again after close()."""
        async def start():
            self._server = await asyncio.start_server(
                self._serve, self.host, self.port, ssl=self._tls, backlog=1024, limit=1 << 20)
            self.port = self._server.sockets[0].getsockname()[1]

        if self._server is None:
            self.thread.call(start())
        return self

    def close(self):
        """Stops to listen and resets every connection."""
        async def end():
            self._server.close()
            for writer in list(self._writers):
                writer.transport.abort()
            self._server = None
            await asyncio.sleep(0)

        if self._server is not None:
            self.thread.call(end())

    async def _serve(self, reader, writer):
        self._writers.add(writer)
        self.connections += 1
        connection = Connection(self.connections, reader, writer)
        try:
            while not writer.is_closing():
                request = await connection.read_request()
                if request is None or await self.handle(request, connection) is False:
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
        finally:
            self._writers.discard(writer)
            writer.close()

    async def handle(self, request, connection):
        """Answers one request; False closes the connection."""
        raise NotImplementedError


class Request:
    def __init__(self, method, target, version, headers):
        self.method, self.target, self.version, self.headers = method, target, version, headers
        self.path, _, self.query = target.partition("?")
        self.body = b""

    def header(self, name):
        name = name.lower()
        return next((value for key, value in self.headers if key.lower() == name), None)


class Connection:
    """One accepted connection."""

    def __init__(self, number, reader, writer):
        self.number, self.reader, self.writer = number, reader, writer

    async def read_request(self, with_body=True):
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        lines = head[:-4].decode("latin-1").split("\r\n")
        method, target, version = lines[0].split(" ", 2)
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
        request = Request(method, target, version.removeprefix("HTTP/"), headers)
        if request.header("expect"):
            self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if with_body:
            request.body = await self.read_body(request)
        return request

    async def read_body(self, request):
        if (request.header("transfer-encoding") or "").lower() == "chunked":
            parts = []
            while size := int((await self.reader.readline()).split(b";")[0], 16):
                parts.append(await self.reader.readexactly(size))
                await self.reader.readline()
            while (await self.reader.readline()).strip():
                pass
            return b"".join(parts)
        return await self.reader.readexactly(int(request.header("content-length") or 0))

    async def send(self, status, headers=(), body=b"", head_only=False):
        """One whole answer in one write."""
        lines = [f"HTTP/1.1 {status} {responses.get(status, 'Answer')}"] + [f"{name}: {value}" for name, value in headers]
        if not any(name.lower() == "content-length" for name, _ in headers) and status not in (204, 304):
            lines.append(f"Content-Length: {len(body)}")
        self.writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (b"" if head_only else body))
        await self.writer.drain()

    async def send_head(self, status, headers):
        lines = [f"HTTP/1.1 {status} {responses.get(status, 'Answer')}"] + [f"{name}: {value}" for name, value in headers]
        self.writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")
        await self.writer.drain()

    async def send_chunk(self, data):
        self.writer.write(b"%x\r\n%s\r\n" % (len(data), data))
        await self.writer.drain()
