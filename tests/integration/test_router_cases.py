"""Kong's recorded routing decisions (tests/cases/router.json) through the whole gateway: every table, every request."""

import asyncio
import json
from pathlib import Path

import pytest

from harness.client import Client
from harness.loop import HttpServer

TABLES = json.loads((Path(__file__).parent.parent / "cases" / "router.json").read_text())["tables"]


class Addressed(HttpServer):
    """Answers with what it was asked, and under which of its addresses: one per route of a table."""

    def __init__(self, thread, count):
        super().__init__(thread, host=[f"127.1.0.{i + 1}" for i in range(count)])

    def open(self):
        async def start():
            for port in range(20000, 60000, 7):  # The same port on every address.
                try:
                    return await asyncio.start_server(self._serve, self.host, port, limit=1 << 20)
                except OSError:
                    continue
            raise OSError("no port is free on all addresses")

        self._server = self.thread.call(start())
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def handle(self, request, connection):
        address = connection.writer.get_extra_info("sockname")[0]
        seen = {"index": int(address.rsplit(".", 1)[1]), "uri": request.target, "host": request.header("host"),
                "prefix": request.header("x-forwarded-prefix")}
        await connection.send(200, [("Content-Type", "application/json")], json.dumps(seen).encode())
        return True


@pytest.fixture(scope="module")
def addressed(thread):
    server = Addressed(thread, max(len(table["routes"]) for table in TABLES)).open()
    yield server
    server.close()


@pytest.fixture(scope="module")
def without_database(gibbon_binary):
    from harness.gateway import Gateway
    gateway = Gateway(workers=1, database="off")
    try:
        gateway.start()
        yield gateway
        assert not gateway.new_alarms()
    finally:
        gateway.close()


def document(table, port):
    services, routes = [], []
    for index, row in enumerate(table["routes"], 1):
        # The recordings are of the router itself: what a route does not say is not set.
        route = {"strip_path": False, "created_at": 1700000000, "name": f"r{index}"} | row["route"]
        if "service" in row:
            service = {key: value for key, value in row["service"].items() if key in ("protocol", "path")}
            services.append(service | {"name": f"s{index}", "host": f"127.1.0.{index}", "port": port})
            route["service"] = f"s{index}"
        routes.append(route)
    return {"_format_version": "3.0", "services": services, "routes": routes}


def send(gateway, request):
    headers = [(name, value) for name, values in request.get("headers", {}).items()
               for value in (values if isinstance(values, list) else [values])]
    with Client(gateway.proxy) as client:
        return client.request(request["method"], request["uri"], headers, host=request.get("host"),
                              body=b"" if request["method"] != "GET" else None)


def check(answer, expect, table, port):
    if expect is None:
        assert answer.status == 404 and answer.json()["message"] == "no Route matched with those values", answer
        return
    row = table["routes"][expect["index"] - 1]
    if "service" not in row:
        assert answer.status == 503 and answer.json()["message"] == "no Service found with those values", answer
        return
    if row["service"]["protocol"] == "grpc":  # The upstream of this test speaks HTTP/1 alone.
        assert answer.status == 502, answer
        return
    assert answer.status == 200, answer
    seen = answer.json()
    assert seen["index"] == expect["index"]
    assert seen["uri"] == expect["upstream_uri"]
    assert seen["host"] == (expect["upstream_host"] or f"127.1.0.{expect['index']}:{port}")


@pytest.mark.parametrize("number", range(len(TABLES)))
def test_table(without_database, addressed, number):
    table, gateway = TABLES[number], without_database
    answer = gateway.admin.call("POST", "/config", document(table, addressed.port))
    if table.get("rejected"):
        assert answer.status == 400, answer
        refused = [route for route in answer.json()["fields"]["routes"] if route]
        assert json.loads(table["rejected"]) in refused, refused
        return
    assert answer.status == 201, answer
    for request in table["requests"]:
        try:
            check(send(gateway, request), request["expect"], table, addressed.port)
        except AssertionError as error:
            raise AssertionError(f"{request}: {error}") from error
