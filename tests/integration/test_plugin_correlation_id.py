"""correlation-id: an id for each request, for the upstream and, where it is asked for, the client."""

import re

import pytest

from test_consumers import admin, guarded, seen  # noqa: F401: fixtures among them

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
TIME = r"\d{10}\.\d{3}"


@pytest.mark.parametrize("generator, form", [
    ("uuid", UUID), ("uuid#counter", UUID + r"#\d+"),
    ("tracker", rf"127\.0\.0\.1-PORT-\d+-\d+-\d+-{TIME}"),
])
def test_generators(gateway, guarded, generator, form):
    path = guarded({"correlation-id": {"generator": generator, "echo_downstream": True}}).path
    ids = set()
    with gateway.connect() as client:
        for _ in range(3):
            answer = client.request("GET", path)
            sent, = seen(answer)["names"]["kong-request-id"]
            assert answer.all("Kong-Request-ID") == [sent]
            assert re.fullmatch(form.replace("PORT", str(gateway.proxy)), sent), sent
            ids.add(sent)
    assert len(ids) == 3


def test_numbers_rise_within_a_worker(gateway, guarded):
    path = guarded({"correlation-id": {}}).path
    with gateway.connect() as client:
        ids = [seen(client.request("GET", path))["names"]["kong-request-id"][0].split("#") for _ in range(4)]
    assert len({worker for worker, _ in ids}) == 1
    numbers = [int(number) for _, number in ids]
    assert numbers == list(range(numbers[0], numbers[0] + 4))


def test_a_tracker_names_the_connection(gateway, guarded):
    path = guarded({"correlation-id": {"generator": "tracker"}}).path
    with gateway.connect() as client:
        parts = [seen(client.request("GET", path))["names"]["kong-request-id"][0].split("-") for _ in range(3)]
    assert {int(pid) for _, _, pid, *_ in parts} <= set(gateway.workers())
    assert len({tuple(part[:4]) for part in parts}) == 1 and [part[4] for part in parts] == ["1", "2", "3"]


@pytest.mark.parametrize("echo_downstream", [False, True])
def test_a_clients_own_id_stays(gateway, guarded, echo_downstream):
    path = guarded({"correlation-id": {"header_name": "X-Id", "echo_downstream": echo_downstream}}).path
    answer = gateway.get(path, headers=[("x-id", "mine")])
    assert seen(answer)["names"]["x-id"] == ["mine"]
    assert answer.all("x-id") == (["mine"] if echo_downstream else [])
    answer = gateway.get(path, headers=[("X-Id", "")])
    assert re.fullmatch(UUID + r"#\d+", seen(answer)["names"]["x-id"][0])


def test_refusals_are_marked_too(gateway, guarded):
    path = guarded({"correlation-id": {"generator": "uuid", "echo_downstream": True}, "key-auth": {}}).path
    answer = gateway.get(path)
    assert answer.status == 401 and re.fullmatch(UUID, answer.header("kong-request-id"))


def test_what_never_gets_to_access_has_an_id_in_its_answer(make_gateway):
    gateway = make_gateway(workers=1)
    gateway.admin.ok("POST", "/plugins", {"name": "correlation-id", "config": {"echo_downstream": True}})
    answer = gateway.get("/nowhere")
    assert answer.status == 404 and re.fullmatch(UUID + r"#\d+", answer.header("kong-request-id"))
