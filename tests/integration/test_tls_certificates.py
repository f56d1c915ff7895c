"""TLS for clients: certificates chosen by server name, changed while handshakes go on."""

import json
import socket
import ssl
import subprocess
import threading

import grpc
import pytest

from harness.basics import wait_for
from harness.certs import Authority, der
from harness.client import Client

RSA, ECDSA = "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"


def shown(port, name=None, ciphers=None, version=None):
    """The certificate that a full handshake shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if version:
        context.minimum_version = context.maximum_version = version
    if ciphers:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(ciphers)
    with socket.create_connection(("127.0.0.1", port), 20) as plain, context.wrap_socket(plain, server_hostname=name) as secure:
        return secure.getpeercert(binary_form=True)


def pem(pair):
    return {"cert": pair[0].read_text(), "key": pair[1].read_text()}


@pytest.fixture
def certificates(gateway):
    """Certificates of a test's own: certificates(pair, "name", ..., alt=pair)."""
    made = []

    def make(pair, *names, alt=None):
        body = {**pem(pair), "snis": list(names)}
        if alt:
            body |= {"cert_alt": alt[0].read_text(), "key_alt": alt[1].read_text()}
        made.append(gateway.admin.ok("POST", "/certificates", body))
        return made[-1]

    yield make
    for certificate in made:
        gateway.admin.call("DELETE", f"/certificates/{certificate['id']}")


@pytest.fixture(scope="module")
def own(authority):
    """What the gateway shows by its settings."""
    return der(authority.issue("gate.test", "localhost", "127.0.0.1")[0])


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_a_certificate_is_chosen_by_its_name(gateway, certificates, authority, own, version):
    pairs = {name: authority.issue(name) for name in ("a.sni.test", "*.sni.test", "sni.*")}
    for name, pair in pairs.items():
        certificates(pair, name)

    def chosen(name):
        found = shown(gateway.tls, name, version=version)
        return "own" if found == own else next(n for n, pair in pairs.items() if der(pair[0]) == found)

    wanted = {"a.sni.test": "a.sni.test", "b.sni.test": "*.sni.test", "sni.example": "sni.*", "sni.test": "sni.*",
              "c.b.sni.test": "own", "other.test": "own", None: "own"}
    for _ in range(4):  # both workers
        assert {name: chosen(name) for name in wanted} == wanted
    pairs["*"] = authority.issue("default.test")
    certificates(pairs["*"], "*")
    assert chosen("other.test") == "*" and chosen("b.sni.test") == "*.sni.test"
    assert chosen(None) == "own"  # as Kong: a client without a name gets the gateway's own


def test_the_type_of_key_is_the_clients_choice(gateway, certificates, authority, own):
    rsa, ecdsa = authority.issue("both.test", kind="rsa"), authority.issue("both.test")
    certificates(rsa, "both.test", alt=ecdsa)
    for _ in range(4):
        assert shown(gateway.tls, "both.test", RSA) == der(rsa[0])
        assert shown(gateway.tls, "both.test", ECDSA) == der(ecdsa[0])
    certificates(authority.issue("one.test", kind="rsa"), "one.test")
    assert shown(gateway.tls, "one.test", RSA) == der(authority.issue("one.test", kind="rsa")[0])
    with pytest.raises(ssl.SSLError):  # the gateway's own ECDSA certificate does not stand in
        shown(gateway.tls, "one.test", ECDSA)


def test_a_chain_is_shown_in_full(gateway, certificates, scratch, authority):
    middle = Authority(scratch / "middle", "Middle", parent=authority)
    leaf, key = middle.issue("chain.test")
    together = scratch / "chain.pem"
    together.write_text(leaf.read_text() + middle.certificate.read_text())
    certificates((together, key), "chain.test")
    with Client(gateway.tls, tls_name="chain.test", ca=authority.certificate) as client:  # it knows the root alone
        assert client.request("GET", "/nowhere").status == 404


def test_changes_are_live_with_their_answer(gateway, certificates, authority, own):
    admin, first, second = gateway.admin, authority.issue("live.test"), authority.issue("live.test", label="second")
    assert shown(gateway.tls, "live.test") == own
    certificate = certificates(first, "live.test")
    path = f"/certificates/{certificate['id']}"

    def everywhere(expected):
        return all(shown(gateway.tls, "live.test") == expected for _ in range(8))

    assert everywhere(der(first[0]))
    admin.ok("PATCH", path, pem(second))
    assert everywhere(der(second[0]))
    admin.ok("PATCH", path, {"snis": ["elsewhere.test"]})
    assert everywhere(own)
    admin.ok("POST", "/snis", {"name": "live.test", "certificate": {"id": certificate["id"]}})
    assert everywhere(der(second[0]))
    admin.ok("DELETE", path)
    assert everywhere(own)


def test_no_handshake_fails_while_names_change(gateway, certificates, authority, own):
    """Two certificates take turns under one name while clients connect; no reload, and nothing in between."""
    turns = [authority.issue("turn.test", label=label, kind=kind) for label, kind in (("a", "ec"), ("b", "ec"))]
    certificate = certificates(turns[0], "turn.test")
    allowed, wrong, count, stop = {der(pair[0]) for pair in turns}, [], [0], threading.Event()

    def connect():
        while not stop.is_set():
            try:
                if shown(gateway.tls, "turn.test") not in allowed:
                    wrong.append("another certificate")
            except OSError as error:
                wrong.append(repr(error))
            count[0] += 1

    masters = gateway.pid("nginx"), set(gateway.workers())
    threads = [threading.Thread(target=connect) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(30):
            gateway.admin.ok("PATCH", f"/certificates/{certificate['id']}", pem(turns[turn % 2]))
            made = gateway.admin.ok("POST", "/snis", {"name": f"n{turn}.turn.test", "certificate": {"id": certificate["id"]}})
            gateway.admin.ok("DELETE", f"/snis/{made['id']}")
        seen = count[0]
        wait_for(lambda: wrong or count[0] >= seen + 40, "more handshakes")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not wrong, wrong[:5]
    assert (gateway.pid("nginx"), set(gateway.workers())) == masters


def curl(*arguments):
    return subprocess.run(["curl", "-sS", "--max-time", "20", *map(str, arguments)], capture_output=True, check=True).stdout


def test_http2_with_a_chosen_certificate(gateway, certificates, authority, echo):
    certificates(authority.issue("h2.test"), "h2.test")
    out = curl("--http2", "--cacert", authority.certificate, "--resolve", f"h2.test:{gateway.tls}:127.0.0.1",
               "-w", "\n%{http_version}", f"https://h2.test:{gateway.tls}{echo.path}/x")
    answer, _, version = out.rpartition(b"\n")
    assert version == b"2" and json.loads(answer)["uri"] == "/x"


def test_grpc_with_a_chosen_certificate(gateway, certificates, add, grpc_echo, authority):
    certificates(authority.issue("grpc.test"), "grpc.test")
    add(None, "/echo.Echo", service={"protocol": "grpc", "host": "127.0.0.1", "port": grpc_echo.port},
        route={"protocols": ["grpcs"], "strip_path": False, "snis": ["grpc.test"]})
    credentials = grpc.ssl_channel_credentials(authority.certificate.read_bytes())
    options = [("grpc.ssl_target_name_override", "grpc.test")]
    with grpc.secure_channel(f"127.0.0.1:{gateway.tls}", credentials, options) as channel:
        assert channel.unary_unary("/echo.Echo/Say")(b"abc", timeout=10) == b"ABC"


def test_names_stand_in_a_declarative_file(make_gateway, authority, tmp_path):
    pair = authority.issue("file.test")
    document = {"_format_version": "3.0", "certificates": [{**pem(pair), "snis": [{"name": "file.test"}]}]}
    file = tmp_path / "kong.json"
    file.write_text(json.dumps(document))
    gateway = make_gateway(workers=1, tls=authority.issue("gate.test", "localhost", "127.0.0.1"), database="off",
                           settings={"declarative_config": str(file)})
    assert shown(gateway.tls, "file.test") == der(pair[0])
    assert gateway.admin.get("/certificates/file.test")["snis"] == ["file.test"]


def test_several_files_of_the_settings(make_gateway, authority):
    rsa, ecdsa = authority.issue("gate.test", kind="rsa"), authority.issue("gate.test", "localhost", "127.0.0.1")
    gateway = make_gateway(workers=1, tls=ecdsa, settings={
        "ssl_cert": f"{rsa[0]},{ecdsa[0]}", "ssl_cert_key": f"{rsa[1]},{ecdsa[1]}",
        "ssl_cipher_suite": "custom", "ssl_protocols": "TLSv1.2", "ssl_ciphers": f"{RSA}:{ECDSA}"})
    assert shown(gateway.tls, None, RSA) == der(rsa[0]) and shown(gateway.tls, None, ECDSA) == der(ecdsa[0])
    with pytest.raises(ssl.SSLError):
        shown(gateway.tls, version=ssl.TLSVersion.TLSv1_3)
    with pytest.raises(ssl.SSLError):
        shown(gateway.tls, ciphers="ECDHE-RSA-CHACHA20-POLY1305")


def test_a_key_from_the_environment(make_gateway, authority):
    pair = authority.issue("vault.test")
    gateway = make_gateway(workers=1, tls=authority.issue("gate.test", "localhost", "127.0.0.1"),
                           env={"THE_KEY": pair[1].read_text()})
    body = {"cert": pair[0].read_text(), "key": "{vault://env/the-key}", "snis": ["vault.test"]}
    certificate = gateway.admin.ok("POST", "/certificates", body)
    assert certificate["key"] == "{vault://env/the-key}"
    assert shown(gateway.tls, "vault.test") == der(pair[0])
    gateway.admin.ok("PATCH", f"/certificates/{certificate['id']}", {"key": "{vault://env/no-such-key}"})
    assert shown(gateway.tls, "vault.test") == der(authority.issue("gate.test", "localhost", "127.0.0.1")[0])
    wait_for(lambda: f"certificate {certificate['id']} is left out" in gateway.log(), "a word in the error log")
