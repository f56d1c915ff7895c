"""One Gibbon: its configuration file, its processes, its Admin API, and what it must leave behind: nothing."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import uuid
from pathlib import Path
from urllib.parse import urlencode

from . import basics
from .basics import alive, free_port, processes_touching, wait_for
from .client import Client, fetch

BUILD = Path(os.environ.get("GIBBON_BUILD_DIR", basics.REPOSITORY / "build" / "release"))
BINARY = BUILD / "bin" / "gibbon"

def sanitizer_environment():
    """Where the build has sanitizers: stock nginx loads them before all else, and they write among the logs."""
    try:
        cache = (BUILD / "CMakeCache.txt").read_text()
    except OSError:
        return lambda logs: {}
    chosen = re.search(r"(?m)^GIBBON_SANITIZE:\w+=(.*)$", cache)
    chosen = chosen[1].split(",") if chosen else []
    libraries = [f"lib{name}.so" for name, sanitizer in (("asan", "address"), ("ubsan", "undefined"), ("tsan", "thread"))
                 if sanitizer in chosen]
    if not libraries:
        return lambda logs: {}
    found = [subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True).stdout.strip()
             for name in libraries]
    # nginx frees nothing at its end, and its own pools are not ours to judge.
    common = "detect_leaks=0:detect_odr_violation=0:print_stacktrace=1:log_path={}/sanitizer"
    return lambda logs: {"LD_PRELOAD": ":".join(found), **{
        f"{name}_OPTIONS": common.format(logs) for name in ("ASAN", "UBSAN", "TSAN")}}


# A line with one of these is a failure of the product, whatever the test was about.
ALARMS = re.compile(r"\[(alert|emerg|crit)\]|AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:"
                    r"|segfault|core dumped|terminate called|Assertion .* failed")


class Admin:
    """The Admin API. Every call gives the Answer; `ok_*` calls fail the test when the status is 400 or more."""

    def __init__(self, port):
        self.port = port

    def call(self, method, path, json_body=None, form=None, headers=(), body=None):
        headers = list(headers)
        if json_body is not None:
            body = json.dumps(json_body).encode()
            headers.append(("Content-Type", "application/json"))
        if form is not None:
            body = urlencode(form).encode()
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        return fetch(self.port, method, path, headers, body)

    def ok(self, method, path, json_body=None, form=None):
        answer = self.call(method, path, json_body, form)
        assert answer.status < 400, f"{method} {path}: {answer}"
        return answer.json() if answer.body else None

    def get(self, path):
        return self.ok("GET", path)

    def metrics(self):
        answer = self.call("GET", "/metrics")
        assert answer.status == 200, answer
        return Metrics(answer.body.decode())


class Metrics:
    """The exposition text of /metrics as numbers."""

    def __init__(self, text):
        self.text, self.samples = text, {}
        for line in text.splitlines():
            found = re.match(r"([a-zA-Z_:][\w:]*)(\{[^}]*\})?\s+(\S+)", line)
            if found and not line.startswith("#"):
                self.samples[found[1] + (found[2] or "")] = float(found[3])

    def sum(self, name):
        """The sum over all labels; 0 where there is no such sample."""
        return sum(v for k, v in self.samples.items() if k.split("{")[0] == name)

    def labelled(self, name):
        return {k: v for k, v in self.samples.items() if k.startswith(name + "{")}

    @property
    def captured(self):
        return self.sum("gibbon_log_entries_captured_total")

    @property
    def delivered(self):
        return self.sum("gibbon_log_entries_delivered_total")

    @property
    def dropped(self):
        return self.sum("gibbon_log_entries_dropped_total")

    @property
    def pending(self):
        return self.sum("gibbon_log_entries_pending")

    def balanced(self):
        return self.captured == self.delivered + self.dropped + self.pending

    def account(self):
        names = ("captured", "delivered", "dropped", "pending")
        return {n: int(getattr(self, n)) for n in names}


class Gateway:
    """
    Gateway(workers=2, settings={...}).start() … .stop(). Ports: proxy, tls (where asked), h2c (where asked), admin,
    status, logs (where asked). `settings` are kong.conf keys; a value of None leaves the key out.
    """

    def __init__(self, workers=2, settings=None, env=None, tls=None, h2c=False, log_service=False, database="sqlite",
                 log_level="notice", wrapper=()):
        self.wrapper = wrapper  # a command that runs `gibbon` in surroundings of its own
        self.folder = Path(tempfile.mkdtemp(prefix="gibbon-test-"))
        self.prefix = self.folder / "prefix"
        self.shared = Path(tempfile.mkdtemp(prefix="gibbon-test-", dir="/dev/shm"))
        for folder in (self.folder, self.shared):  # started by root, nginx's workers are another user
            folder.chmod(0o755)
        self.proxy, self.admin_port, self.status = free_port(), free_port(), free_port()
        self.tls = free_port() if tls else None
        self.h2c = free_port() if h2c else None
        self.logs = free_port() if log_service else None
        listen = [f"127.0.0.1:{self.proxy}"]
        if tls:
            listen.append(f"127.0.0.1:{self.tls} ssl http2")
        if h2c:
            listen.append(f"127.0.0.1:{self.h2c} http2")
        self.settings = {
            "proxy_listen": ", ".join(listen), "admin_listen": f"127.0.0.1:{self.admin_port}",
            "status_listen": f"127.0.0.1:{self.status}", "nginx_worker_processes": workers,
            "plugins": "bundled,request-response-logger", "database": database, "log_level": log_level,
            "log_service": "on" if log_service else "off",
        }
        if log_service:
            self.settings["logs_listen"] = f"127.0.0.1:{self.logs}"
        if tls:
            self.settings["ssl_cert"], self.settings["ssl_cert_key"] = map(str, tls)
        self.settings.update(settings or {})
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("KONG_", "GIBBON_"))}
        self.env |= {"GIBBON_SHM_DIR": str(self.shared), "GIBBON_TEST_MARK": uuid.uuid4().hex, **(env or {})}
        self._sanitizers = sanitizer_environment()(self.prefix / "logs")
        self.file = self.folder / "kong.conf"
        self.admin = Admin(self.admin_port)
        self.running = False
        self._allowed, self._checked = [], {}
        self.write_settings()

    def write_settings(self, **changes):
        self.settings.update(changes)
        self.file.write_text("".join(f"{k} = {v}\n" for k, v in self.settings.items() if v is not None))

    # Commands.

    def command(self, *arguments, timeout=60, **env):
        """`gibbon ...` as a user would call it."""
        return subprocess.run([*self.wrapper, str(BINARY), *map(str, arguments)], env=self.env | self._sanitizers | env, capture_output=True, text=True,
                              timeout=timeout, stdin=subprocess.DEVNULL)

    def run(self, verb, *more, **options):
        """start, reload, restart take the file; the others know the gateway by its prefix."""
        file = ("-c", self.file) if verb in ("start", "reload", "restart") else ()
        return self.command(verb, *file, "-p", self.prefix, *more, **options)

    def start(self):
        done = self.run("start")
        assert done.returncode == 0, f"gibbon start: {done.returncode}\n{done.stdout}{done.stderr}\n{self.tails()}"
        self.running = True
        wait_for(self._answers, lambda: f"the Admin API of {self.prefix}\n{self.tails()}")
        return self

    def _answers(self):
        try:
            return fetch(self.admin_port, "GET", "/status").status == 200
        except OSError:
            return False

    def stop(self, verb="stop"):
        """Stops it and checks that no process stays."""
        done = self.run(verb)
        assert done.returncode == 0, f"gibbon {verb}: {done.returncode}\n{done.stdout}{done.stderr}\n{self.tails()}"
        self.running = False
        wait_for(lambda: not self.processes(), lambda: f"the end of {self.processes()}", timeout=15)

    # Processes.

    def pid(self, name):
        """From PREFIX/pids/; None where there is no such process."""
        try:
            pid = int((self.prefix / "pids" / f"{name}.pid").read_text())
        except (OSError, ValueError):
            return None
        return pid if alive(pid) else None

    def workers(self):
        """Process ids of nginx's workers that are not shutting down."""
        def is_worker(pid):
            try:
                return b"worker process" in (title := Path(f"/proc/{pid}/cmdline").read_bytes()) and b"shutting" not in title
            except OSError:
                return False

        master = self.pid("nginx")
        return [pid for pid in basics.children(master) if is_worker(pid)] if master else []

    def kill(self, pid, number=signal.SIGKILL):
        """Sends a signal to one of its own processes."""
        assert pid in self.processes(), f"{pid} is no process of {self.prefix}"
        os.kill(pid, number)

    def processes(self):
        return processes_touching(self.folder, self.shared)

    # Configuration in a few words.

    def add(self, url=None, path=None, log_to=None, service=None, route=None, plugin=None):
        """A service for `url` with a route for `path` (a fresh one without), and a logger where `log_to` is a URL."""
        name = "s" + uuid.uuid4().hex[:10]
        path = path or f"/{name}"
        made = Added(self, path)
        made.service = self.admin.ok("POST", "/services", {"name": name, **({"url": url} if url else {}), **(service or {})})
        made.route = self.admin.ok("POST", f"/services/{name}/routes", {"paths": [path], **(route or {})})
        if log_to:
            made.plugin = self.admin.ok("POST", f"/services/{name}/plugins", {
                "name": "request-response-logger", "config": {"log_endpoint": log_to, **(plugin or {})}})
        return made

    def add_upstream(self, targets=(), path=None, service=None, route=None, **upstream):
        """An upstream with targets ("host:port", or (that, weight)), and a service with a route that goes there."""
        name = "u" + uuid.uuid4().hex[:10] + ".test"
        fields = {"name": name, **upstream}
        made = self.admin.ok("POST", "/upstreams", fields)
        for target in targets:
            self.add_target(name, *([target] if isinstance(target, str) else target))
        added = self.add(path=path, service={"host": name, "protocol": "http", **(service or {})}, route=route)
        added.upstream = made
        return added

    def add_target(self, upstream, target, weight=100):
        return self.admin.ok("POST", f"/upstreams/{upstream}/targets", {"target": target, "weight": weight})

    def target_health(self, upstream):
        """target -> HEALTHY, UNHEALTHY, HEALTHCHECKS_OFF or DNS_ERROR."""
        return {t["target"]: t["health"] for t in self.admin.get(f"/upstreams/{upstream}/health?size=1000")["data"]}

    def get(self, target, **more):
        return fetch(self.proxy, "GET", target, **more)

    def connect(self):
        return Client(self.proxy)

    # What it said, and what it leaves.

    def log(self, name="error.log"):
        try:
            return (self.prefix / "logs" / name).read_text(errors="replace")
        except OSError:
            return ""

    def tails(self, lines=40):
        """The ends of all logs."""
        text = ""
        for log in sorted((self.prefix / "logs").glob("*")) if self.prefix.exists() else ():
            last = log.read_text(errors="replace").splitlines()[-lines:]
            text += f"--- {log.name}\n" + "".join(line[:600] + "\n" for line in last)
        return text

    def allow_alarm(self, pattern):
        """A test that provokes a line (a killed worker) says so."""
        self._allowed.append(re.compile(pattern))

    def alarms(self):
        """Lines of any log that no healthy run has."""
        found = []
        for log in sorted((self.prefix / "logs").glob("*")) if self.prefix.exists() else ():
            if log.is_file():
                found += [f"{log.name}: {line[:500]}" for line in log.read_text(errors="replace").splitlines()
                          if ALARMS.search(line) and not any(a.search(line) for a in self._allowed)]
        return found

    def new_alarms(self):
        """Those that an earlier call did not give."""
        found = self.alarms()
        new, self._checked["n"] = found[self._checked.get("n", 0):], len(found)
        return new

    def close(self):
        """Stops it, checks logs and what is left, and removes its folders. Never leaves a process behind."""
        problems = []
        try:
            if self.running:
                self.stop()
        except (AssertionError, subprocess.TimeoutExpired) as error:
            problems.append(str(error))
        for pid, command in self.processes().items():
            problems.append(f"left running: {pid} {command}")
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        problems += [f"alarm: {line}" for line in self.alarms()]
        problems += [f"left in shared memory: {path}" for path in self.shared.iterdir()]
        tails = self.tails() if problems else ""
        for folder in (self.folder, self.shared):
            shutil.rmtree(folder, ignore_errors=True)
        assert not problems, "\n".join(problems) + "\n" + tails


class Added:
    """What Gateway.add() made."""

    def __init__(self, gateway, path):
        self.gateway, self.path = gateway, path
        self.service = self.route = self.plugin = self.upstream = None

    def remove(self):
        admin = self.gateway.admin
        if self.plugin:
            admin.call("DELETE", f"/plugins/{self.plugin['id']}")
        admin.call("DELETE", f"/routes/{self.route['id']}")
        admin.call("DELETE", f"/services/{self.service['id']}")
        if self.upstream:
            admin.call("DELETE", f"/upstreams/{self.upstream['id']}")
