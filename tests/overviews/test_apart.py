"""The connections of which an analysis says that they end unlike the others."""

from __future__ import annotations

import json

import pytest

from tracediag import analyze
from tracediag.report.document import dump
from tracediag.report.head import rows

USUAL = (
    'recvfrom(5, "GET /", 1024, 0, NULL, NULL) = 5',
    'sendto(5, "200", 3, MSG_NOSIGNAL, NULL, 0) = 3',
    "close(5) = 0",
)
SILENT = (USUAL[0], USUAL[2])
RESET = ("recvfrom(5, 0x1, 1024, 0, NULL, NULL) = -1 ECONNRESET (Connection reset by peer)", USUAL[2])
PEER = '{sa_family=AF_INET, sin_port=htons(4000), sin_addr=inet_addr("10.0.0.2")}'
ACCEPT = f"accept4(3, {PEER}, [16], SOCK_CLOEXEC) = 5"
CONNECT = ("socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_TCP) = 5", f"connect(5, {PEER}, 16) = 0")
ASKING = (
    'sendto(5, "GET /", 5, MSG_NOSIGNAL, NULL, 0) = 5',
    'recvfrom(5, "200", 1024, 0, NULL, NULL) = 3',
    "close(5) = 0",
)


def served(*lives, select=()):
    """Analyze a server: one connection for each life, one after the other."""
    calls = (line for life in lives for line in (ACCEPT, *life))
    return analyzed(["listen(3, 128) = 0", *calls, "exit_group(0) = ?"], select)


def analyzed(lines, select=()):
    return analyze((f"7 {1700000000 + number}.1 {line}\n" for number, line in enumerate(lines)), select=select)


def test_one_of_many_without_an_answer():
    report = served(*[USUAL] * 30, SILENT, *[USUAL] * 30)
    (apart,) = report.apart
    assert (apart.kind, apart.count, apart.common_count, apart.odd_count) == ("connections accepted", 61, 60, 1)
    assert (apart.common, apart.odd) == (("accept", "read", "write", "close"), ("accept", "read", "close"))
    assert (apart.first_line, apart.last_line) == (122, 124)
    assert not report.findings
    title = "1 of 61 connections accepted ends without an answer to the last read, at line 122: fd 5 = TCP"
    shown = [(label, text) for label, text, _ in rows(report) if "61" in text or "60 of" in text]
    assert shown == [
        ("outlier", f"{title} <- 10.0.0.2:4000"),
        ("", "60 of them: accept, read, write, close; see tracediag lives TRACE"),
    ]
    assert json.loads(dump(report))["apart"][0]["odd_count"] == 1


def test_a_last_request_without_an_answer():
    (apart,) = served(*[USUAL] * 30, (*USUAL[:2], USUAL[0], USUAL[2])).apart
    assert apart.odd == ("accept", "write", "read", "close")


def test_errors_come_before_missing_answers():
    (apart,) = served(*[USUAL] * 60, SILENT, RESET, RESET, select="double-close").apart
    assert (apart.how, apart.odd_count, apart.odd[-2:]) == ("with ECONNRESET", 2, ("read ECONNRESET", "close"))


@pytest.mark.parametrize(
    "lives",
    [
        [*[USUAL] * 18, SILENT],
        [*[USUAL] * 40, *[SILENT] * 20],
        [*[USUAL] * 30, (USUAL[2],)],
        [*[USUAL] * 30, (*USUAL[:2], 'recvfrom(5, "", 1024, 0, NULL, NULL) = 0', USUAL[2])],
        [*[SILENT] * 30, USUAL],
        [*[USUAL] * 30, SILENT[:1]],
    ],
    ids=["few", "no custom", "nothing asked", "end of data", "one more than usual", "the process ends first"],
)
def test_what_is_no_outlier(lives):
    assert served(*lives).apart == ()


def test_a_finding_that_tells_of_the_error_is_enough():
    broken = (USUAL[0], "sendto(5, 0x1, 3, MSG_NOSIGNAL, NULL, 0) = -1 EPIPE (Broken pipe)", USUAL[2])
    report = served(*[USUAL] * 60, broken)
    assert any("EPIPE" in step.text for finding in report.findings for step in finding.steps)
    assert report.apart == ()
    assert served(*[USUAL] * 60, broken, select="double-close").apart[0].how == "with EPIPE"


def test_a_client_that_reads_no_answer():
    lives = [(*CONNECT, *ASKING)] * 30 + [(*CONNECT, ASKING[0], ASKING[2])]
    (apart,) = analyzed([line for life in lives for line in life]).apart
    assert (apart.kind, apart.how) == ("connections made", "without reading an answer")
    failed = CONNECT[1].replace("= 0", "= -1 ECONNREFUSED (Connection refused)")
    lives[-1] = (CONNECT[0], failed, "close(5) = 0")
    assert analyzed([line for life in lives for line in life]).apart == ()
