"""Waiting, ports and processes."""

import os
import socket
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]


def wait_for(condition, what, timeout=20.0, interval=0.02):
    """Calls `condition` until it returns something true, and returns that. Fails with `what` at the deadline."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:g} s for {what() if callable(what) else what}")
        time.sleep(interval)


_given = set()


def free_port():
    """A TCP port of 127.0.0.1 that nobody uses now, below the range from which clients get theirs."""
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    start = 10000 + (os.getpid() * 37) % max(1, low - 10000)
    for step in range(low - 10000):
        port = 10000 + (start - 10000 + step * 7) % (low - 10000)
        if port in _given:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise AssertionError("no free port")


def refusing_port():
    """A socket whose port refuses connections for as long as it is kept: bound, but not listening."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    return holder, holder.getsockname()[1]


def alive(pid):
    """Whether the process runs: a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (OSError, IndexError):
        return False


def children(pid):
    """Process ids of the children that run."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] not in "ZX" and int(fields[1]) == pid:
                found.append(int(entry.name))
    return found


def cpu_ns(pid):
    """CPU time of all threads of a process so far, in nanoseconds."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total


def processes_touching(*needles):
    """Running processes whose command line, environment, open files or mappings name one of `needles`."""
    needles = [str(n) for n in needles]
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid() or not alive(int(entry.name)):
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            text = command + (entry / "environ").read_text(errors="replace") + (entry / "maps").read_text()
            for link in (entry / "fd").iterdir():
                try:
                    text += os.readlink(link) + "\n"
                except OSError:
                    pass
        except OSError:
            continue
        if any(needle in text for needle in needles):
            found[int(entry.name)] = command.strip()
    return found
