"""A plugin that cannot be loaded is an error message: it names plugin and file, and no gateway dies of it."""

import os
import re
import signal

import pytest

from harness.basics import wait_for
from harness.gateway import BUILD

FIXTURES = BUILD / "tests" / "plugins"

WRONG = {
    "aborts": "crashed while it was loaded (Aborted)",
    "segfaults": "crashed while it was loaded (Segmentation fault)",
    "exits": "ended the process while it was loaded (exit code 3)",
    "throws-early": "no licence file",
    "throws": "its entry point threw: no licence",
    "schema-throws": "its schema threw: no schema today",
    "entities-throw": "its entities() threw: no entities today",
    "metrics-throw": "its metrics() threw something that is no std::exception",
    "wrong-abi": "was built for version 9999 of the plugin kit",
    "other-toolchain": "was built with libc++, expected ",
    "two-filters": "has response beside header_filter or body_filter",
    "misnamed": "calls itself 'another-name', expected 'misnamed'",
    "no-entry": "has no entry point 'gibbon_plugin'",
    "unresolved": "gibbon_fixture_nowhere_defined",
}

pytestmark = pytest.mark.skipif(not FIXTURES.exists(), reason="the unit tests are not built")


@pytest.fixture(scope="module")
def checked(gibbon_binary, tmp_path_factory):
    """What `gibbon check` says of all of them at once."""
    from harness.gateway import Gateway
    gateway = Gateway(workers=1, settings={"plugins": ",".join(["bundled", "sound", "nowhere", *WRONG]),
                                           "plugin_path": FIXTURES})
    try:
        yield gateway.command("check", gateway.file, "-p", gateway.prefix)
    finally:
        gateway.close()


@pytest.mark.parametrize("name", WRONG)
def test_check_says_what_is_wrong(checked, name):
    assert checked.returncode == 1
    lines = [line for line in checked.stderr.splitlines() if f"plugin '{name}' ({FIXTURES / name}.so): " in line]
    assert len(lines) == 1 and WRONG[name] in lines[0], checked.stderr


def test_check_says_what_is_missing(checked):
    assert "plugin 'nowhere' is not installed; looked for " in checked.stderr
    assert f"{FIXTURES}/nowhere.so" in checked.stderr
    assert "'sound'" not in checked.stderr


def test_start_is_refused(make_gateway):
    gateway = make_gateway(start=False, workers=1, settings={"plugins": "bundled,aborts", "plugin_path": FIXTURES})
    done = gateway.run("start")
    assert done.returncode == 1
    assert done.stderr == f"Error: plugin 'aborts' ({FIXTURES}/aborts.so): crashed while it was loaded (Aborted)\n"
    assert not gateway.processes()


@pytest.mark.parametrize("name", ["aborts", "wrong-abi", "throws-early"])
def test_a_reload_is_refused_and_the_gateway_serves_on(make_gateway, upstream, name):
    gateway = make_gateway(workers=1, settings={"plugins": "bundled", "plugin_path": FIXTURES})
    route = gateway.add(f"http://127.0.0.1:{upstream.port}")
    wait_for(lambda: gateway.get(route.path).status == 200, "the route")
    before = gateway.pid("nginx"), gateway.pid("agent"), gateway.workers()
    gateway.write_settings(plugins=f"bundled,{name}")
    done = gateway.run("reload")
    assert done.returncode == 1 and f"plugin '{name}' ({FIXTURES / name}.so): " in done.stderr
    assert (gateway.pid("nginx"), gateway.pid("agent"), gateway.workers()) == before
    assert gateway.get(route.path).status == 200
    gateway.write_settings(plugins="bundled,sound")
    done = gateway.run("reload")
    assert done.returncode == 0, done.stderr
    wait_for(lambda: gateway.admin.get("/")["plugins"]["available_on_server"].get("sound"), "the sound plugin")
    assert gateway.get(route.path).status == 200


def test_master_and_agent_refuse_it_as_well(make_gateway, upstream):
    """Whoever writes the files and sends the signals by hand, past the checks of `gibbon reload`."""
    gateway = make_gateway(workers=1, settings={"plugins": "bundled,sound", "plugin_path": FIXTURES})
    gateway.allow_alarm(r"\[emerg\].*plugin 'aborts'")
    route = gateway.add(f"http://127.0.0.1:{upstream.port}")
    wait_for(lambda: gateway.get(route.path).status == 200, "the route")
    changed = 0
    for file in (gateway.prefix / "nginx.conf", gateway.prefix / ".gibbon_env"):
        text = file.read_text()
        changed += (new := re.sub(r"\bsound\b", "aborts", text)) != text
        file.write_text(new)
    assert changed == 2
    before = gateway.pid("nginx"), gateway.pid("agent"), gateway.workers()
    os.kill(gateway.pid("nginx"), signal.SIGHUP)
    os.kill(gateway.pid("agent"), signal.SIGHUP)
    said = f"plugin 'aborts' ({FIXTURES}/aborts.so): crashed while it was loaded (Aborted)"
    wait_for(lambda: said in gateway.log(), lambda: gateway.tails())
    wait_for(lambda: said in gateway.log("agent.log"), lambda: gateway.tails())
    assert (gateway.pid("nginx"), gateway.pid("agent"), gateway.workers()) == before
    assert gateway.get(route.path).status == 200
