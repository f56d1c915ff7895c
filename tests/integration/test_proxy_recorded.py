"""Kong's recorded answers and forwarded requests (tests/cases/proxy.json): every header, in its place."""

import json
import re
from pathlib import Path

import pytest

from harness.basics import refusing_port
from harness.client import Client
from harness.gateway import Gateway
from harness.loop import HttpServer

CASES = json.loads((Path(__file__).parent.parent / "cases" / "proxy.json").read_text())["cases"]
DATE = "Sun, 22 Nov 2026 23:23:02 GMT"
PLACES = {"<date>": r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", "<ms>": r"\d+", "<id>": "[0-9a-f]{32}",
          "<kong>": r"kong/3\.9\.3 gibbon/[\d.]+"}


class Recorded(HttpServer):
    """The recording's upstream, to the letter: /plain is a file of an nginx, /echo tells what it saw, /slow stalls."""

    def __init__(self, thread):
        super().__init__(thread)
        self.seen = None

    async def handle(self, request, connection):
        self.seen = request
        if "plain" in request.path:
            await connection.send(200, [("Server", "nginx/1.22.1"), ("Date", DATE), ("Content-Type", "application/json")],
                                  b"x" * 1152, head_only=request.method == "HEAD")
        elif request.path.startswith("/slow"):
            await connection.reader.read(1)  # until the gateway has had enough
            return False
        else:
            status = 500 if request.path.endswith("status500") else 200
            await connection.send_head(status, [("Content-Type", "application/json"), ("X-Up", "1"), ("Server", "upstream/1"),
                                                ("Date", DATE), ("Transfer-Encoding", "chunked")])
            await connection.send_chunk(b"{}")
            await connection.send_chunk(b"")
        return True


@pytest.fixture(scope="module")
def recorded(gibbon_binary, thread, name_server):
    upstream = Recorded(thread).open()
    holder, dead = refusing_port()
    gateway = Gateway(workers=1, settings={"dns_resolver": f"127.0.0.1:{name_server.port}"})
    try:
        gateway.start()
        base = f"http://127.0.0.1:{upstream.port}"
        gateway.add(base + "/plain", "/plain")
        gateway.add(f"http://127.0.0.1:{dead}", "/dead")
        gateway.add(base + "/slow", "/slow", service={"read_timeout": 500, "retries": 0})
        gateway.admin.ok("POST", "/routes", {"paths": ["/nosvc"]})
        gateway.add(base, "/tlsonly", route={"protocols": ["https"]})
        gateway.add("http://nowhere.example.test", "/badname")
        gateway.add(base + "/base", "/echo")
        gateway.add(base + "/base", "/echo2", route={"strip_path": False, "preserve_host": True})
        yield gateway, upstream
        assert not gateway.new_alarms()
    finally:
        gateway.close()
        upstream.close()
        holder.close()


def send(gateway, case):
    headers = [("User-Agent", "curl/7.88.1")]
    if not any(name == "Accept" for name, _ in case.get("send", ())):
        headers.append(("Accept", "*/*"))
    headers += case.get("send", ())
    if not any(name == "Host" for name, _ in headers):
        headers.insert(0, ("Host", f"127.0.0.1:{gateway.proxy}"))
    body = case.get("body", "")
    if body:
        headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        if ["Transfer-Encoding", "chunked"] in case.get("send", ()):
            body = f"{len(body):x}\r\n{body}\r\n0\r\n\r\n"
        else:
            headers.append(("Content-Length", str(len(body))))
    with Client(gateway.proxy) as client:
        lines = [f"{case['method']} {case['target']} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        client.send(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        status = client.file.readline().decode().rstrip("\r\n")
        head = []
        while line := client.file.readline().decode().rstrip("\r\n"):
            name, _, value = line.partition(": ")
            head.append([name, value])
        length = next((int(value) for name, value in head if name == "Content-Length"), 0)
        return status, head, client.file.read(length).decode() if case["method"] != "HEAD" else ""


def like(text, expected):
    """Whether `text` is `expected`, but for what differs from run to run."""
    pattern = re.escape(expected)
    for place, values in PLACES.items():
        pattern = pattern.replace(re.escape(place), values)
    return re.fullmatch(pattern, text) is not None


def compare(found, expected, gateway, upstream):
    assert [name for name, _ in found] == [name for name, _ in expected], (found, expected)
    for (name, value), (_, want) in zip(found, expected):
        want = want.replace("<proxy>", str(gateway.proxy)).replace("<upstream>", str(upstream.port))
        assert like(value, want), (name, value, want)


@pytest.mark.parametrize("case", CASES, ids=[case["name"].replace(" ", "-") for case in CASES])
def test_as_recorded(recorded, case):
    gateway, upstream = recorded
    status, head, body = send(gateway, case)
    assert status == case["status"], (status, head, body)
    compare(head, case["headers"], gateway, upstream)
    if "answer" in case:
        assert like(body.rstrip("\n"), case["answer"]), body
        assert dict(head)["X-Kong-Request-Id"] in body
    if "seen" in case:
        seen = upstream.seen
        assert (seen.method, seen.target, seen.version) == (case["method"], case["seen"]["uri"], "1.1")
        compare(seen.headers, case["seen"]["headers"], gateway, upstream)
        assert seen.body.decode() == case["seen"]["body"]
        assert dict(seen.headers)["X-Kong-Request-Id"] == dict(head)["X-Kong-Request-Id"]
