"""A failure in a server whose client gets an error is a finding, although the server keeps running."""

from __future__ import annotations

import pytest

from tracediag.api import analyze
from tracediag.results.findings import Finding

ACCEPTED = 'accept4(5, {sa_family=AF_INET, sin_port=htons(51360), sin_addr=inet_addr("127.0.0.1")}, [16], 0) = 6'
ASKED = 'recvfrom(6, "GET /a.html HTTP/1.1\\r\\nHost: 127."..., 1024, 0, NULL, NULL) = 84'
DENIED = 'openat(AT_FDCWD, "/srv/www/a.html", O_RDONLY) = -1 EACCES (Permission denied)'
HEAD = 'sendto(6, "HTTP/1.1 {}\\r\\nServer: "..., 155, 0, NULL, 0) = 155'
BODY = 'sendto(6, "<html>\\r\\n<head><title>"..., 100, 0, NULL, 0) = 100'
CLOSED = "close(6) = 0"
IDLE = "epoll_wait(8,  <detached ...>"
UPSTREAM = (
    'connect(11, {sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr("127.0.0.1")}, 16) = -1 EINPROGRESS (x)',
    "getsockopt(11, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0",
)


def findings(*lines: str) -> tuple[Finding, ...]:
    shown = [f"{line}\n" for line in (ACCEPTED, ASKED, *lines, CLOSED, *["gettid() = 7"] * 60, IDLE)]
    return analyze(shown).findings


@pytest.mark.parametrize(
    ("lines", "name", "words"),
    [
        ((DENIED, "gettid() = 7", HEAD.format("403 Forbidden")), "permission-denied", "the client gets 403 Forbidden"),
        ((DENIED, HEAD.format("404 Not Found"), BODY), "permission-denied", "the client gets 404 Not Found"),
        ((*UPSTREAM, HEAD.format("502 Bad Gateway")), "connection-refused", "the client gets 502 Bad Gateway"),
    ],
)
def test_the_reply_is_named(lines: tuple[str, ...], name: str, words: str) -> None:
    (found,) = findings(*lines)
    assert (found.name, found.severity) == (name, "warning")
    assert words in found.title


def test_the_next_client_on_the_same_number_does_not_change_the_reply() -> None:
    other = (CLOSED, ACCEPTED.replace("51360", "51361"), ASKED, "gettid() = 7", HEAD.format("404 Not Found"))
    (found,) = findings(DENIED, HEAD.format("403 Forbidden"), *other)
    assert "the client gets 403 Forbidden" in found.title


@pytest.mark.parametrize(
    "lines",
    [
        (DENIED, HEAD.format("200 OK")),
        (DENIED, HEAD.format("200 OK"), ASKED, HEAD.format("404 Not Found")),
        (DENIED.replace("EACCES", "ENOENT"), HEAD.format("404 Not Found")),
        (DENIED, *["gettid() = 7"] * 60, HEAD.format("403 Forbidden")),
    ],
)
def test_an_answer_that_is_none_or_has_another_reason_is_no_failure(lines: tuple[str, ...]) -> None:
    assert findings(*lines) == ()
