"""
Changes of the configuration that collide, break off, or are killed: nothing is ever half-written, what was answered
with yes is there, and Admin API, database and workers agree in the end.
"""

import json
import random
import sqlite3
import subprocess
import threading

import pytest

from harness.basics import wait_for
from harness.client import Client, fetch

SEED = 20261124


def database_rows(gateway, collection):
    """What the database itself holds: id -> entity."""
    with sqlite3.connect(f"file:{gateway.prefix}/gibbon.db?mode=ro", uri=True) as database:
        rows = database.execute("SELECT id, body FROM entities WHERE collection = ?", (collection,)).fetchall()
    database.close()
    return {id: json.loads(body) for id, body in rows}


def admin_rows(gateway, collection):
    rows, path = {}, f"/{collection}?size=1000"
    while path:
        page = gateway.admin.get(path)
        rows |= {row["id"]: row for row in page["data"]}
        path = page["next"]
    return rows


def check_agreement(gateway, *collections):
    """Admin API and database say the same."""
    for collection in collections:
        assert admin_rows(gateway, collection) == database_rows(gateway, collection), collection


def in_threads(*jobs):
    """Runs all at once; what one of them raises, this raises."""
    problems = []

    def guarded(job):
        try:
            job()
        except BaseException as error:  # noqa: BLE001: raised below
            problems.append(error)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]


class Pair:
    """
    A service and a route that only go together: with an odd number the route keeps its path and the service's path
    is odd as well. A request that meets a mixture of two configurations shows it in the upstream's URI.
    """

    SERVICE, ROUTE = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"

    def __init__(self, upstream):
        self.url = f"http://127.0.0.1:{upstream.port}"

    def document(self, number):
        return {"_format_version": "3.0", "services": [{
            "id": self.SERVICE, "name": "pair", "url": f"{self.url}/v{number}", "created_at": 1, "updated_at": number,
            "routes": [{"id": self.ROUTE, "name": "pair", "paths": ["/pair"], "strip_path": number % 2 == 0,
                        "created_at": 1, "updated_at": number}]}]}

    @staticmethod
    def number_of(uri):
        """Fails where the URI comes from a mixture."""
        parts = uri.strip("/").split("/")
        number = int(parts[0].removeprefix("v"))
        assert parts[1:] == (["pair", "x"] if number % 2 else ["x"]), f"a mixture: {uri}"
        return number

    @staticmethod
    def number_stored(services, routes):
        service, route = services[Pair.SERVICE], routes[Pair.ROUTE]
        number = int(service["path"].removeprefix("/v"))
        assert route["strip_path"] == (number % 2 == 0), "a mixture is stored"
        return number


class Watcher:
    """Requests without end; each must meet a whole configuration."""

    def __init__(self, gateway, threads=2):
        self.gateway, self.seen, self.problems = gateway, 0, []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _run(self):
        while not self._stop.is_set():
            try:
                with Client(self.gateway.proxy) as client:
                    for _ in range(50):
                        answer = client.request("GET", "/pair/x")
                        assert answer.status == 200, answer
                        Pair.number_of(answer.json()["uri"])
                        self.seen += 1
                        if self._stop.is_set():
                            return
            except BaseException as error:  # noqa: BLE001: shown by stop()
                self.problems.append(error)
                return

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self.problems:
            raise self.problems[0]


def test_a_mixture_would_be_noticed(make_gateway, upstream):
    gateway, pair = make_gateway(workers=1), Pair(upstream)
    service = pair.document(1)["services"][0]
    route = service.pop("routes")[0]
    gateway.admin.ok("POST", "/services", service)
    gateway.admin.ok("POST", "/services/pair/routes", route)
    assert everywhere(gateway, 1)
    gateway.admin.ok("PATCH", "/services/pair", {"path": "/v2"})
    with pytest.raises(AssertionError, match="mixture"):
        everywhere(gateway, 2)
    with pytest.raises(AssertionError, match="mixture"):
        Pair.number_stored(admin_rows(gateway, "services"), admin_rows(gateway, "routes"))
    watcher = Watcher(gateway, threads=1)
    wait_for(lambda: watcher.problems, "the watcher to see it")
    with pytest.raises(AssertionError, match="mixture"):
        watcher.stop()


def everywhere(gateway, number):
    """Every worker answers with this number: 16 fresh connections in a row do."""
    return all(Pair.number_of(gateway.get("/pair/x").json()["uri"]) == number for _ in range(16))


# Two operators at once.


def test_two_operators_write_different_entities(make_gateway):
    gateway = make_gateway(workers=2)
    names = [[f"op{n}-{i}" for i in range(40)] for n in range(2)]
    made = {}

    def operator(own):
        for name in own:
            made[name] = gateway.admin.ok("POST", "/services", {"name": name, "host": "h", "tags": [name]})

    in_threads(*(lambda own=own: operator(own) for own in names))
    stored = {row["name"]: row for row in admin_rows(gateway, "services").values()}
    assert stored == made and len(made) == 80
    check_agreement(gateway, "services")


def test_two_operators_want_the_same_name(make_gateway):
    gateway = make_gateway(workers=2)
    answers = [[], []]

    def operator(n):
        for i in range(40):
            answers[n].append(gateway.admin.call("POST", "/consumers", {"username": f"race-{i}", "custom_id": f"{n}-{i}"}))

    in_threads(lambda: operator(0), lambda: operator(1))
    winners = {}
    for i in range(40):
        statuses = sorted((answers[0][i].status, answers[1][i].status))
        assert statuses == [201, 409], f"race-{i}: {statuses}"
        for answer in (answers[0][i], answers[1][i]):
            if answer.status == 201:
                winners[f"race-{i}"] = answer.json()
            else:
                assert answer.json()["message"] == f"UNIQUE violation detected on '{{username=\"race-{i}\"}}'"
    assert {row["username"]: row for row in admin_rows(gateway, "consumers").values()} == winners
    check_agreement(gateway, "consumers")


def test_two_operators_change_the_same_entity(make_gateway, upstream):
    """Each answer is a whole state of the entity, and each change is laid over the one before: no field is lost."""
    gateway = make_gateway(workers=2)
    route = gateway.add(f"http://127.0.0.1:{upstream.port}")
    target, last = f"/services/{route.service['id']}", {}

    def operator(field, values):
        for value in values:
            last[field] = value
            assert gateway.admin.ok("PATCH", target, {field: value})[field] == value

    in_threads(lambda: operator("retries", range(40)), lambda: operator("connect_timeout", range(1000, 1040)))
    row = gateway.admin.get(target)
    assert {field: row[field] for field in last} == last == {"retries": 39, "connect_timeout": 1039}
    check_agreement(gateway, "services", "routes")
    assert gateway.get(route.path).status == 200


def test_one_deletes_what_the_other_refers_to(make_gateway):
    """A route never refers to a service that is gone."""
    gateway = make_gateway(workers=1)
    for i in range(15):
        service = gateway.admin.ok("POST", "/services", {"name": f"s{i}", "host": "h"})
        answers = {}
        in_threads(
            lambda: answers.update(route=gateway.admin.call("POST", "/routes", {"paths": [f"/{i}"], "service": {"id": service["id"]}})),
            lambda: answers.update(gone=gateway.admin.call("DELETE", f"/services/{service['id']}")))
        assert (answers["route"].status, answers["gone"].status) in ((201, 400), (400, 204)), answers
        assert all(answer.json()["code"] == 4 for answer in answers.values() if answer.status == 400)
    services = admin_rows(gateway, "services")
    assert all(row["service"]["id"] in services for row in admin_rows(gateway, "routes").values())
    check_agreement(gateway, "services", "routes")


def test_two_operators_post_whole_configurations(make_gateway, upstream):
    gateway, pair = make_gateway(workers=2, database="off"), Pair(upstream)
    gateway.admin.ok("POST", "/config", pair.document(0))
    watcher = Watcher(gateway)
    in_threads(*(lambda n=n: [gateway.admin.ok("POST", "/config", pair.document(n * 100 + i)) for i in range(30)] for n in (1, 2)))
    number = Pair.number_stored(admin_rows(gateway, "services"), admin_rows(gateway, "routes"))
    assert number in (129, 229) and everywhere(gateway, number)
    watcher.stop()
    assert watcher.seen > 0


# Clients that break off.


def test_a_client_drops_in_mid_write(make_gateway):
    gateway = make_gateway(workers=1)
    body = json.dumps({"username": "half", "tags": [f"t{i}" for i in range(2000)]}).encode()
    head = b"POST /consumers HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    for cut in (0, 1, len(body) // 2, len(body) - 1):
        client = Client(gateway.admin_port)
        client.send(head + body[:cut])
        client.reset()
    gateway.admin.ok("POST", "/consumers", {"username": "whole"})
    assert [row["username"] for row in admin_rows(gateway, "consumers").values()] == ["whole"]
    # Whoever sends everything and does not wait for the answer: it is done or not, never by halves.
    for i in range(20):
        client = Client(gateway.admin_port)
        text = body.replace(b"half", b"gone-%d" % i)
        client.send(head.replace(b"Length: %d" % len(body), b"Length: %d" % len(text)) + text)
        client.reset()
    gateway.admin.ok("POST", "/consumers", {"username": "last"})
    rows = admin_rows(gateway, "consumers")
    assert {"whole", "last"} <= {row["username"] for row in rows.values()}
    assert all(len(row["tags"]) == 2000 for row in rows.values() if row["username"].startswith("gone-"))
    check_agreement(gateway, "consumers")


# Kills.


def kill_agent(gateway):
    """kill -9, and waits until another one serves."""
    pid = gateway.pid("agent")
    gateway.kill(pid)

    def back():
        try:
            return gateway.pid("agent") not in (None, pid) and fetch(gateway.admin_port, "GET", "/status").status == 200
        except OSError:
            return False

    wait_for(back, "a new agent")


class Writer(threading.Thread):
    """Calls `write(number)` with rising numbers until stop(); `answered` are those that gave true."""

    def __init__(self, write):
        super().__init__()
        self.write, self.answered, self.tried, self.problem = write, [], 0, None
        self._stop_now = threading.Event()
        self.start()

    def run(self):
        while not self._stop_now.is_set() and self.problem is None:
            self.tried += 1
            try:
                if self.write(self.tried):
                    self.answered.append(self.tried)
            except (OSError, ValueError):
                pass  # the agent is away: no answer is no promise
            except BaseException as error:  # noqa: BLE001: raised by stop()
                self.problem = error

    def stop(self):
        self._stop_now.set()
        self.join()
        if self.problem:
            raise self.problem


def kill_under_writes(gateway, writer, rounds):
    """Kills the agent at random moments between writes."""
    chance = random.Random(SEED)
    for _ in range(rounds):
        until = len(writer.answered) + chance.randint(1, 12)
        wait_for(lambda: len(writer.answered) >= until or not writer.is_alive(), "writes")
        assert writer.problem is None, writer.problem
        kill_agent(gateway)


def test_an_agent_killed_under_single_writes(make_gateway):
    """Every answered write is there; of the others each is whole or not there at all."""
    gateway = make_gateway(workers=2)

    def write(number):
        answer = gateway.admin.call("POST", "/consumers", {"username": f"c{number}", "custom_id": str(number), "tags": [f"t{number}"] * 3})
        assert answer.status in (201, 503), answer
        return answer.status == 201

    writer = Writer(write)
    kill_under_writes(gateway, writer, rounds=7)
    writer.stop()
    rows = {row["username"]: row for row in admin_rows(gateway, "consumers").values()}
    missing = [n for n in writer.answered if f"c{n}" not in rows]
    assert not missing and len(writer.answered) >= 7
    assert all(row["custom_id"] == name[1:] and row["tags"] == [f"t{name[1:]}"] for name, row in rows.items())
    check_agreement(gateway, "consumers")


def test_an_agent_killed_under_changes_of_several_entities(make_gateway, upstream, tmp_path):
    """Imports change a service and its route at once: no request and no reader ever sees half of one."""
    gateway, pair = make_gateway(workers=2), Pair(upstream)
    file = tmp_path / "pair.json"

    def write(number):
        file.write_text(json.dumps(pair.document(number)))
        done = gateway.command("config", "import", file, "-p", gateway.prefix)
        assert done.returncode == 0, done
        return True

    assert write(0)
    watcher, writer = Watcher(gateway), Writer(write)
    kill_under_writes(gateway, writer, rounds=6)
    writer.stop()
    number = writer.answered[-1]
    assert number == Pair.number_stored(database_rows(gateway, "services"), database_rows(gateway, "routes"))
    # An import that found no agent is seen by the next one when it looks: db_update_frequency.
    wait_for(lambda: Pair.number_stored(admin_rows(gateway, "services"), admin_rows(gateway, "routes")) == number, "the agent")
    wait_for(lambda: everywhere(gateway, number), "all workers")
    watcher.stop()
    assert watcher.seen > 100


def test_an_agent_killed_under_whole_configurations(make_gateway, upstream):
    """Without a database: what was posted last, or what was being posted, is in effect as a whole."""
    gateway, pair = make_gateway(workers=2, database="off"), Pair(upstream)
    gateway.admin.ok("POST", "/config", pair.document(0))

    def write(number):
        answer = gateway.admin.call("POST", "/config", pair.document(number))
        assert answer.status in (201, 503), answer
        return answer.status == 201

    watcher, writer = Watcher(gateway), Writer(write)
    kill_under_writes(gateway, writer, rounds=6)
    writer.stop()
    number = Pair.number_stored(admin_rows(gateway, "services"), admin_rows(gateway, "routes"))
    assert writer.answered[-1] <= number <= writer.tried
    wait_for(lambda: everywhere(gateway, number), "all workers")
    watcher.stop()
    assert watcher.seen > 100


def test_an_agent_killed_under_a_cascade(make_gateway, upstream):
    """A consumer goes with its plugins, an upstream with its targets: all or none."""
    gateway = make_gateway(workers=1)
    gateway.admin.ok("POST", "/upstreams", {"name": "base"})

    def write(number):
        name = f"u{number}"
        made = gateway.admin.call("PUT", f"/upstreams/{name}", {"tags": ["t"]})
        if made.status >= 500:
            return False
        for i in range(5):
            if gateway.admin.call("POST", f"/upstreams/{name}/targets", {"target": f"10.0.0.{i}:80"}).status != 201:
                return False
        return gateway.admin.call("DELETE", f"/upstreams/{name}").status == 204

    writer = Writer(write)
    kill_under_writes(gateway, writer, rounds=6)
    writer.stop()
    upstreams, targets = database_rows(gateway, "upstreams"), database_rows(gateway, "targets")
    assert all(target["upstream"]["id"] in upstreams for target in targets.values())
    names = {row["name"] for row in upstreams.values()}
    assert not [n for n in writer.answered if f"u{n}" in names]
    check_agreement(gateway, "upstreams")


# The disk, and other programs.


def test_a_full_disk(make_gateway, upstream):
    """The database lies on 8 MB. A change that does not fit is refused, and all goes on when there is room."""
    gateway = make_gateway(start=False, workers=1)
    gateway.prefix.mkdir(parents=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=0755", "tmpfs", gateway.prefix], capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        gateway.start()
        route = gateway.add(f"http://127.0.0.1:{upstream.port}")
        made, refused = {}, 0
        for number in range(40):
            answer = gateway.admin.call("POST", "/consumers", {"username": f"c{number}", "tags": [f"{number}-{i}-{'x' * 90}" for i in range(4000)]})
            if answer.status == 201:
                made[answer.json()["id"]] = answer.json()
            else:
                assert answer.status == 500 and answer.json() == {"message": "An unexpected error occurred"}, answer
                refused += 1
            if refused == 3:
                break
        assert made and refused == 3
        assert admin_rows(gateway, "consumers") == made == database_rows(gateway, "consumers")
        assert gateway.get(route.path).status == 200
        for id in list(made)[:-1]:
            gateway.admin.call("DELETE", f"/consumers/{id}")
        # A log may have to be written back first, for which there is room once something is gone.
        subprocess.run(["mount", "-o", "remount,size=64m", gateway.prefix], check=True)
        gateway.admin.ok("POST", "/consumers", {"username": "again"})
        check_agreement(gateway, "consumers")
        gateway.stop()
        gateway.start()
        assert "again" in {row["username"] for row in admin_rows(gateway, "consumers").values()}
        gateway.stop()
    finally:
        if gateway.running:
            gateway.stop()
        subprocess.run(["umount", "-l", gateway.prefix], check=True)


def test_a_database_that_another_program_holds(make_gateway, upstream):
    """Reads and requests go on; a change waits, and is refused when it takes too long."""
    gateway = make_gateway(workers=1)
    route = gateway.add(f"http://127.0.0.1:{upstream.port}")
    database = sqlite3.connect(gateway.prefix / "gibbon.db", isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    try:
        answer = {}
        waiting = threading.Thread(target=lambda: answer.update(it=gateway.admin.call("POST", "/consumers", {"username": "late"})))
        waiting.start()
        while waiting.is_alive():
            assert gateway.admin.call("GET", "/services").status == 200
            assert gateway.get(route.path).status == 200
            waiting.join(0.2)
        assert answer["it"].status == 500 and admin_rows(gateway, "consumers") == {}
    finally:
        database.execute("ROLLBACK")
        database.close()
    gateway.admin.ok("POST", "/consumers", {"username": "late"})
    check_agreement(gateway, "consumers")
