"""What the logger costs a worker: no system call; and what idle processes cost: next to nothing."""

import re
import shutil
import signal
import subprocess
import time

import pytest

from harness.basics import cpu_ns, wait_for
from harness.client import Client
from harness.endpoint import LogEndpoint
from harness.gateway import Gateway

REQUESTS = 300


@pytest.fixture(scope="module")
def quiet(gibbon_binary):
    """One worker that nobody else uses."""
    gateway = Gateway(workers=1)
    try:
        yield gateway.start()
    finally:
        gateway.close()


@pytest.fixture(scope="module")
def sink():
    endpoint = LogEndpoint().open()
    yield endpoint
    endpoint.shut()


def system_calls(pid, client, target, output):
    """{name: count} of a worker, all its threads, while REQUESTS requests go through one kept-alive connection."""
    tracer = subprocess.Popen(["strace", "-f", "-c", "-U", "calls,name", "-o", str(output), "-p", str(pid)],
                              stderr=subprocess.PIPE, text=True)
    try:
        assert "attached" in tracer.stderr.readline()
        for _ in range(REQUESTS):
            assert client.request("GET", target).status == 200
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(20)
    return {name: int(count) for count, name in re.findall(r"^\s*(\d+)\s+(\w+)$", output.read_text(), re.M) if name != "total"}


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_the_logger_makes_no_system_call(quiet, sink, upstream, tmp_path):
    plain = quiet.add(f"http://127.0.0.1:{upstream.port}")
    logged = quiet.add(f"http://127.0.0.1:{upstream.port}", log_to=sink.url)
    worker, = quiet.workers()
    counts = {}
    with Client(quiet.proxy) as client:
        for name, route in (("plain", plain), ("logged", logged)):
            for _ in range(20):
                client.request("GET", f"{route.path}/text/1000")
            counts[name] = system_calls(worker, client, f"{route.path}/text/1000", tmp_path / name)
    wait_for(lambda: sink.count() >= REQUESTS, "the entries of the counted requests")
    assert counts["plain"], "strace counted nothing"
    for calls in counts.values():  # the loader thread's wait, which strace interrupts when it attaches
        calls.pop("restart_syscall", None)
        calls.pop("poll", None)
    # How often the loop wakes is not the logger's doing alone: a tenth of a wake-up per request is let pass there.
    waits = {name: calls.pop("epoll_wait", 0) + calls.pop("epoll_pwait", 0) for name, calls in counts.items()}
    # The last request may still be written to the access log when the count ends: one call more or less is its.
    assert counts["logged"].keys() == counts["plain"].keys()
    assert all(abs(counts["logged"][name] - counts["plain"][name]) <= 1 for name in counts["plain"]), counts
    assert abs(waits["logged"] - waits["plain"]) <= REQUESTS / 10, waits
    assert sum(counts["plain"].values()) >= 3 * REQUESTS  # it was this worker that served them


def test_idle_processes_use_next_to_nothing(quiet, sink, upstream):
    """Workers and agent together: under 0.5 % of a core. A share of CPU time, not a duration."""
    route = quiet.add(f"http://127.0.0.1:{upstream.port}", log_to=sink.url)
    have = sink.count()
    for _ in range(20):
        quiet.get(route.path)
    wait_for(lambda: sink.count() >= have + 20 and quiet.admin.metrics().pending == 0, "quiet")
    pids = [quiet.pid("agent"), *quiet.workers()]

    def share():
        used, begin = sum(map(cpu_ns, pids)), time.monotonic_ns()
        time.sleep(3)  # the span over which the share is taken
        return (sum(map(cpu_ns, pids)) - used) / (time.monotonic_ns() - begin)

    shares = []
    while len(shares) < 4 and not (shares and shares[-1] < 0.005):  # the first span may still hold work that ends
        shares.append(share())
    assert shares[-1] < 0.005, [f"{s:.2%}" for s in shares]
