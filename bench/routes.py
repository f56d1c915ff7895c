"""What 10,000 routes cost: finding one, changing one, and what a change does to the workers' event loops. See README.md."""

import argparse
import contextlib
import json
import mmap
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "integration"))

from harness.client import Client  # noqa: E402
from harness.gateway import BUILD, Gateway  # noqa: E402

FIELDS = ("pid", "turns", "longest_wall_ns", "longest_cpu_ns", "long_walls", "long_cpus")  # a row of loop_gap.cpp
ROWS = 64


def tool(name):
    path = BUILD / "bench" / name
    if not path.exists():
        sys.exit(f"bench: {path} is not built: cmake --build {BUILD} --target router_bench loop_gap")
    return path


def match_costs():
    """{shape: {routes: CPU ns}} of router_bench."""
    out = subprocess.run([tool("router_bench"), "--benchmark_filter=^(match|miss)", "--benchmark_format=json",
                          "--benchmark_min_time=0.3"], capture_output=True, text=True, check=True).stdout
    costs = {}
    for run in json.loads(out)["benchmarks"]:
        shape, _, routes = run["name"].removeprefix("match/").rpartition("/")
        costs.setdefault(shape, {})[int(routes)] = run["cpu_time"]
    return costs


class Loops:
    """The workers' event loops, as the preloaded library sees them."""

    def __init__(self, folder):
        self.path = Path(folder) / "gaps"
        self.path.write_bytes(bytes(ROWS * 8 * len(FIELDS)))
        os.chmod(self.path, 0o666)
        with open(self.path, "r+b") as file:
            self._page = mmap.mmap(file.fileno(), 0)

    def environment(self):
        return {"LD_PRELOAD": str(tool("loop_gap.so")), "GIBBON_LOOP_GAPS": str(self.path)}

    def rows(self, pids):
        rows = [dict(zip(FIELDS, values)) for values in struct.iter_unpack(f"{len(FIELDS)}Q", self._page[:])]
        return [row for row in rows if row["pid"] in pids]

    def forget(self):
        for row in range(ROWS):
            start = (row * len(FIELDS) + 1) * 8
            self._page[start:start + 8 * (len(FIELDS) - 1)] = bytes(8 * (len(FIELDS) - 1))


def document(routes, services):
    return {"_format_version": "3.0",
            "services": [{"name": f"service-{i}", "url": f"http://127.0.0.1:{9 + i % 2}"} for i in range(services)],
            "routes": [{"name": f"route-{i}", "service": f"service-{i % services}", "hosts": [f"tenant-{i // 10}.example.com"],
                        "paths": [f"~/api/v1/resource-{i}/\\d+$" if i % 10 == 8 else f"/api/v1/resource-{i}"],
                        **({"methods": ["GET", "POST"]} if i % 3 == 0 else {})} for i in range(routes)]}


class Load:
    """Requests without a pause on a few connections, answered by the gateway itself, so that the loops keep turning."""

    def __init__(self, gateway, connections=8):
        self._gateway, self._stop = gateway, threading.Event()
        self.latencies_ms, self.failed = [], 0
        self._threads = [threading.Thread(target=self._run) for _ in range(connections)]
        for thread in self._threads:
            thread.start()

    def _run(self):
        with Client(self._gateway.proxy) as client:
            while not self._stop.is_set():
                begin = time.perf_counter()
                if client.request("GET", "/nothing-here").status != 404:
                    self.failed += 1
                self.latencies_ms.append(1000 * (time.perf_counter() - begin))

    def take(self):
        taken, self.latencies_ms = self.latencies_ms, []
        return taken

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def phase(gateway, loops, load, seconds, change):
    """Runs `change` again and again, or just waits: (latencies of the changes in ms, figures of the loops)."""
    loops.forget()
    load.take()
    end, changes = time.monotonic() + seconds, []
    while time.monotonic() < end:
        if change is None:
            time.sleep(0.05)
            continue
        begin = time.perf_counter()
        change(len(changes))
        changes.append(1000 * (time.perf_counter() - begin))
    rows = loops.rows(set(gateway.workers()))
    return changes, {
        "turns": sum(row["turns"] for row in rows),
        "longest_turn_ms": max(row["longest_wall_ns"] for row in rows) / 1e6,
        "longest_turn_cpu_ms": max(row["longest_cpu_ns"] for row in rows) / 1e6,
        "turns_over_1ms": sum(row["long_walls"] for row in rows),
        "turns_over_1ms_cpu": sum(row["long_cpus"] for row in rows),
        "request_p99_ms": quantile(load.take() or [0], 0.99)}


def changes_beside(routes, seconds, workers, folder):
    loops = Loops(folder)
    with contextlib.ExitStack() as stack:
        gateway = Gateway(workers=workers, env=loops.environment(), settings={
            "proxy_access_log": "off", "nginx_http_keepalive_requests": "1000000000"})
        gateway.write_settings(proxy_listen=f"127.0.0.1:{gateway.proxy} reuseport")  # spreads the load over the workers
        stack.callback(gateway.close)
        file = Path(folder) / "routes.json"
        file.write_text(json.dumps(document(routes, services=100)))
        done = gateway.command("config", "import", "-c", gateway.file, "-p", gateway.prefix, file, timeout=600)
        if done.returncode:
            sys.exit(f"bench: gibbon config import: {done.stdout}{done.stderr}")
        gateway.start()
        load = Load(gateway)
        stack.callback(load.stop)
        route = gateway.admin.get("/routes/route-1")["id"]

        def patch(turn):
            gateway.admin.ok("PATCH", f"/routes/{route}", {"tags": [f"turn-{turn}"]})

        patch(-1)
        quiet = phase(gateway, loops, load, seconds, None)[1]
        latencies, changing = phase(gateway, loops, load, seconds, patch)
        assert load.failed == 0, f"{load.failed} requests failed"
        return latencies, quiet, changing


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--routes", type=int, default=10000)
    parser.add_argument("--seconds", type=int, default=15, help="of each of the two phases")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-match", action="store_true", help="leave out the router's own figures")
    parser.add_argument("--json", metavar="FILE", help="write every figure there")
    options = parser.parse_args()

    costs = {} if options.no_match else match_costs()
    if costs:
        sizes = sorted({size for by_size in costs.values() for size in by_size})
        print("CPU ns to find a route among so many:\n")
        print(f"{'':<10}" + "".join(f"{size:>10,}" for size in sizes))
        for shape, by_size in costs.items():
            print(f"{shape:<10}" + "".join(f"{by_size[size]:>10,.0f}" for size in sizes))
    with tempfile.TemporaryDirectory(prefix="gibbon-bench-") as folder:
        os.chmod(folder, 0o755)
        latencies, quiet, changing = changes_beside(options.routes, options.seconds, options.workers, folder)
    print(f"\nChanging one of {options.routes:,} routes, {options.workers} workers, until every worker uses the change: "
          f"{len(latencies)} changes, p50 {statistics.median(latencies):.1f} ms, p99 {quantile(latencies, 0.99):.1f} ms")
    print(f"\n{'a turn of the event loop':<36}{'quiet':>12}{'changing':>12}")
    for key, title in (("turns", "turns"), ("longest_turn_cpu_ms", "longest, CPU ms"), ("turns_over_1ms_cpu", "over 1 ms of CPU"),
                       ("longest_turn_ms", "longest by the clock, ms"), ("turns_over_1ms", "over 1 ms by the clock"),
                       ("request_p99_ms", "a request's p99, ms")):
        shown = [f"{figures[key]:,.3f}" if "ms" in key and "over" not in key else f"{figures[key]:,}" for figures in (quiet, changing)]
        print(f"{title:<36}{shown[0]:>12}{shown[1]:>12}")
    if options.json:
        Path(options.json).write_text(json.dumps({"match_ns": costs, "change_ms": latencies, "quiet": quiet, "changing": changing,
                                                  "options": vars(options)}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
