"""What the gateway refuses, with Kong's words, in the form that the client asked for."""

import subprocess

import pytest

from harness.client import Client, fetch
from harness.gateway import Gateway


@pytest.fixture(scope="module")
def strict(gibbon_binary, upstream, tmp_path_factory):
    """A gateway with small limits and an HTML template of its own."""
    folder = tmp_path_factory.mktemp("templates")
    folder.chmod(0o755)
    (folder / "error.html").write_text("<h1>%s</h1>100%% %s")
    gateway = Gateway(workers=1, h2c=True, settings={
        "nginx_http_client_max_body_size": "10", "nginx_http_client_body_timeout": "1s", "error_default_type": "application/xml",
        "error_template_html": str(folder / "error.html"), "error_template_json": str(folder / "missing.json"),
        "nginx_location_proxy_ignore_client_abort": "off"})
    try:
        gateway.start()
        gateway.add(f"http://127.0.0.1:{upstream.port}", "/e")
        yield gateway
        assert not gateway.new_alarms()
    finally:
        gateway.close()


BIG = "x" * 9000
# What is sent, the status, the message. Without an Accept header, error_default_type decides.
REFUSED = {
    "a bad header": ("GET /e HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "Bad request"),
    "no host": ("GET /e HTTP/1.1\r\n\r\n", 400, "Bad request"),
    "a bad escape": ("GET /e/%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400, "Bad request"),
    "a zero byte": ("GET /e/%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "Bad request"),
    "a bad length": ("POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400, "Bad request"),
    "two framings": ("POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "Bad request"),
    "a bad chunk": ("POST /e HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400, "Bad request"),
    "trace": ("TRACE /e HTTP/1.1\r\nHost: a\r\n\r\n", 405, "Method not allowed"),
    "a large body": ("POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n", 413, "Payload too large"),
    "large chunks": ("POST /e HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n", 413, "Payload too large"),
    "a long target": (f"GET /{BIG} HTTP/1.1\r\nHost: a\r\n\r\n", 414, "URI too long"),
    "a long header": (f"GET /e HTTP/1.1\r\nHost: a\r\nX-Long: {BIG}\r\n\r\n", 400, "Request header or cookie too large"),
}


def xml(message, answer):
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<error>\n'
            f"  <message>{message}</message>\n  <requestid>{answer.header('x-kong-request-id')}</requestid>\n</error>\n")


@pytest.mark.parametrize("name", REFUSED)
def test_refused(strict, name):
    sent, status, message = REFUSED[name]
    with Client(strict.proxy) as client:
        client.send(sent.encode())
        answer = client.answer()
    assert answer.status == status and answer.body.decode() == xml(message, answer), answer
    assert answer.header("content-type") == "application/xml; charset=utf-8"
    assert answer.header("server").startswith("kong/") and answer.header("x-kong-response-latency").isdigit()
    assert strict.get("/e").status == 200


def ask(gateway, target, *headers):
    with Client(gateway.proxy) as client:
        client.send(("\r\n".join([f"GET {target} HTTP/1.1", "Host: a", *headers]) + "\r\n\r\n").encode())
        return client.answer()


# Headers, the type of an answer to a request without a route, and that of one whose upstream failed.
TYPES = [
    ([], "json", "xml"),
    (["Content-Type: text/plain"], "json", "plain"),
    (["Accept: text/html"], "html", "html"),
    (["Accept: text/*;q=0.4, application/xml;q=0.5"], "xml", "xml"),
    (["Accept: image/png", "Content-Type: text/plain"], "json", "json"),
    (["Accept: */*"], "json", "json"),
]
CONTENT_TYPES = {"json": "application/json", "xml": "application/xml", "html": "text/html", "plain": "text/plain"}


@pytest.mark.parametrize("headers,no_route,failed", TYPES)
def test_the_form_of_an_error(strict, headers, no_route, failed):
    for target, form, message in (("/none", no_route, "no Route matched with those values"),
                                  ("/e/close", failed, "An invalid response was received from the upstream server")):
        answer = ask(strict, target, *headers)
        assert answer.header("content-type") == CONTENT_TYPES[form] + "; charset=utf-8"
        request_id = answer.header("x-kong-request-id")
        expected = {"json": f'{{\n  "message":"{message}",\n  "request_id":"{request_id}"\n}}', "xml": xml(message, answer),
                    "html": f"<h1>{message}</h1>100% {request_id}", "plain": f"{message}\nrequest_id: {request_id}\n"}[form]
        assert answer.body.decode() == expected


def test_several_accept_headers_are_one_list(strict):
    assert ask(strict, "/none", "Accept: text/html;q=0.1", "Accept: text/plain").header("content-type").startswith("text/plain")


def test_a_template_that_is_not_there_is_told(strict):
    assert "failed reading the custom json error template" in strict.log() + strict.tails(200)


def test_the_head_of_an_error(strict):
    with Client(strict.proxy) as client:
        for target in ("/none", "/e/close"):
            answer = client.request("HEAD", target)
            assert answer.status in (404, 502) and answer.body == b"" and int(answer.header("content-length")) > 90


def test_an_unread_body_does_not_break_the_connection(strict):
    with Client(strict.proxy) as client:
        assert client.request("POST", "/none", body=b"12345").status == 404
        assert client.request("POST", "/e", body=b"12345").json()["body"] == "12345"


def test_an_upstream_sends_nobody_elsewhere_in_the_gateway(gateway, echo):
    """nginx's X-Accel-Redirect has no meaning here; it is not shown to clients either."""
    answer = gateway.get(f"{echo.path}/set?X-Accel-Redirect=/kong_error_handler")
    assert (answer.status, answer.body) == (200, b"set") and answer.header("x-accel-redirect") is None


def test_a_body_that_does_not_come(strict):
    with Client(strict.proxy) as client:
        client.send(b"POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc")
        assert client.head() is None  # closed without a word, as nginx does
    assert strict.get("/e").status == 200


def grpc_head(gateway, path, *more):
    """Status and headers of an answer to a gRPC client over HTTP/2."""
    out = subprocess.run(["curl", "-sS", "-D-", "-o/dev/null", "--http2-prior-knowledge", "-X", "POST", "-H", "Content-Type: application/grpc", "-H", "Accept:",
                          *more, f"http://127.0.0.1:{gateway.h2c}{path}"], capture_output=True, text=True, check=True, timeout=20).stdout
    status, *lines = out.strip().splitlines()
    return int(status.split()[1]), dict(line.split(": ", 1) for line in lines if ": " in line)


@pytest.fixture
def grpc_routes(add, upstream):
    target = {"protocol": "grpc", "host": "127.0.0.1", "port": upstream.port}
    both = add(service=target, route={"protocols": ["grpc", "grpcs"], "strip_path": False})
    secure = add(service=target, route={"protocols": ["grpcs"], "strip_path": False})
    return both.path, secure.path


def test_grpc_clients_get_a_status(gateway, grpc_routes):
    both, secure = grpc_routes
    status, headers = grpc_head(gateway, "/no.Such/Method")
    assert status == 404 and headers["content-type"] == "application/grpc" and headers["content-length"] == "0"
    assert (headers["grpc-status"], headers["grpc-message"]) == ("5", "NotFound")
    status, headers = grpc_head(gateway, secure)
    assert (status, headers["grpc-status"], headers["grpc-message"]) == (200, "1", "gRPC request matched gRPCs route")
    status, headers = grpc_head(gateway, both)  # The upstream speaks HTTP/1.
    assert status == 502
    assert (headers["grpc-status"], headers["grpc-message"]) == ("13", "An invalid response was received from the upstream server")


def test_others_on_grpc_routes(gateway, grpc_routes):
    both, _ = grpc_routes
    answer = gateway.get(both)
    assert answer.status == 415 and answer.json()["message"] == "Non-gRPC request matched gRPC route"
    answer = fetch(gateway.proxy, "POST", both, [("Content-Type", "application/grpc")], b"")
    assert answer.status == 426 and answer.json()["message"] == "Please use HTTP2 protocol"
    assert answer.header("upgrade") == "HTTP/2" and "Upgrade" in answer.all("connection")


def test_an_accept_of_grpc_over_http_1(strict):
    answer = ask(strict, "/e/close", "Accept: application/grpc")
    assert answer.status == 502 and answer.json() == {"message": "An invalid response was received from the upstream server"}
