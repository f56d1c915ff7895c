"""file-log: a line for each exchange, and what happens while the file cannot be written."""

import json
import os

import pytest

from harness.basics import wait_for
from harness.client import new_tag
from harness.transcripts import load
from test_http_log import record_kinds


@pytest.fixture
def logged(gateway, upstream):
    """A service with file-log: logged(path, ...)."""
    made = []

    def make(path, **config):
        added = gateway.add(f"http://127.0.0.1:{upstream.port}")
        made.append(added)
        added.plugin = gateway.admin.ok("POST", f"/services/{added.service['name']}/plugins", {
            "name": "file-log", "config": {"path": str(path), **config}})
        return added

    yield make
    for added in made:
        added.remove()


def entries(path):
    try:
        text = path.read_text()
    except OSError:
        return []
    assert not text or text.endswith("\n"), "whole lines alone"
    return [json.loads(line) for line in text.splitlines()]


def wait_entry(path, tag):
    return wait_for(lambda: [e for e in entries(path) if f"rid={tag}" in e["request"]["uri"]], f"the entry of {tag}")[0]


def test_each_exchange_is_a_line_with_kongs_record(gateway, logged, tmp_path):
    file = tmp_path / "out.log"
    added = logged(file, custom_fields_by_lua={"team": "return 'blue'"})
    tags = [new_tag() for _ in range(5)]
    for tag in tags:
        gateway.get(f"{added.path}?rid={tag}")
    for tag in tags:
        entry = wait_entry(file, tag)
        assert entry.pop("team") == "blue"
        ours, kongs = record_kinds(entry), record_kinds(load("log_records.json")[1]["expect"])
        for shape in (ours, kongs):  # what this request and Kong's differ in
            shape["request"].pop("headers"), shape["request"].pop("querystring")
            shape["route"].pop("name", None), shape["service"].pop("path", None)
        assert ours == kongs
    assert len(entries(file)) == 5
    assert file.stat().st_mode & 0o600 == 0o600


def test_reopen_follows_a_file_that_is_moved_away(gateway, logged, tmp_path):
    kept, moved = tmp_path / "kept.log", tmp_path / "moved.log"
    keeps, reopens = logged(kept), logged(moved, reopen=True)
    first, second = new_tag(), new_tag()
    for added, file in ((keeps, kept), (reopens, moved)):
        gateway.get(f"{added.path}?rid={first}")
        wait_entry(file, first)
        os.rename(file, f"{file}.1")
        gateway.get(f"{added.path}?rid={second}")
    wait_entry(moved, second)
    wait_entry(tmp_path / "kept.log.1", second)
    assert not kept.exists()
    assert gateway.run("reload").returncode == 0
    third = new_tag()

    def is_open_anew():
        gateway.get(f"{keeps.path}?rid={third}")
        return entries(kept)

    wait_for(is_open_anew, "the file after a reload")


def test_nothing_is_lost_while_the_file_cannot_be_written(gateway, logged, tmp_path):
    file = tmp_path / "later" / "out.log"
    added = logged(file)
    tags = [new_tag() for _ in range(10)]
    for tag in tags:
        assert gateway.get(f"{added.path}?rid={tag}").status == 200
    wait_for(lambda: "No such file or directory" in gateway.tails(400), "a word in the log")
    file.parent.mkdir()
    for tag in tags:
        wait_entry(file, tag)
    assert len(entries(file)) == 10
    wait_for(lambda: gateway.admin.metrics().pending == 0, "nothing waits")


def test_a_name_that_is_none_is_refused(gateway):
    answer = gateway.admin.call("POST", "/plugins", {"name": "file-log", "config": {"path": "a*b"}})
    assert answer.status == 400 and answer.json()["fields"]["config"]["path"] == "not a valid filename", answer
