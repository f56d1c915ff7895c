"""The guard of the Admin API: a token, client certificates, and secrets that stay out of every log."""

import json
import ssl

import pytest

from harness.basics import free_port, wait_for
from harness.client import Client, fetch, new_tag

TOKEN = "t0ken-that-nobody-else-knows"


def with_token(gateway, method, path, token=TOKEN, **more):
    return gateway.admin.call(method, path, headers=[("Kong-Admin-Token", token)], **more)


@pytest.fixture
def guarded(make_gateway):
    """make_gateway() waits for the Admin API by asking it; a guarded one answers 401, which is an answer too."""
    def make(**settings):
        gateway = make_gateway(start=False, workers=1, settings=settings)
        gateway._answers = lambda: fetch(gateway.status, "GET", "/status").status == 200
        return gateway.start()

    return make


def test_it_listens_on_loopback_by_default(gateway):
    configuration = gateway.run("check", "-c", gateway.file)
    assert configuration.returncode == 0, configuration.stderr
    for listener in gateway.admin.get("/")["configuration"]["admin_listeners"]:
        assert listener["ip"] == "127.0.0.1"


def test_a_token(guarded):
    gateway = guarded(admin_token=TOKEN)
    for method, path in (("GET", "/"), ("GET", "/services"), ("POST", "/services"), ("GET", "/metrics"), ("GET", "/nothing")):
        for headers in ([], [("Kong-Admin-Token", "wrong")], [("Kong-Admin-Token", TOKEN + "x")]):
            refused = gateway.admin.call(method, path, headers=headers)
            assert (refused.status, refused.json()) == (401, {"message": "Unauthorized"}), (method, path)
            assert refused.header("access-control-allow-origin") == "*"
    assert with_token(gateway, "POST", "/services", json_body={"name": "s", "host": "h"}).status == 201
    assert [s["name"] for s in with_token(gateway, "GET", "/services").json()["data"]] == ["s"]
    assert with_token(gateway, "GET", "/").json()["configuration"]["admin_token"] == "******"

    preflight = gateway.admin.call("OPTIONS", "/services", headers=[
        ("Origin", "http://manager.test"), ("Access-Control-Request-Headers", "kong-admin-token")])
    assert preflight.status == 204
    assert preflight.header("access-control-allow-headers") == "kong-admin-token"
    plain = gateway.admin.call("OPTIONS", "/services")
    assert plain.status == 204 and plain.header("access-control-allow-headers") == "Content-Type, Kong-Admin-Token"

    # What runs beside it needs no token.
    health = gateway.run("health")
    assert health.returncode == 0, health.stdout + health.stderr
    assert fetch(gateway.status, "GET", "/status").status == 200
    done = gateway.run("reload")
    assert done.returncode == 0, done.stdout + done.stderr
    assert gateway.admin.call("GET", "/services").status == 401


def test_a_token_from_a_file_changes_with_a_reload(guarded, tmp_path):
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    gateway = guarded(admin_token_file=str(file))
    assert with_token(gateway, "GET", "/services").status == 200
    file.write_text("another-one\n")
    assert gateway.run("reload").returncode == 0
    wait_for(lambda: with_token(gateway, "GET", "/services", "another-one").status == 200, "the new token")
    assert with_token(gateway, "GET", "/services").status == 401
    file.write_text("")
    refused = gateway.run("reload")
    assert refused.returncode == 1 and "admin_token_file" in refused.stderr
    assert with_token(gateway, "GET", "/services", "another-one").status == 200


def test_a_token_from_a_variable(make_gateway):
    gateway = make_gateway(start=False, workers=1, env={"GIBBON_ADMIN_TOKEN": TOKEN})
    gateway._answers = lambda: fetch(gateway.status, "GET", "/status").status == 200
    gateway.start()
    assert gateway.admin.call("GET", "/services").status == 401
    assert with_token(gateway, "GET", "/services").status == 200


def test_client_certificates(make_gateway, authority, foreign_authority):
    port, server = free_port(), authority.issue("admin.test", "localhost")
    gateway = make_gateway(start=False, workers=1, settings={
        "admin_listen": f"127.0.0.1:{port} ssl", "admin_ssl_cert": str(server[0]), "admin_ssl_cert_key": str(server[1]),
        "admin_ssl_client_certificate": str(authority.certificate)})
    gateway._answers = lambda: fetch(gateway.status, "GET", "/status").status == 200
    gateway.start()

    def ask(pair, version=None):
        return fetch(port, "GET", "/services", tls_name="localhost", ca=authority.certificate, pair=pair)

    assert ask(authority.issue("operator")).status == 200
    for pair in (None, foreign_authority.issue("operator")):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            ask(pair)
    assert ask(authority.issue("operator")).status == 200
    with Client(port, tls_name="localhost", ca=authority.certificate, pair=authority.issue("operator")) as client:
        session = client.socket.session
        assert client.request("GET", "/").status == 200
        assert session is not None or client.socket.version() == "TLSv1.3"
    assert gateway.run("health").returncode == 0


def test_a_renewed_certificate_is_shown_after_a_reload(make_gateway, scratch, authority):
    port, files = free_port(), (scratch / "admin.crt", scratch / "admin.key")

    def install(label):
        pair = authority.issue("localhost", label=label)
        for source, target in zip(pair, files):
            target.write_text(source.read_text())
        return ssl.PEM_cert_to_DER_cert(pair[0].read_text())

    def shown():
        with Client(port, tls_name="localhost", ca=authority.certificate) as client:
            return client.socket.getpeercert(binary_form=True)

    first = install("one")
    gateway = make_gateway(workers=1, settings={
        "admin_ssl_cert": str(files[0]), "admin_ssl_cert_key": str(files[1])}, start=False)
    gateway.write_settings(admin_listen=f"127.0.0.1:{gateway.admin_port}, 127.0.0.1:{port} ssl")
    gateway.start()
    assert shown() == first
    second = install("two")
    assert gateway.run("reload").returncode == 0
    wait_for(lambda: shown() == second, "the new certificate")
    files[1].write_text("nothing")
    assert gateway.run("reload").returncode == 1
    assert shown() == second


@pytest.mark.parametrize("settings, words", [
    ({"admin_ssl_client_certificate": "CA"}, "admin_ssl_client_certificate guards addresses with ssl alone"),
    ({"admin_token": "two words"}, "admin_token must be made of visible ASCII characters"),
    ({"admin_token": TOKEN, "admin_token_file": "/x"}, "admin_token and admin_token_file cannot both be set"),
    ({"admin_token_file": "/nonexistent/token"}, "/nonexistent/token: No such file or directory"),
    ({"client_ssl": "on", "client_ssl_cert": "/x"}, "client_ssl_cert_key must be specified"),
])
def test_settings_that_cannot_be(make_gateway, authority, settings, words):
    chosen = {k: str(authority.certificate) if v == "CA" else v for k, v in settings.items()}
    gateway = make_gateway(start=False, settings=chosen)
    refused = gateway.run("check", "-c", gateway.file)
    assert refused.returncode == 1 and words in refused.stdout + refused.stderr, refused
    assert "two words" not in refused.stdout + refused.stderr and TOKEN not in refused.stdout + refused.stderr


@pytest.mark.parametrize("level", ["info", "debug"])
def test_no_log_holds_a_secret(make_gateway, authority, endpoint, upstream, level):
    """Keys, tokens and credentials go through everything that writes a line, and stand in none."""
    pair, secret = authority.issue("secret.test"), new_tag() + "-passw0rd"
    gateway = make_gateway(start=False, workers=1, tls=pair, log_level=level, settings={"admin_token": TOKEN})
    gateway._answers = lambda: fetch(gateway.status, "GET", "/status").status == 200
    gateway.start()
    key = pair[1].read_text()

    def admin(method, path, body):
        return with_token(gateway, method, path, json_body=body)

    def made(path, body):
        answer = admin("POST", path, body)
        assert answer.status == 201, answer
        return answer.json()

    certificate = made("/certificates", {"cert": pair[0].read_text(), "key": key, "snis": ["secret.test"]})
    assert admin("POST", "/certificates", {"cert": pair[0].read_text(), "key": key + "damage" + secret}).status in (201, 400)
    assert admin("POST", "/certificates", {"cert": "no " + secret, "key": "no " + secret}).status == 400
    assert admin("PATCH", f"/certificates/{certificate['id']}", {"key": secret}).status == 400
    made("/services", {"name": "s", "url": f"http://127.0.0.1:{upstream.port}"})
    made("/services/s/routes", {"paths": ["/s"]})
    logger = {"log_endpoint": endpoint.url.replace("http://", f"http://user:{secret}@"), "headers": {"Authorization": secret}}
    made("/services/s/plugins", {"name": "request-response-logger", "config": logger})
    assert admin("POST", "/plugins", {"name": "request-response-logger", "config": {**logger, "timeout": secret}}).status == 400
    assert gateway.admin.call("GET", "/services", headers=[("Kong-Admin-Token", secret)]).status == 401
    with Client(gateway.tls, tls_name="secret.test", ca=authority.certificate) as client:
        assert client.request("GET", "/s/x").status == 200
    assert gateway.run("reload").returncode == 0
    wait_for(lambda: gateway.pid("agent"), "the agent")
    logs = {path.name: path.read_text(errors="replace") for path in (gateway.prefix / "logs").iterdir()}
    assert any(logs.values())
    lines = [line for line in key.splitlines() if not line.startswith("-----")]
    for name, text in logs.items():
        for what in (TOKEN, secret, *lines):
            assert what not in text, f"{name} holds {what[:12]}..."
    shown = json.dumps(with_token(gateway, "GET", "/").json())
    assert TOKEN not in shown
