"""As much load as wrk can make, while parts of the gateway are killed and reloaded: nothing is lost or repeated."""

import re
import shutil
import subprocess

import pytest

from harness.basics import free_port, wait_for
from harness.client import fetch

SECONDS = 4

NGINX = """\
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; keepalive_requests 100000000; location / {{ return 200 "{body}"; }} }}
}}
"""


@pytest.fixture
def fast_upstream(tmp_path):
    port, conf = free_port(), tmp_path / "nginx.conf"
    conf.write_text(NGINX.format(folder=tmp_path, port=port, body="x" * 500))
    server = subprocess.Popen(["nginx", "-p", str(tmp_path), "-c", str(conf)], stderr=subprocess.DEVNULL)

    def answers():
        try:
            return fetch(port, "GET", "/").status == 200
        except OSError:
            return False

    wait_for(answers, "the upstream")
    yield port
    server.terminate()
    server.wait(20)


@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")
@pytest.mark.parametrize("disturbance", ["agent", "logs", "reload"])
def test_nothing_is_lost_at_full_speed(make_gateway, fast_upstream, disturbance):
    gateway = make_gateway(workers=2, log_service=True, settings={"ring_size": "64m", "proxy_access_log": "off"})
    route = gateway.add(f"http://127.0.0.1:{fast_upstream}", log_to=f"http://127.0.0.1:{gateway.logs}/logs")
    load = subprocess.Popen(["wrk", "-t1", "-c32", f"-d{SECONDS}s", f"http://127.0.0.1:{gateway.proxy}{route.path}/x"],
                            stdout=subprocess.PIPE, text=True)

    def metrics():
        try:
            return gateway.admin.metrics()
        except (OSError, AssertionError):
            return None

    times = 0
    while load.poll() is None and times < 3:
        have = wait_for(metrics, "metrics").captured
        wait_for(lambda: load.poll() is not None or ((now := metrics()) and now.captured > have + 2000), "load")
        times += 1
        if disturbance == "reload":
            before = set(gateway.workers())
            assert gateway.run("reload").returncode == 0
            wait_for(lambda: not set(gateway.workers()) & before, "new workers")
        else:
            pid = gateway.pid(disturbance)
            gateway.kill(pid)
            wait_for(lambda: gateway.pid(disturbance) not in (None, pid), f"a new {disturbance} process")
    said = load.communicate(timeout=60)[0]
    answered = int(re.search(r"(\d+) requests in", said)[1])
    assert times == 3 and answered > 3000, said
    assert "Non-2xx" not in said and (disturbance == "reload" or "Socket errors" not in said), said

    # The requests that wrk left behind are recorded when the worker sees their connections end: both sides are asked
    # until they agree. Were an entry lost or stored twice, they never would.
    def looked_at():
        now = metrics()
        return now, fetch(gateway.logs, "GET", "/status").json()["entries"]

    def agree():
        now, entries = looked_at()
        return now and now.pending == 0 and entries == now.captured

    wait_for(agree, lambda: f"{looked_at()[0].account()}, but {looked_at()[1]} entries are stored", timeout=60)
    books = gateway.admin.metrics()
    assert books.balanced() and books.dropped == 0, books.account()
    # wrk does not count its last requests, one for each connection, nor those whose connection a reload ended.
    assert answered <= books.captured <= answered + 32 * (1 + (3 if disturbance == "reload" else 0)), (answered, books.account())
