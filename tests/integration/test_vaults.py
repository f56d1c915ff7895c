"""Secrets of the environment: {vault://env/NAME} in the logger's address and headers, through a vault entity and without."""

import re

from harness.basics import wait_for
from harness.client import new_tag

SECRET, KEY = "s3cr3t-of-the-tests", "k3y-of-the-tests"


def grep(folder, text):
    return [str(path) for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_references_in_the_logger(make_gateway, make_endpoint):
    endpoint = make_endpoint()
    gateway = make_gateway(env={"LOG_ADDRESS": endpoint.url, "LOG_TOKEN": SECRET,
                                "APP_PAIR": '{"key": "%s"}' % KEY})
    gateway.admin.ok("POST", "/vaults", {"prefix": "my-env", "name": "env", "config": {"prefix": "APP_"}})
    route = gateway.add("http://127.0.0.1:1")
    plugin = gateway.admin.ok("POST", f"/services/{route.service['id']}/plugins", {
        "name": "request-response-logger",
        "config": {"log_endpoint": "{vault://env/log-address}",
                   "headers": {"X-Token": "{vault://env/log-token}", "X-Key": "{vault://my-env/pair/key}",
                               "X-Plain": "plain"}}})
    assert plugin["config"]["log_endpoint"] == "{vault://env/log-address}"
    assert gateway.admin.ok("GET", f"/plugins/{plugin['id']}")["config"]["headers"]["X-Token"] == "{vault://env/log-token}"
    tag = new_tag()
    gateway.get(f"{route.path}?rid={tag}")
    endpoint.wait(tag)
    sent = {name.lower(): value for name, value in endpoint.headers[-1]}
    assert sent["x-token"] == SECRET and sent["x-key"] == KEY and sent["x-plain"] == "plain"

    # While the endpoint is away, what waits goes to disk, its address and headers without the secrets.
    endpoint.mode = "error"
    later = new_tag()
    gateway.get(f"{route.path}?rid={later}")
    wait_for(lambda: grep(gateway.prefix / "spool", later), "the entry in the spool")
    assert grep(gateway.prefix, "{vault://env/log-token}")
    assert not grep(gateway.prefix, SECRET) and not grep(gateway.prefix, KEY), "a secret lies on disk"
    endpoint.mode = "ok"
    endpoint.wait(later)


def test_a_secret_that_is_missing_is_told_of_and_stands_for_nothing(make_gateway, make_endpoint):
    endpoint = make_endpoint()
    gateway = make_gateway()
    route = gateway.add("http://127.0.0.1:1")
    gateway.admin.ok("POST", f"/services/{route.service['id']}/plugins", {
        "name": "request-response-logger",
        "config": {"log_endpoint": endpoint.url, "headers": {"X-Token": "{vault://env/not-there}"}}})
    tag = new_tag()
    gateway.get(f"{route.path}?rid={tag}")
    endpoint.wait(tag)
    sent = {name.lower(): value for name, value in endpoint.headers[-1]}
    assert sent["x-token"] == ""
    log = (gateway.prefix / "logs" / "agent.log").read_text()
    assert re.search(r"NOT_THERE is not set \[\{vault://env/not-there\}\]", log)


def test_a_header_that_would_break_the_request_is_refused(make_gateway):
    gateway = make_gateway(workers=1)
    for headers, message in (({"Host": "x"}, "cannot contain 'Host' header"),
                             ({"Content-Type": "x"}, "cannot contain 'Content-Type' header"),
                             ({"X-A": "a\r\nX-B: b"}, "must not have control characters"),
                             ({"X A": "x"}, "bad header name 'X A'")):
        answer = gateway.admin.call("POST", "/plugins", {"name": "request-response-logger", "config": {"headers": headers}})
        assert answer.status == 400 and message in answer.json()["message"], answer.body
