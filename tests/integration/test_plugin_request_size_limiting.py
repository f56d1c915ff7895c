"""request-size-limiting: bodies that are too large, by what is declared and by what comes."""

import pytest

from test_consumers import admin, guarded, message, seen  # noqa: F401: fixtures among them

TOO_LARGE = "Request size limit exceeded"


@pytest.mark.parametrize("config, size, status", [
    ({"size_unit": "bytes", "allowed_payload_size": 10}, 10, 200),
    ({"size_unit": "bytes", "allowed_payload_size": 10}, 11, 413),
    ({"size_unit": "kilobytes", "allowed_payload_size": 1}, 1024, 200),
    ({"size_unit": "kilobytes", "allowed_payload_size": 1}, 1025, 413),
    ({"allowed_payload_size": 1}, 1024 * 1024, 200),
    ({"allowed_payload_size": 1}, 1024 * 1024 + 1, 413),
    ({"size_unit": "bytes", "allowed_payload_size": 0}, 0, 200),
])
@pytest.mark.parametrize("chunked", [False, True])
def test_sizes(gateway, guarded, config, size, status, chunked):
    path, body = guarded({"request-size-limiting": config}).path, b"x" * size
    with gateway.connect() as client:
        if chunked:
            framed = (b"%x\r\n" % size + body + b"\r\n" if size else b"") + b"0\r\n\r\n"
            answer = client.request("POST", path, [("Transfer-Encoding", "chunked")], framed)
        else:
            answer = client.request("POST", path, body=body)
    assert answer.status == status
    if status == 200:
        assert seen(answer)["body_size"] == size
    else:
        assert message(answer) == TOO_LARGE


def test_a_declared_length_is_enough(gateway, guarded):
    """Nothing of the body is waited for."""
    path = guarded({"request-size-limiting": {"size_unit": "bytes", "allowed_payload_size": 10}}).path
    with gateway.connect() as client:
        answer = client.request("POST", path, [("Content-Length", "11")])
    assert answer.status == 413 and message(answer) == TOO_LARGE


@pytest.mark.parametrize("expect", ["100-continue", "100-Continue"])
def test_who_waits_for_a_word_is_told_that_it_does_not_come(gateway, guarded, expect):
    path = guarded({"request-size-limiting": {"size_unit": "bytes", "allowed_payload_size": 10}}).path
    with gateway.connect() as client:
        client.send(f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: {expect}\r\n\r\n".encode())
        status, _, headers = client.head()
    assert status == 417 and ("Connection", "close") in headers


@pytest.mark.parametrize("headers, body, status", [
    ([], None, 411),
    ([("Content-Length", "0")], None, 200),
    ([("Content-Length", "2")], b"ab", 200),
    ([("Transfer-Encoding", "chunked")], b"2\r\nab\r\n0\r\n\r\n", 200),
    ([("Transfer-Encoding", "Chunked")], b"2\r\nab\r\n0\r\n\r\n", 411),
])
def test_a_length_can_be_required(gateway, guarded, headers, body, status):
    path = guarded({"request-size-limiting": {"require_content_length": True}}).path
    with gateway.connect() as client:
        answer = client.request("POST", path, headers, body)
    assert answer.status == status
    if status == 411:
        assert message(answer) == "A valid Content-Length header is required"
