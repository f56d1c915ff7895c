"""rate-limiting: who is counted, what is told, exactness over workers, and Redis."""

import shutil
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.basics import free_port, wait_for
from harness.client import fetch, new_tag


@pytest.fixture
def limited(gateway, echo):
    """limited(year=5, ...): a route with the plugin; its path."""
    def make(added=echo, **config):
        made = gateway.admin.ok("POST", f"/routes/{added.route['id']}/plugins", {"name": "rate-limiting", "config": config})
        make.plugin = made["id"]
        return added.path
    yield make
    gateway.admin.call("DELETE", f"/plugins/{make.plugin}")


def statuses(gateway, path, count, headers=()):
    return [gateway.get(path, headers=list(headers)).status for _ in range(count)]


def test_tells_and_refuses(gateway, limited):
    path = limited(year=3)
    for remaining in ("2", "1", "0"):
        answer = gateway.get(path)
        assert answer.status == 200 and answer.header("X-RateLimit-Limit-Year") == "3"
        assert answer.header("X-RateLimit-Remaining-Year") == answer.header("RateLimit-Remaining") == remaining
        assert answer.header("RateLimit-Limit") == "3" and int(answer.header("RateLimit-Reset")) >= 1
        assert answer.header("Retry-After") is None
    refused = gateway.get(path)
    assert refused.status == 429 and refused.json()["message"] == "API rate limit exceeded"
    assert refused.header("RateLimit-Remaining") == "0" and refused.header("Retry-After") == refused.header("RateLimit-Reset")
    assert refused.header("X-RateLimit-Remaining-Year") == "0"


def test_the_nearest_limit_is_told(gateway, limited):
    path = limited(month=2, year=50)
    first = gateway.get(path)
    assert first.header("RateLimit-Limit") == "2" and first.header("X-RateLimit-Remaining-Year") == "49"
    assert statuses(gateway, path, 2) == [200, 429]
    last = gateway.get(path)
    # A refused request is counted by no limit.
    assert last.header("X-RateLimit-Remaining-Year") == "48" and last.header("X-RateLimit-Remaining-Month") == "0"


def test_a_limit_begins_anew(gateway, limited):
    path = limited(second=1)
    wait_for(lambda: gateway.get(path).status == 429, "a full second")
    wait_for(lambda: gateway.get(path).status == 200, "the next one")


def test_hidden_headers_and_other_words(gateway, limited):
    path = limited(year=1, hide_client_headers=True, error_code=418, error_message="slowly")
    answer = gateway.get(path)
    refused = gateway.get(path)
    assert (answer.status, refused.status, refused.json()["message"]) == (200, 418, "slowly")
    for each in (answer, refused):
        assert not [name for name, _ in each.headers if "ratelimit" in name.lower() or name.lower() == "retry-after"]


def test_by_header(gateway, limited):
    path = limited(year=1, limit_by="header", header_name="X-Who")
    assert statuses(gateway, path, 2, [("x-who", "a")]) == [200, 429]
    assert statuses(gateway, path, 2, [("X-Who", "b")]) == [200, 429]
    assert statuses(gateway, path, 2) == [200, 429], "without the header, the address"


def test_by_path(gateway, limited, echo):
    path = limited(year=1, limit_by="path", path=echo.path + "/one")
    assert statuses(gateway, path + "/one", 2) == [200, 429]
    assert [gateway.get(path + end).status for end in ("/two", "/three", "/one")] == [200, 429, 429]


def test_by_consumer(gateway, limited, echo):
    names = [new_tag(), new_tag()]
    for name in names:
        gateway.admin.ok("POST", "/consumers", {"username": name})
        gateway.admin.ok("POST", f"/consumers/{name}/key-auth", {"key": name})
    auth = gateway.admin.ok("POST", f"/routes/{echo.route['id']}/plugins", {"name": "key-auth"})
    try:
        path = limited(year=2)
        for name in names:
            assert statuses(gateway, path, 3, [("apikey", name)]) == [200, 200, 429]
    finally:
        gateway.admin.call("DELETE", f"/plugins/{auth['id']}")
        for name in names:
            gateway.admin.call("DELETE", f"/consumers/{name}")


def test_by_service_counts_its_routes_together(gateway, echo):
    service = echo.service["id"]
    other = gateway.admin.ok("POST", f"/services/{service}/routes", {"paths": ["/" + new_tag()]})
    gateway.admin.ok("POST", f"/services/{service}/plugins", {
        "name": "rate-limiting", "config": {"year": 2, "limit_by": "service"}})
    try:
        assert [gateway.get(path).status for path in (echo.path, other["paths"][0], echo.path)] == [200, 200, 429]
    finally:
        gateway.admin.call("DELETE", f"/routes/{other['id']}")
        for plugin in gateway.admin.get(f"/services/{service}/plugins")["data"]:
            gateway.admin.call("DELETE", f"/plugins/{plugin['id']}")


def at_once(gateway, path, count):
    with ThreadPoolExecutor(16) as pool:
        return Counter(pool.map(lambda _: fetch(gateway.proxy, "GET", path).status, range(count)))


@pytest.mark.parametrize("policy", ["local", "cluster"])
def test_exact_over_workers(gateway, limited, policy):
    assert len(gateway.workers()) == 2
    path = limited(year=37, policy=policy)
    assert at_once(gateway, path, 150) == {200: 37, 429: 113}


def test_counters_outlive_a_reload(make_gateway, upstream):
    gateway = make_gateway(workers=2)
    added = gateway.add(f"http://127.0.0.1:{upstream.port}")
    gateway.admin.ok("POST", f"/routes/{added.route['id']}/plugins", {"name": "rate-limiting", "config": {"year": 3}})
    assert statuses(gateway, added.path, 2) == [200, 200]
    old = set(gateway.workers())
    done = gateway.run("reload")
    assert done.returncode == 0, done.stderr
    wait_for(lambda: gateway.workers() and not old & set(gateway.workers()), "new workers")
    assert statuses(gateway, added.path, 2) == [200, 429]


@pytest.mark.parametrize("config,message", [
    ({"minute": 10, "hour": 9}, "The limit for hour(9.0) cannot be lower than the limit for minute(10.0)"),
    ({"minute": 10, "sync_rate": 1}, "sync_rate can only be used with the redis policy"),
    ({"minute": 10, "policy": "redis", "redis": {"host": "h"}, "sync_rate": 0},
     "sync_rate must be greater than 0.02, or -1 to disable"),
])
def test_what_the_configuration_must_be(gateway, config, message):
    answer = gateway.admin.call("POST", "/plugins", {"name": "rate-limiting", "config": config})
    assert answer.status == 400 and answer.json()["fields"] == {"config": message}


class RedisServer:
    def __init__(self, folder, *options):
        self.port = free_port()
        self.process = subprocess.Popen(
            [shutil.which("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder),
             *options], stdout=subprocess.DEVNULL)
        wait_for(lambda: self.ask("PING").strip() in ("PONG", "NOAUTH Authentication required."), "redis-server")

    def ask(self, *words, password=None, database=0):
        login = ["--no-auth-warning", "-a", password] if password else []
        return subprocess.run(["redis-cli", "-p", str(self.port), "-n", str(database), *login, *words], capture_output=True,
                              text=True).stdout.strip()

    def close(self):
        self.process.terminate()
        self.process.wait()


@pytest.fixture
def make_redis(tmp_path):
    made = []

    def make(*options):
        made.append(RedisServer(tmp_path, *options))
        return made[-1]
    yield make
    for server in made:
        server.close()


def test_in_redis(gateway, limited, make_redis, echo):
    server = make_redis()
    path = limited(year=5, policy="redis", redis={"host": "127.0.0.1", "port": server.port})
    first = gateway.get(path)
    assert first.status == 200 and first.header("RateLimit-Remaining") == "4"
    assert at_once(gateway, path, 30) == {200: 4, 429: 26}
    key = server.ask("KEYS", "*")
    assert key.startswith(f"ratelimit:{echo.route['id']}:00000000-0000-0000-0000-000000000000:127.0.0.1:")
    assert key.endswith("000:year") and 0 < int(server.ask("TTL", key)) <= 31536000
    assert int(server.ask("INFO", "clients").split("connected_clients:")[1].split()[0]) <= 40, "connections are kept"


def test_in_redis_with_login_and_database(gateway, limited, make_redis):
    server = make_redis("--requirepass", "secret")
    server.ask("ACL", "SETUSER", "gate", "on", ">word", "~*", "+@all", password="secret")
    for login in ({"password": "secret"}, {"username": "gate", "password": "word"}):
        server.ask("FLUSHALL", password="secret")
        path = limited(year=2, policy="redis", fault_tolerant=False,
                       redis={"host": "127.0.0.1", "port": server.port, "database": 3, **login})
        assert statuses(gateway, path, 3) == [200, 200, 429]
        assert server.ask("DBSIZE", password="secret", database=3) == "1"
        gateway.admin.call("DELETE", f"/plugins/{limited.plugin}")


@pytest.mark.parametrize("tolerant,status", [(True, 200), (False, 500)])
def test_redis_is_away(gateway, limited, tolerant, status):
    path = limited(year=1, policy="redis", fault_tolerant=tolerant,
                   redis={"host": "127.0.0.1", "port": free_port(), "timeout": 500})
    for _ in range(2):
        answer = gateway.get(path)
        assert answer.status == status and answer.header("RateLimit-Limit") is None
        if status == 500:
            assert answer.json()["message"] == "An unexpected error occurred"
    assert "failed to get usage" in gateway.log()


def test_redis_refuses_the_login(gateway, limited, make_redis):
    server = make_redis("--requirepass", "secret")
    path = limited(year=1, policy="redis", fault_tolerant=False,
                   redis={"host": "127.0.0.1", "port": server.port, "password": "wrong"})
    assert statuses(gateway, path, 2) == [500, 500]


def test_in_redis_now_and_then(gateway, limited, make_redis):
    server = make_redis()
    path = limited(year=1000, policy="redis", sync_rate=0.05, redis={"host": "127.0.0.1", "port": server.port})
    assert statuses(gateway, path, 20) == [200] * 20

    def all_there():
        gateway.get(path)  # takes along what was counted before
        key = server.ask("KEYS", "*")
        return key and int(server.ask("GET", key)) >= 20 and 0 < int(server.ask("TTL", key)) <= 31536000
    wait_for(all_there, "what was counted, in Redis")
