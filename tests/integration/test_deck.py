"""decK, Kong's own client: it pings, resets, syncs a file of its own, dumps, and finds nothing left to do."""

import json
import os
import re
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.skipif(not shutil.which("deck"), reason="deck is not installed")

FILE = """\
_format_version: "1.1"
services:
- name: svc1
  url: http://127.0.0.1:18080/base
  tags: [team-a, team-b]
  routes:
  - name: r1
    paths: ["/one"]
    headers: {x-tenant: [a, b]}
  - name: r2
    hosts: ["two.test"]
    methods: ["GET"]
    strip_path: false
    plugins:
    - name: request-response-logger
      config: {timeout: 7}
  plugins:
  - name: request-response-logger
    config: {max_body_size: 64}
- name: svc2
  host: up.test
  protocol: https
routes:
- name: r3
  paths: ["/three"]
upstreams:
- name: up.test
  algorithm: least-connections
  targets:
  - target: 127.0.0.1:9000
    weight: 50
  - target: h.test:80
consumers:
- username: bob
  custom_id: "7"
  keyauth_credentials:
  - key: bobs-key
  acls:
  - group: gold
  plugins:
  - name: request-response-logger
    config: {timeout: 9}
plugins:
- name: request-response-logger
  config: {timeout: 5}
"""


@pytest.fixture
def deck(gateway, tmp_path):
    environment = os.environ | {"DECK_KONG_ADDR": f"http://127.0.0.1:{gateway.admin_port}", "HOME": str(tmp_path)}

    def run(*arguments):
        done = subprocess.run(["deck", *map(str, arguments), "--no-color"], env=environment, capture_output=True, text=True,
                              timeout=120, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    run("reset", "--force")
    yield run
    run("reset", "--force")


def summary(text):
    return [int(re.search(rf"{word}: (\d+)", text)[1]) for word in ("Created", "Updated", "Deleted")]


def test_deck(gateway, deck, tmp_path):
    assert "Successfully connected" in deck("ping")
    own, dump, again = tmp_path / "kong.yaml", tmp_path / "dump.yaml", tmp_path / "again.yaml"
    own.write_text(FILE)
    assert summary(deck("sync", "--state", own)) == [15, 0, 0]
    assert gateway.admin.get("/upstreams/up.test/targets/h.test:80")["weight"] == 100

    deck("dump", "--output-file", dump)
    assert summary(deck("sync", "--state", dump)) == [0, 0, 0]
    deck("diff", "--state", dump)

    deck("reset", "--force")
    for collection in ("services", "routes", "plugins", "upstreams", "consumers"):
        assert gateway.admin.get(f"/{collection}")["data"] == []
    assert summary(deck("sync", "--state", dump)) == [15, 0, 0]
    deck("dump", "--output-file", again)
    assert again.read_text() == dump.read_text()


def test_deck_by_tags(gateway, deck, tmp_path):
    """A team's own part alone: what has other tags stays as it is."""
    gateway.admin.ok("POST", "/services", {"name": "other", "host": "h", "tags": ["other"]})
    ours = tmp_path / "ours.yaml"
    ours.write_text('_format_version: "1.1"\n_info: {select_tags: [ours]}\nservices:\n- {name: mine, host: h}\n')
    assert summary(deck("sync", "--state", ours)) == [1, 0, 0]
    assert gateway.admin.get("/services/mine")["tags"] == ["ours"]
    ours.write_text('_format_version: "1.1"\n_info: {select_tags: [ours]}\n')
    assert summary(deck("sync", "--state", ours)) == [0, 0, 1]
    assert [service["name"] for service in gateway.admin.get("/services")["data"]] == ["other"]
    gateway.admin.ok("DELETE", "/services/other")


def test_deck_with_certificates(gateway, deck, authority, tmp_path):
    """A certificate with its names, an authority, and a service that shows the one to its upstream."""
    certificate, key = authority.issue("deck.test")
    ids = [f"0c8e1d57-1c2c-4a5d-9a43-24d0f1a1b00{number}" for number in (1, 2)]
    document = {"_format_version": "1.1", "ca_certificates": [{"id": ids[1], "cert": authority.certificate.read_text()}],
                "certificates": [{"id": ids[0], "cert": certificate.read_text(), "key": key.read_text(),
                                  "snis": [{"name": "a.deck.test"}, {"name": "b.deck.test"}]}],
                "services": [{"name": "s", "url": "https://h.test", "client_certificate": ids[0]}]}
    own, dump = tmp_path / "kong.json", tmp_path / "dump.yaml"
    own.write_text(json.dumps(document))
    assert summary(deck("sync", "--state", own)) == [5, 0, 0]
    assert gateway.admin.get("/certificates/b.deck.test")["snis"] == ["a.deck.test", "b.deck.test"]
    deck("dump", "--output-file", dump)
    assert summary(deck("sync", "--state", dump)) == [0, 0, 0]
    document["certificates"][0] |= {"snis": [{"name": "c.deck.test"}, {"name": "b.deck.test"}], "tags": ["renewed"]}
    own.write_text(json.dumps(document))
    for _ in range(2):  # decK replaces a certificate without its names, which takes them away, as in Kong
        deck("sync", "--state", own)
    assert gateway.admin.get(f"/certificates/{ids[0]}")["snis"] == ["b.deck.test", "c.deck.test"]
