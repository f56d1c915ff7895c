"""What plugin authors have: the compiler's words, `gibbon plugins`, and the guide's plugins in a real gateway."""

import re
import subprocess

import pytest

from harness.basics import REPOSITORY, wait_for
from harness.gateway import BUILD, Gateway

EXAMPLES = REPOSITORY / "examples" / "plugins"

HANDLER = """
#include "gibbon/plugin.hpp"
using namespace gibbon;
Schema rows() {{ return fields::record({{}}); }}
struct Config {{ explicit Config(const ConfigView&) {{}} }};
struct Handler {{
  {constants}
  {methods}
}};
GIBBON_PLUGIN("tried", Handler, Config, rows)
"""
CONSTANTS = {
    "PRIORITY": "static constexpr int PRIORITY = 1;",
    "VERSION": 'static constexpr const char* VERSION = "1";',
    "FAILURE_POLICY": "static constexpr auto FAILURE_POLICY = FailurePolicy::kOpen;",
}

MISTAKES = {
    "a parameter too few": ("static void access(Exchange&) {}", "access must be: static void access(gibbon::Exchange&, const Config&)"),
    "not static": ("void log(Exchange&, const Config&) {}", "log must be: static void log("),
    "waits where it cannot": ("static Task<> header_filter(Exchange&, const Config&) { co_return; }",
                              "header_filter must be: static void"),
    "no chunk": ("static void body_filter(Exchange&, const Config&) {}", "body_filter must be: static void"),
    "response beside a filter": (
        "static void response(Exchange&, const Config&) {} static void header_filter(Exchange&, const Config&) {}",
        "a handler with response cannot have header_filter or body_filter"),
    "encode without a destination": (
        "static void encode(const ExchangeRecord&, const Config&, std::string&) {}", "must say where entries go"),
}


def compiles(methods="", without=()):
    """None, or what the compiler says."""
    constants = " ".join(text for name, text in CONSTANTS.items() if name not in without)
    done = subprocess.run(["g++", "-std=c++20", "-fsyntax-only", "-I", REPOSITORY / "include", "-x", "c++", "-"],
                          input=HANDLER.format(constants=constants, methods=methods), capture_output=True, text=True)
    return done.stderr if done.returncode else None


def test_all_methods_as_they_should_be():
    assert compiles("""
        static Task<> init_worker(Background&) { co_return; }
        static void configure(Background&, std::span<const Config* const>) {}
        static void certificate(Handshake&, const Config&) {}
        static Task<> rewrite(Exchange&, const Config&) { co_return; }
        static void access(Exchange&, const Config&) {}
        static void header_filter(Exchange&, const Config&) {}
        static void body_filter(Exchange&, BodyChunk&, const Config&) {}
        static void log(Exchange&, const Config&) {}
        static Destination destination(const Config&) { return {}; }
        static void encode(const ExchangeRecord&, const Config&, std::string&) {}
        static void encode_entry(std::string_view, const Config&, std::string&) {}
        static bool reads_body(const Config&) { return true; }
        static std::vector<std::string> secrets(const Config&) { return {}; }
        static std::vector<Entity> entities() { return {}; }
        static std::vector<MetricFamily> metrics() { return {}; }""") is None


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_method_does_not_compile(mistake):
    methods, message = MISTAKES[mistake]
    said = compiles(methods)
    assert said and message in said, said


def test_missing_constants_are_named():
    said = compiles(without=CONSTANTS)
    for text in ("needs a priority: static constexpr int PRIORITY", "needs a version: static constexpr const char* VERSION",
                 "must say what happens to a request when it throws"):
        assert said and text in said, said


def test_list_and_show(gibbon_binary, make_gateway):
    gateway = make_gateway(start=False, workers=1, settings={"plugins": "bundled,request-response-logger"})
    done = gateway.command("plugins", "list", "-c", gateway.file, "-p", gateway.prefix)
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    assert rows["key-auth"][:4] == ["3.9.3", "1250", "closed", "access"]
    assert rows["key-auth"][4].endswith("/plugins/key-auth.so")
    assert rows["request-response-logger"][:4] == ["1.0.0", "1000", "open", "access,header_filter,log"]
    done = gateway.command("plugins", "show", "key-auth", "-c", gateway.file, "-p", gateway.prefix)
    assert done.returncode == 0 and "key_names" in done.stdout
    done = gateway.command("plugins", "show", "nope", "-c", gateway.file, "-p", gateway.prefix)
    assert done.returncode == 1 and "the configuration loads no plugin 'nope'" in done.stderr


def gibbon(binary, *arguments):
    return subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True)


@pytest.mark.parametrize("name, problem", [
    ("", "is empty"), ("Upper", "must begin with a small letter"), ("a_b", "may have small letters, digits and '-' alone"),
    ("../x", "must begin with a small letter"), ("a/b", "alone"), ("end-", "must not end with '-'"),
    ("bundled", "means something else"), ("cors", "is one of Kong's own plugins")])
def test_new_refuses_names(gibbon_binary, tmp_path, name, problem):
    done = gibbon(gibbon_binary, "plugins", "new", name, "--dir", tmp_path)
    assert done.returncode == 1 and problem in done.stderr
    assert not list(tmp_path.iterdir())


def test_new_overwrites_nothing(gibbon_binary, tmp_path):
    assert gibbon(gibbon_binary, "plugins", "new", "mine", "--dir", tmp_path).returncode == 0
    (tmp_path / "mine" / "handler.cpp").write_text("my work")
    done = gibbon(gibbon_binary, "plugins", "new", "mine", "--dir", tmp_path)
    assert done.returncode == 1 and "mine already exists. Will not overwrite it." in done.stderr
    assert (tmp_path / "mine" / "handler.cpp").read_text() == "my work"


@pytest.fixture(scope="module")
def installed(gibbon_binary, tmp_path_factory):
    """An installation of its own."""
    root = tmp_path_factory.mktemp("installed")
    done = subprocess.run(["cmake", "--install", BUILD, "--prefix", root], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return root


def test_a_new_plugin_builds_against_an_installation_and_runs(installed, tmp_path, make_gateway, upstream):
    done = gibbon(installed / "bin" / "gibbon", "plugins", "new", "say-hello", "--dir", tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "say-hello"
    done = subprocess.run([folder / "build"], capture_output=True, text=True, cwd="/")
    assert done.returncode == 0 and "100% tests passed" in done.stdout, done.stdout + done.stderr
    assert (folder / "out" / "say-hello.so").exists()
    gateway = make_gateway(workers=1, settings={"plugins": "bundled,say-hello", "plugin_path": folder / "out"})
    route = gateway.add(f"http://127.0.0.1:{upstream.port}")
    gateway.admin.ok("POST", f"/routes/{route.route['id']}/plugins", {"name": "say-hello", "config": {"value": "hello"}})
    wait_for(lambda: gateway.get(route.path).header("x-say-hello") == "hello", "the header")


# The guide's plugins.

@pytest.fixture(scope="module")
def with_examples(gibbon_binary):
    gateway = Gateway(workers=1, settings={"plugins": "bundled,custom-headers,redact-fields,log-errors",
                                           "plugin_path": BUILD / "examples" / "plugins"})
    try:
        yield gateway.start()
    finally:
        gateway.close()


@pytest.fixture
def example(with_examples, upstream):
    """example(name, config): a route with that plugin."""
    made = []

    def make(name, config):
        route = with_examples.add(f"http://127.0.0.1:{upstream.port}")
        made.append((route, with_examples.admin.ok("POST", f"/routes/{route.route['id']}/plugins",
                                                   {"name": name, "config": config})))
        wait_for(lambda: with_examples.get(route.path).status == 200, "the route")
        return route

    yield make
    for route, plugin in made:
        with_examples.admin.call("DELETE", f"/plugins/{plugin['id']}")
        route.remove()


def test_custom_headers(with_examples, example):
    route = example("custom-headers", {"headers": {"X-Kong-Plugin": "custom-headers"}, "timestamp": "X-Timestamp"})
    answer = with_examples.get(route.path)
    assert answer.header("x-kong-plugin") == "custom-headers" and int(answer.header("x-timestamp")) > 0


def entries_of(endpoint):
    """All that it has received, as text."""
    return "\n".join(str(entry) for entry in endpoint.snapshot())


def test_redact_fields(with_examples, example, make_endpoint):
    endpoint = make_endpoint()
    route = example("redact-fields", {"log_endpoint": endpoint.url, "body_fields": ["password"]})
    answer = with_examples.get(f"{route.path}/login?token=abc123&page=1", headers=[("X-Session", "s3cr3t")])
    assert answer.status == 200
    wait_for(lambda: "/login?token=%5BREDACTED%5D&page=1" in entries_of(endpoint), lambda: entries_of(endpoint))
    assert "abc123" not in entries_of(endpoint) and "s3cr3t" not in entries_of(endpoint)


def test_log_errors(with_examples, example, make_endpoint):
    endpoint = make_endpoint()
    route = example("log-errors", {"log_endpoint": endpoint.url, "min_status": 418})
    assert with_examples.get(f"{route.path}/status/404").status == 404
    assert with_examples.get(f"{route.path}/status/503").status == 503
    wait_for(lambda: "/status/503" in entries_of(endpoint), lambda: entries_of(endpoint))
    assert "/status/404" not in entries_of(endpoint)


def test_the_guide_shows_the_files_as_they_are():
    guide = (REPOSITORY / "docs" / "plugin-guide.md").read_text()
    shown = re.findall(r"<!-- (examples/plugins/\S+) -->\n```cpp\n(.*?)```", guide, re.S)
    assert {path for path, _ in shown} == {
        f"examples/plugins/{folder.name}/{file}" for folder in EXAMPLES.iterdir() for file in ("schema.cpp", "handler.cpp", "test.cpp")}
    for path, text in shown:
        assert text == (REPOSITORY / path).read_text(), path


@pytest.mark.parametrize("folder", sorted(EXAMPLES.iterdir()), ids=lambda folder: folder.name)
def test_examples_pass_their_own_tests(gibbon_binary, folder):
    done = subprocess.run([BUILD / "examples" / "tests" / f"example-{folder.name}-test"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
