"""`gibbon config`: files in, files out, beside a gateway that runs and one that does not."""

import json
import os
import sqlite3
import stat

import pytest

from harness.basics import wait_for

GOOD = """\
_format_version: "3.0"
services:
- name: svc
  url: http://127.0.0.1:{upstream}
  routes:
  - name: r
    paths: [/{path}]
"""


@pytest.fixture
def gateway(make_gateway):
    """Not started."""
    return make_gateway(start=False, workers=2, settings={"db_update_frequency": 1})


@pytest.fixture
def config(gateway):
    """`gibbon config ...` for that gateway."""
    return lambda *arguments, **env: gateway.command("config", *arguments, "-c", gateway.file, "-p", gateway.prefix, **env)


@pytest.fixture
def good(tmp_path, upstream):
    def write(path="imported", name="good.yml"):
        file = tmp_path / name
        file.write_text(GOOD.format(upstream=upstream.port, path=path))
        return file
    return write


def test_parse(config, good, tmp_path):
    done = config("parse", good())
    assert (done.returncode, done.stdout, done.stderr) == (0, "parse successful\n", "")
    bad = tmp_path / "bad.json"
    bad.write_text('{"_format_version": "3.0", "services": [{"name": "a"}]}')
    done = config("parse", bad)
    assert done.returncode == 1 and done.stderr == (
        "Error: Failed parsing:\nin 'services':\n  - in entry 1 of 'services':\n    in 'host': required field missing\n")


PARSE_ERRORS = {
    "no file": ((), "expected a declarative configuration file"),
    "missing": (("missing.yml",), "missing.yml: No such file or directory"),
    "other kind": (("/etc/hostname",), "unknown file type: /etc/hostname. (Accepted types: json, yaml)"),
}


@pytest.mark.parametrize("kind", PARSE_ERRORS)
@pytest.mark.parametrize("verb", ["parse", "import", "db_import"])
def test_files_that_are_none(config, gateway, kind, verb):
    arguments, words = PARSE_ERRORS[kind]
    done = config(verb, *arguments)
    assert done.returncode == 1 and done.stderr.startswith("Error: ") and words in done.stderr, done
    assert not (gateway.prefix / "gibbon.db").exists()


def test_init_writes_an_example_that_parses(gateway, config, tmp_path):
    assert config("init", tmp_path / "new.yml").returncode == 0
    assert config("parse", tmp_path / "new.yml").returncode == 0
    again = config("init", tmp_path / "new.yml")
    assert again.returncode == 1 and "already exists" in again.stderr


def everything(upstream, authority):
    """A document with an entity of each kind."""
    certificate, key = (path.read_text() for path in authority.issue("config.test"))
    return {
        "_format_version": "3.0",
        "certificates": [{"cert": certificate, "key": key, "snis": [{"name": "config.test"}]}],
        "ca_certificates": [{"cert": authority.certificate.read_text()}],
        "services": [{"name": "svc", "url": f"http://127.0.0.1:{upstream.port}", "tags": ["täg", "yes", "1"],
                      "routes": [{"name": "r", "paths": ["/a", "~/b\\d+$"], "headers": {"x-a": ["1", "no"]}}],
                      "plugins": [{"name": "request-response-logger", "config": {"headers": {"a": "~"}}}]}],
        "consumers": [{"username": "0123", "custom_id": "1e3",
                       "plugins": [{"name": "request-response-logger"}]}],
        "upstreams": [{"name": "up.test", "targets": [{"target": "127.0.0.1:80", "weight": 7}]}],
        "vaults": [{"name": "env", "prefix": "my-env", "config": {"prefix": "SECRET_"}}],
        "plugins": [{"name": "request-response-logger", "enabled": False}],
    }


def test_export_import_export_is_the_same(config, gateway, tmp_path, upstream, authority):
    source = tmp_path / "all.json"
    source.write_text(json.dumps(everything(upstream, authority)))
    done = config("import", source)
    assert done.returncode == 0 and done.stdout == "parse successful, beginning import\nimport successful\n", done
    first = tmp_path / "first.yml"
    assert config("export", first).returncode == 0
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    for kind in ("certificates", "snis", "ca_certificates", "services", "routes", "plugins", "consumers", "upstreams",
                 "targets", "vaults"):
        assert f"\n{kind}:\n" in first.read_text(), kind
    refused = config("export", first)
    assert refused.returncode == 1 and refused.stderr == f"Error: {first} already exists. Will not overwrite it.\n"

    # Into an empty database, and over itself, under Kong's names.
    database = gateway.prefix / "gibbon.db"
    database.unlink()
    for _ in range(2):
        assert config("db_import", first).returncode == 0
        assert config("db_export", "-").stdout == first.read_text()
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


def test_export_to_where_nothing_can_be(config, good, tmp_path):
    refused = config("export", tmp_path / "none.yml")
    assert refused.returncode == 1 and "there is no database at " in refused.stderr
    assert config("import", good()).returncode == 0
    refused = config("export", tmp_path / "missing" / "kong.yml")
    assert refused.returncode == 1 and "missing/kong.yml: No such file or directory" in refused.stderr


def test_an_import_before_the_start(config, gateway, good):
    assert config("import", good()).returncode == 0
    gateway.start()
    assert gateway.get("/imported").status == 200


def test_an_import_beside_a_running_gateway_is_in_effect_when_it_returns(config, gateway, good):
    gateway.start()
    for number in range(5):
        assert config("import", good(f"import-{number}")).returncode == 0
        assert [gateway.get(f"/import-{number}").status for _ in range(8)] == [200] * 8
        assert gateway.admin.get("/routes/r")["paths"] == [f"/import-{number}"]
    # What the Admin API writes next stands on it.
    gateway.admin.ok("PATCH", "/routes/r", {"paths": ["/patched"]})
    assert gateway.get("/patched").status == 200
    assert "- /patched" in config("export", "-").stdout
    # Others stay, and an import that changes nothing says so at once.
    gateway.admin.ok("POST", "/services", {"name": "other", "host": "h"})
    exported = good("unused", "again.yml")
    exported.write_text(config("export", "-").stdout)
    before = gateway.admin.get("/status")["gibbon"]["generation"]
    assert config("import", exported).returncode == 0
    assert gateway.admin.get("/status")["gibbon"]["generation"] == before
    assert {s["name"] for s in gateway.admin.get("/services")["data"]} == {"svc", "other"}


def test_an_import_that_is_refused_changes_nothing(config, gateway, good, tmp_path):
    gateway.start()
    assert config("import", good()).returncode == 0
    before = config("export", "-").stdout
    clash = tmp_path / "clash.yml"
    clash.write_text('_format_version: "3.0"\nconsumers: [{username: new}]\n'
                     "services: [{id: 00000000-0000-4000-8000-000000000001, name: svc, host: h}]\n"
                     "upstreams: [{name: later}]\n")
    done = config("import", clash)
    assert done.returncode == 1 and done.stderr == (
        "Error: Failed importing:\nUNIQUE violation detected on '{name=\"svc\"}'\n"), done
    broken = tmp_path / "broken.yml"
    broken.write_text('_format_version: "3.0"\nconsumers: [{username: new}, {}]\n')
    done = config("import", broken)
    assert done.returncode == 1 and done.stderr.startswith("Error: Failed parsing:\nin 'consumers':\n"), done
    assert config("export", "-").stdout == before
    assert gateway.get("/imported").status == 200


def test_what_another_program_writes_is_found(gateway, config, good):
    assert config("import", good("first")).returncode == 0
    gateway.start()
    with sqlite3.connect(gateway.prefix / "gibbon.db") as database:
        database.execute("UPDATE entities SET body = replace(body, '/first', '/second') WHERE collection = 'routes'")
    database.close()
    wait_for(lambda: gateway.get("/second").status == 200, "the gateway to look at its database")


def test_without_a_database(make_gateway, good):
    gateway = make_gateway(start=False, database="off")
    common = ("-c", gateway.file, "-p", gateway.prefix)
    assert gateway.command("config", *common, "parse", good()).returncode == 0
    done = gateway.command("config", "import", good(), *common)
    assert done.returncode == 1 and "only works with a database.\nWhen using database=off" in done.stderr
    done = gateway.command("config", "export", *common)
    assert done.returncode == 1 and done.stderr == "Error: 'gibbon config export' only works with a database.\n"


FIRST_LAYOUT = """
CREATE TABLE schema_version (version INTEGER NOT NULL);
INSERT INTO schema_version VALUES (1);
CREATE TABLE services (id TEXT PRIMARY KEY, name TEXT UNIQUE, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE routes (id TEXT PRIMARY KEY, name TEXT UNIQUE, service_id TEXT, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE plugins (id TEXT PRIMARY KEY, instance_name TEXT UNIQUE, service_id TEXT, route_id TEXT,
  body TEXT NOT NULL) WITHOUT ROWID;
"""


def test_check_says_what_a_start_would_do_to_an_old_database(gateway, config, good):
    gateway.prefix.mkdir()
    database = gateway.prefix / "gibbon.db"
    with sqlite3.connect(database) as old:
        old.executescript(FIRST_LAYOUT)
        body = json.dumps({"id": "00000000-0000-4000-8000-000000000001", "name": "kept", "host": "h", "port": 80,
                           "protocol": "http", "enabled": True, "retries": 5, "connect_timeout": 60000,
                           "read_timeout": 60000, "write_timeout": 60000})
        old.execute("INSERT INTO services VALUES (?, 'kept', ?)", (json.loads(body)["id"], body))
    old.close()
    before = database.read_bytes()
    done = gateway.command("check", "-c", gateway.file, "-p", gateway.prefix)
    assert done.returncode == 0, done
    assert f"Note: {database} has layout 1: the next start brings it to 2, and keeps a copy as {database}.layout-1" in done.stdout
    assert database.read_bytes() == before and os.listdir(gateway.prefix) == ["gibbon.db"]
    exported = config("export", "-").stdout  # reads it as it is
    assert "name: kept" in exported and database.read_bytes() == before
    gateway.start()
    assert gateway.admin.get("/services/kept")["host"] == "h"
    assert (gateway.prefix / "gibbon.db.layout-1").exists()


def test_check_looks_at_the_real_database(gateway):
    gateway.prefix.mkdir()
    (gateway.prefix / "gibbon.db").write_text("this is no database, and long enough to be looked at")
    done = gateway.command("check", "-c", gateway.file, "-p", gateway.prefix)
    assert done.returncode == 1 and "cannot use the database" in done.stderr, done
