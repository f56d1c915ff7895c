"""User-space instructions per request, counted by callgrind in a worker that runs under valgrind."""

import re
import subprocess
import tempfile
from pathlib import Path

from rig import Nginx  # noqa: F401  (puts the harness on the path)
from harness.basics import alive, children, free_port, wait_for
from harness.client import Client

FEW, MANY = 200, 600


def per_request(conf, listen_port, target):
    """
    Starts nginx with a copy of `conf` under callgrind, on a port of its own, and counts two series of requests on
    one kept-alive connection: the difference takes out what does not depend on their number.
    """
    folder, port = Path(tempfile.mkdtemp(prefix="gibbon-bench-")), free_port()
    text = re.sub(rf"127\.0\.0\.1:{listen_port}\b", f"127.0.0.1:{port}", Path(conf).read_text())
    text = re.sub(r"(?m)^(\s*|.*;\s*)pid [^;]+;", rf"\1pid {folder}/nginx.pid;", text)
    text = re.sub(r"(?m)^\s*(daemon|user) [^;]+;", "", text)
    (folder / "logs").mkdir()  # the gateway's configuration names its log from its prefix
    copy = folder / "nginx.conf"
    copy.write_text(text)
    server = subprocess.Popen(
        ["valgrind", "--tool=callgrind", "--trace-children=yes", f"--callgrind-out-file={folder}/cg.%p", "-q", "nginx", "-p", str(folder), "-c", str(copy),
         "-g", "daemon off; user root;"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        def connect():
            try:
                client = Client(port, timeout=60)
                assert client.request("GET", target).status == 200
                return client
            except (OSError, AssertionError):
                return None

        with wait_for(connect, f"200 for {target} under valgrind", 60, 0.2) as client:
            for _ in range(100):
                client.request("GET", target)
            worker, = children(server.pid)  # by now the children that tried the plugins are gone
            counts = []
            dump(worker)
            for series in (FEW, MANY):
                for _ in range(series):
                    client.request("GET", target)
                counts.append(dump(worker, folder))
        return (counts[1] - counts[0]) / (MANY - FEW)
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        wait_for(lambda: not alive(server.pid), "the end of valgrind")
        subprocess.run(["rm", "-rf", str(folder)], check=True)


def dump(worker, folder=None):
    """Has callgrind write what it counted since the last time, and returns that sum."""
    subprocess.run(["vgdb", f"--pid={worker}", "dump"], check=True, capture_output=True, timeout=60)
    if folder is None:
        return None
    newest = max(folder.glob(f"cg.{worker}.*"), key=lambda path: int(path.name.rpartition(".")[2]))
    return int(re.search(r"(?m)^(?:totals|summary): (\d+)", newest.read_text())[1])
