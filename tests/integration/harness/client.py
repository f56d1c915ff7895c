"""A small HTTP/1.x client that shows exactly what came over the wire."""

import itertools
import json
import os
import socket
import ssl

_numbers = itertools.count(1)


def new_tag():
    """An id for one request: it goes into the query as `rid`, and so into the entry's URL."""
    return f"t{os.getpid()}x{next(_numbers)}"


class Answer:
    def __init__(self, status, reason, headers, body, chunks, complete):
        self.status, self.reason, self.headers, self.body = status, reason, headers, body
        self.chunks = chunks      # as they were framed, where chunked
        self.complete = complete  # False: the connection ended too early

    def header(self, name):
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)

    def all(self, name):
        return [v for k, v in self.headers if k.lower() == name.lower()]

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:400]!r}>"


class Client:
    """One connection. Not safe for threads."""

    def __init__(self, port, host="127.0.0.1", tls_name=None, ca=None, timeout=30, pair=None):
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls_name is not None:
            context = ssl.create_default_context(cafile=str(ca) if ca else None)
            if ca is None:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            if pair:
                context.load_cert_chain(*pair)
            self.socket = context.wrap_socket(self.socket, server_hostname=tls_name)
        self.file = self.socket.makefile("rb")
        self.port = port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def reset(self):
        """Ends the connection with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def send(self, data):
        self.socket.sendall(data)

    def request(self, method, target, headers=(), body=None, version="1.1", host=None):
        headers = list(headers.items() if isinstance(headers, dict) else headers)
        names = {name.lower() for name, _ in headers}
        if "host" not in names and version == "1.1":
            headers.insert(0, ("Host", host or f"127.0.0.1:{self.port}"))
        if "accept" not in names:
            headers.append(("Accept", "*/*"))  # as curl does
        if body is not None and not names & {"content-length", "transfer-encoding"}:
            headers.append(("Content-Length", str(len(body))))
        head = f"{method} {target} HTTP/{version}\r\n" + "".join(f"{n}: {v}\r\n" for n, v in headers) + "\r\n"
        self.send(head.encode("latin-1") + (body or b""))
        return self.answer(head=method == "HEAD")

    def head(self):
        """Status line and headers of the next answer: (status, reason, headers); None at the end."""
        line = self.file.readline()
        if not line:
            return None
        version, status, reason = (line.decode("latin-1").rstrip("\r\n").split(" ", 2) + [""])[:3]
        headers = []
        while (line := self.file.readline()) not in (b"\r\n", b"\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers.append((name, value.strip()))
        return int(status), reason, headers

    def chunk(self):
        """The next chunk of a chunked body; b"" is the last one, None the end of the connection."""
        line = self.file.readline()
        if not line:
            return None
        data = self.file.read(int(line.split(b";")[0], 16))
        self.file.readline()
        return data

    def answer(self, head=False):
        got = self.head()
        while got is not None and got[0] in (100, 103):
            got = self.head()
        if got is None:
            raise ConnectionError("the connection ended before an answer")
        status, reason, headers = got
        answer = Answer(status, reason, headers, b"", [], True)
        if head or status in (204, 304, 101):
            return answer
        length = answer.header("content-length")
        if (answer.header("transfer-encoding") or "").lower() == "chunked":
            while data := self.chunk():
                answer.chunks.append(data)
            answer.complete, answer.body = data == b"", b"".join(answer.chunks)
        elif length is not None:
            answer.body = self.file.read(int(length))
            answer.complete = len(answer.body) == int(length)
        else:
            answer.body = self.file.read()
        return answer


def fetch(port, method, target, headers=(), body=None, **more):
    """One request on a connection of its own."""
    connection = {key: more.pop(key) for key in ("tls_name", "ca", "timeout", "pair") if key in more}
    with Client(port, **connection) as client:
        return client.request(method, target, headers, body, **more)
