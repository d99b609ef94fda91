"""A failed call gets the meaning that its error has for this call, where the error alone says too little."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command_line import tracediag
from tracediag.evidence.named_paths import calls_with_paths
from tracediag.library.meanings import explain_error
from tracediag.rules.readings import heads, meanings
from tracediag.trace.calls import SYSCALLS
from tracediag.trace.parameters import names

_OF_PATHS = ("ELOOP", "ENOTDIR", "ENAMETOOLONG", "EIO")
"""Errors that the resolution of a path can have, whatever the call then does."""


def _pairs() -> list[tuple[str, str]]:
    lines = Path(__file__).with_name("explained.tsv").read_text(encoding="utf-8").splitlines()
    split = (line.split("\t") for line in lines if not line.startswith("#"))
    return [(call, errno) for errno, calls in split for call in calls.split()]


def _known() -> set[tuple[str, str]]:
    """The pairs that have words of their own, in the table or in a reading that names the call."""
    known = set(meanings())
    for head in heads().values():
        for reading in head.readings:
            known |= {(call, errno) for call in reading.query.calls or () for errno in reading.errnos}
    return known


def test_an_error_of_a_call_is_explained_for_the_call() -> None:
    known = _known()
    assert [pair for pair in _pairs() if pair not in known] == []


def test_each_call_of_a_kind_has_words_of_its_own() -> None:
    known, named = _known(), {call: names(call) or () for call in SYSCALLS}
    sockets = {call for call, parameters in named.items() if parameters[:1] == ("sockfd",)}
    relative = {call for call, parameters in named.items() if {"dirfd", "olddirfd", "newdirfd"} & set(parameters)}
    wanted = {(call, "EBADF") for call in sockets | relative}
    wanted |= {(call, errno) for call in calls_with_paths() for errno in _OF_PATHS}
    assert len(sockets) > 15
    assert len(relative) > 15
    assert sorted(wanted - known) == []


def test_no_error_is_said_of_a_call_that_cannot_have_it() -> None:
    told = [explain_error(words) or "" for words in ("getpgid EINVAL", "nice EINVAL", "chdir EMLINK")]
    assert ["sandbox" in text for text in told] == [True, True, True]


def test_every_pair_is_explained_without_a_trace() -> None:
    told = {pair: explain_error(" ".join(pair)) or "" for pair in _pairs()}
    assert [
        pair for pair, text in told.items() if "    why " not in text or "    fix " not in text or "{" in text
    ] == []


@pytest.mark.parametrize(
    ("words", "first", "told"),
    [
        ("connect ECONNREFUSED", "connect fails with ECONNREFUSED (Connection refused)", "no socket listens there"),
        ("ECONNREFUSED connect", "connect fails with ECONNREFUSED (Connection refused)", "if flags has AF_UNIX"),
        ("emfile", "a call fails with EMFILE (Too many open files)", "RLIMIT_NOFILE"),
        ("write(1) = EPIPE", "", ""),
        ("write = EPIPE", "write fails with EPIPE (Broken pipe)", "the other end of the descriptor is closed"),
        ("pread EISDIR", "pread64 fails with EISDIR (Is a directory)", "read by getdents64"),
        ("waitpid ECHILD", "wait4 fails with ECHILD (No child processes)", "why"),
        ("open ENOENT", "open fails with ENOENT (No such file or directory)", "mkdir -p DIRECTORY"),
        ("statx EFAULT", "statx fails with EFAULT (Bad address)", "why"),
        ("getpid", "", ""),
    ],
)
def test_an_error_is_explained_without_a_trace(words: str, first: str, told: str) -> None:
    lines = (explain_error(words) or "").splitlines()
    assert lines[:1] == ([first] if first else [])
    assert told in "\n".join(lines)


def test_the_command_explains_an_error() -> None:
    answer = tracediag("explain", "bind EADDRINUSE")
    assert answer.stdout.startswith("bind fails with EADDRINUSE (Address already in use)\n\naddress-in-use\n    says ")
    assert tracediag("explain", "bnid EADDRINUSE").stderr == (
        "tracediag: no system call is named bnid; for any call: tracediag explain EADDRINUSE\n"
    )
    assert tracediag("explain", "bind EADDRINUSE", "--format", "json").returncode == 2
