"""Ten thousand routes: every worker has a change before its answer comes."""

import json
import os
from pathlib import Path

import pytest

from harness.basics import wait_for
from harness.client import Client, fetch

ROUTES, WORKERS = 10000, 3


def document(port, generation):
    """All routes lead to the upstream, which tells the service's path: which route and which configuration it was."""
    def paths(i):
        return [f"~/r/{i}/\\d+$", f"/plain/{i}"] if i % 10 == 3 else [f"/r/{i}/"]

    return {"_format_version": "3.0",
            "services": [{"name": f"s{s}", "url": f"http://127.0.0.1:{port}/{generation}/s{s}"} for s in range(50)],
            "routes": [{"name": f"r{i}", "service": f"s{i % 50}", "hosts": [f"h{i // 10}.test", f"*.w{i // 10}.test"],
                        "paths": paths(i), "methods": ["GET", "POST"] if i % 3 else ["GET"]} for i in range(ROUTES)]}


def spread(gateway):
    """Its workers have a listening socket each, so that the kernel spreads connections over them."""
    gateway.write_settings(proxy_listen=f"127.0.0.1:{gateway.proxy} reuseport")
    return gateway


class Everyone:
    """Connections of which every worker holds one at least."""

    def __init__(self, gateway):
        self.clients = []
        workers = wait_for(lambda: len(all_of_them := gateway.workers()) == WORKERS and all_of_them, "all workers")
        while len(self._holders(workers)) < WORKERS:
            assert len(self.clients) < 400, "connections do not reach every worker"
            client = Client(gateway.proxy)
            assert client.request("GET", "/nobody").status == 404
            self.clients.append(client)

    def _holders(self, workers):
        """The workers that hold one of our connections, by the sockets that the kernel shows."""
        ours = {client.socket.getsockname()[1] for client in self.clients}
        inodes = set()
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if int(fields[2].split(":")[1], 16) in ours:
                inodes.add(f"socket:[{fields[9]}]")
        holders = set()
        for pid in workers:
            for link in Path(f"/proc/{pid}/fd").iterdir():
                try:
                    if os.readlink(link) in inodes:
                        holders.add(pid)
                except OSError:
                    pass
        return holders

    def ask(self, target, host):
        """The upstream's view from every worker."""
        answers = [client.request("GET", target, [("Host", host)]) for client in self.clients]
        return {answer.json()["uri"] if answer.status == 200 else answer.status for answer in answers}

    def close(self):
        for client in self.clients:
            client.close()


@pytest.fixture
def everyone():
    made = []

    def make(gateway):
        made.append(Everyone(gateway))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_configuration_is_everywhere_when_it_is_answered(make_gateway, upstream, everyone):
    gateway = spread(make_gateway(start=False, workers=WORKERS, database="off"))
    clients = everyone(gateway.start())
    for generation in ("one", "two", "three"):
        answer = gateway.admin.call("POST", "/config", document(upstream.port, generation))
        assert answer.status == 201, answer
        for i in (0, 4567, ROUTES - 1):
            assert clients.ask(f"/r/{i}/x", f"h{i // 10}.test") == {f"/{generation}/s{i % 50}/x"}
        assert clients.ask("/r/4563/12", "a.w456.test") == {f"/{generation}/s13"}
        assert clients.ask("/r/4563/12x", "a.w456.test") == clients.ask("/r/1/x", "h1.test") == {404}


def test_a_change_beside_many_is_everywhere_when_it_is_answered(make_gateway, upstream, everyone, tmp_path):
    gateway = spread(make_gateway(start=False, workers=WORKERS))
    file = tmp_path / "routes.json"
    file.write_text(json.dumps(document(upstream.port, "all")))
    done = gateway.command("config", "import", "-c", gateway.file, "-p", gateway.prefix, file, timeout=300)
    assert done.returncode == 0, done
    gateway.start()
    clients = everyone(gateway)
    for turn in range(12):
        gateway.admin.ok("PATCH", "/services/s7", {"path": f"/turn{turn}"})
        assert clients.ask("/r/4557/x", "h455.test") == {f"/turn{turn}/x"}
    route = gateway.admin.ok("POST", "/services/s7/routes", {"paths": ["/r/4557/longer"], "hosts": ["h455.test"], "methods": ["GET"]})
    assert clients.ask("/r/4557/longer/y", "h455.test") == {"/turn11/y"}
    gateway.admin.ok("DELETE", f"/routes/{route['id']}")
    assert clients.ask("/r/4557/longer/y", "h455.test") == {"/turn11/longer/y"}
    assert fetch(gateway.proxy, "GET", "/r/9999/x", [("Host", "h999.test")]).json()["uri"] == "/all/s49/x"
