"""The processes of a run: an upstream, a plain nginx, a Gibbon; which core each uses; what it costs them."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "integration"))

from harness.basics import alive, children, cpu_ns, free_port, wait_for  # noqa: E402
from harness.client import fetch  # noqa: E402
from harness.gateway import Gateway  # noqa: E402

BODY_BYTES = 1024

MAIN = """\
worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log warn;
events {{ worker_connections 4096; multi_accept on; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
{http}}}
"""
UPSTREAM = """\
  keepalive_requests 100000000;
  server {{ listen 127.0.0.1:{port} backlog=4096; default_type text/plain; location / {{ return 200 "{body}"; }} }}
"""
PROXY = """\
  upstream behind {{ server 127.0.0.1:{upstream}; keepalive 512; keepalive_requests 10000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096; keepalive_requests 10000;
    location / {{ proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://behind; }}
  }}
"""


class Nginx:
    """An nginx of our own configuration, with one worker."""

    def __init__(self, http, **values):
        self.folder, self.port = Path(tempfile.mkdtemp(prefix="gibbon-bench-")), free_port()
        self.conf = self.folder / "nginx.conf"
        self.conf.write_text(MAIN.format(folder=self.folder, http=http.format(port=self.port, **values)))
        os.chmod(self.folder, 0o755)
        subprocess.run(["nginx", "-p", self.folder, "-c", self.conf, "-g", "daemon on;"], check=True, stderr=subprocess.DEVNULL)
        self._master = int(wait_for(lambda: (p := self.folder / "nginx.pid").exists() and p.read_text().strip(), "nginx"))
        self.worker = wait_for(lambda: children(self._master), "nginx's worker")[0]
        wait_for(lambda: fetch(self.port, "GET", "/").status == 200, "an answer")

    def close(self):
        os.kill(self._master, 15)
        wait_for(lambda: not alive(self._master), "nginx's end")
        shutil.rmtree(self.folder, ignore_errors=True)


class Rig:
    """
    Variants: plain (nginx's proxy_pass) · gibbon (a route without plugins) · logger (the same worker, another route,
    with request-response-logger and the log service behind it). The workers under test share one core, since only
    one of them has work at a time; load, upstream, agent and log service share the others.
    """

    def __init__(self):
        cores = sorted(os.sched_getaffinity(0))
        self.tested, self.others = ({cores[0]}, set(cores[1:])) if len(cores) > 1 else (set(cores), set(cores))
        self._open = []
        try:
            self.upstream = self._keep(Nginx(UPSTREAM, body="x" * BODY_BYTES))
            self.plain = self._keep(Nginx(PROXY, upstream=self.upstream.port))
            self.gateway = self._keep(Gateway(workers=1, log_service=True, settings={"proxy_access_log": "off"})).start()
            url = f"http://127.0.0.1:{self.upstream.port}"
            routes = {"gibbon": self.gateway.add(url).path,
                      "logger": self.gateway.add(url, log_to=f"http://127.0.0.1:{self.gateway.logs}/logs").path}
            worker, = self.gateway.workers()
            self.agent, self.log_service = self.gateway.pid("agent"), self.gateway.pid("logs")
            self.targets = {"plain": (self.plain.worker, self.plain.port, "/")}
            self.targets |= {name: (worker, self.gateway.proxy, path + "/") for name, path in routes.items()}
            for pid in (self.plain.worker, worker):
                pin(pid, self.tested)
            for pid in (self.upstream.worker, self.agent, self.log_service):
                pin(pid, self.others)
        except BaseException:
            self.close()
            raise

    def _keep(self, part):
        self._open.append(part)
        return part

    def close(self):
        with contextlib.ExitStack() as stack:  # one that complains at its end keeps no other running
            for part in self._open:
                stack.callback(part.close)

    def drained(self):
        """Waits until the agent has nothing left, and returns the metrics."""
        wait_for(lambda: self.gateway.admin.metrics().pending == 0, lambda: self.gateway.admin.metrics().account(), 120, 0.1)
        return self.gateway.admin.metrics()

    def stored(self):
        """How many entries the log service has."""
        return fetch(self.gateway.logs, "GET", "/status").json()["entries"]

    def measure(self, variant, seconds, connections):
        """One run of wrk against one variant: a dictionary of figures."""
        worker, port, target = self.targets[variant]
        before, entries = self.gateway.admin.metrics(), variant == "logger"
        stored = self.stored()
        cpu = {pid: cpu_ns(pid) for pid in (worker, self.agent, self.log_service)}
        done = subprocess.run(
            ["taskset", "-c", ",".join(map(str, self.others)), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency",
             f"http://127.0.0.1:{port}{target}"], capture_output=True, text=True, check=True).stdout
        worker_ns = cpu_ns(worker) - cpu[worker]
        requests = int(re.search(r"(\d+) requests in", done)[1])
        bad = sum(map(int, re.findall(r"(?:Non-2xx or 3xx responses: |connect |read |write |timeout )(\d+)", done)))
        after = self.drained() if entries else before
        captured = after.captured - before.captured
        figures = {"requests": requests, "per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", done)[1]),
                   "p99_ms": latency_ms(re.search(r"99%\s+([\d.]+\w+)", done)[1]), "failed": bad,
                   "worker_us": worker_ns / 1000 / requests}
        if entries:
            figures |= {"captured": captured, "delivered": after.delivered - before.delivered,
                        "lost": max(requests, captured) - (self.stored() - stored),
                        "agent_us": (cpu_ns(self.agent) - cpu[self.agent]) / 1000 / captured,
                        "logs_us": (cpu_ns(self.log_service) - cpu[self.log_service]) / 1000 / captured}
        return figures


def pin(pid, cores):
    """All threads of a process onto these cores."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), cores)


def latency_ms(text):
    number, unit = re.match(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]
