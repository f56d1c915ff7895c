"""The fixtures of every end-to-end suite."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from .certs import Authority
from .endpoint import LogEndpoint
from .gateway import BINARY, Gateway
from .loop import LoopThread
from .names import NameServer
from .protocols import GrpcEcho, WebSocketEcho
from .upstream import Upstream, server_tls


def pytest_collection_modifyitems(items):
    """Without the program its tests fail, and with GIBBON_SKIP_UNBUILT they are skipped: never in silence."""
    if BINARY.exists():
        return
    needing = [item for item in items if "gibbon_binary" in item.fixturenames]
    if needing and not os.environ.get("GIBBON_SKIP_UNBUILT"):
        raise pytest.UsageError(f"{BINARY} is not built: run ./dev build, or set GIBBON_SKIP_UNBUILT=1 to skip what needs it")
    for item in needing:
        item.add_marker(pytest.mark.skip(reason=f"{BINARY} is not built"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the ends of the logs of the gateways that it used."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, Gateway):
                report.sections.append((f"logs of {name}", value.tails(25)))


@pytest.fixture(scope="session")
def gibbon_binary():
    return BINARY


@pytest.fixture(scope="session")
def scratch():
    """A folder for the whole run."""
    folder = Path(tempfile.mkdtemp(prefix="gibbon-tests-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def thread():
    """The loop on which the servers run."""
    thread = LoopThread("servers")
    yield thread
    thread.stop()


@pytest.fixture(scope="session")
def upstream(thread):
    server = Upstream(thread).open()
    yield server
    server.close()


@pytest.fixture(scope="session")
def authority(scratch):
    return Authority(scratch / "authority")


@pytest.fixture(scope="session")
def foreign_authority(scratch):
    """Nobody trusts it."""
    return Authority(scratch / "foreign", "Foreign Authority")


@pytest.fixture(scope="session")
def tls_upstream(thread, authority):
    """One address with three identities: localhost (also by address), one.test and two.test."""
    certificate = authority.issue("localhost", "127.0.0.1")
    names = {name: authority.issue(name) for name in ("one.test", "two.test")}
    server = Upstream(thread, server_tls(*certificate, names), "tls").open()
    yield server
    server.close()


@pytest.fixture(scope="session")
def untrusted_upstream(thread, foreign_authority):
    server = Upstream(thread, server_tls(*foreign_authority.issue("localhost", "127.0.0.1", "one.test")), "untrusted").open()
    yield server
    server.close()


@pytest.fixture(scope="session")
def websocket_echo(thread):
    server = WebSocketEcho(thread)
    yield server
    server.close()


@pytest.fixture(scope="session")
def grpc_echo():
    server = GrpcEcho()
    yield server
    server.close()


@pytest.fixture(scope="session")
def endpoint():
    """The log endpoint of the shared gateway: one object per POST, as in the guide."""
    server = LogEndpoint().open()
    yield server
    server.shut()


@pytest.fixture(scope="session")
def name_server(thread):
    server = NameServer(thread, {"known.example.test": "127.0.0.1"})
    yield server
    server.close()


@pytest.fixture(scope="session")
def hosts_file(scratch):
    path = scratch / "hosts"
    path.write_text("127.0.0.1 localhost one.test two.test plain.test\n")
    return path


@pytest.fixture(scope="session")
def shared_gateway(gibbon_binary, authority, hosts_file, name_server):
    """Two workers; plain, TLS + HTTP/2, and plain HTTP/2 listeners; names from our own file and server."""
    gateway = Gateway(workers=2, tls=authority.issue("gate.test", "localhost", "127.0.0.1"), h2c=True, settings={
        "lua_ssl_trusted_certificate": str(authority.certificate), "dns_hostsfile": str(hosts_file),
        "dns_resolver": f"127.0.0.1:{name_server.port}"})
    try:
        yield gateway.start()
    finally:
        gateway.close()


@pytest.fixture
def gateway(shared_gateway):
    """The shared gateway; a test's own lines in its logs must not hold an alarm."""
    shared_gateway.new_alarms()
    yield shared_gateway
    assert not (new := shared_gateway.new_alarms()), new


@pytest.fixture
def make_gateway(gibbon_binary):
    """Gateways of a test's own: make_gateway(workers=1, ...). They are stopped and checked at its end."""
    made = []

    def make(*, start=True, **options):
        made.append(Gateway(**options))
        return made[-1].start() if start else made[-1]

    yield make
    problems = []
    for gateway in reversed(made):
        try:
            gateway.close()
        except AssertionError as error:
            problems.append(str(error))
    assert not problems, "\n".join(problems)


@pytest.fixture
def servers(thread):
    """Upstream servers of a test's own: servers(3) gives three more, called a, b, c, ... in order; `host` is where."""
    made = []

    def make(count, host="127.0.0.1", port=0, **options):
        new = []
        for _ in range(count):
            server = Upstream(thread, name=chr(ord("a") + len(made)), host=host, port=port, **options)
            made.append(server.open())
            new.append(server)
        return new

    yield make
    for server in made:
        server.close()


@pytest.fixture
def make_names(thread):
    """Name servers of a test's own: make_names({name: records})."""
    made = []

    def make(table, **options):
        made.append(NameServer(thread, table, **options))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture
def make_endpoint():
    """Log endpoints of a test's own."""
    made = []

    def make(**options):
        made.append(LogEndpoint(**options).open())
        return made[-1]

    yield make
    for server in made:
        server.shut()


@pytest.fixture
def add(gateway):
    """gateway.add(...), undone at the end of the test."""
    made = []

    def make(*arguments, **options):
        made.append(gateway.add(*arguments, **options))
        return made[-1]

    yield make
    for added in made:
        added.remove()


@pytest.fixture
def echo(add, upstream):
    """A route to the upstream, without plugins."""
    return add(f"http://127.0.0.1:{upstream.port}")


@pytest.fixture
def logged(add, upstream, endpoint):
    """A route to the upstream, with the logger."""
    return add(f"http://127.0.0.1:{upstream.port}", log_to=endpoint.url)
