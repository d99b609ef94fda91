"""Sequences that say in the language what rules say in Python: on every sample, as many objects as findings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag.engine import Engine
from tracediag.overviews.searching.search import Searching
from tracediag.query import compile_query
from tracediag.reading import Reader
from tracediag.rules import find_rule

SAMPLES = Path(__file__).parents[2] / "samples"
FAULTS = "SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP"
RULES = {
    "epipe-still-registered": (
        "sequence by description [call in %send and errno == EPIPE] [call in %wait and reports it or call in %close]"
        ' until [call == epoll_ctl and arg("op") == EPOLL_CTL_DEL]'
    ),
    "replace-without-fsync": (
        "absent [call in %sync] between [call in %write and bytes > 0] and [call in %rename and not failed] by file"
    ),
    "reads-after-end": "count by description [call in %read and result == 0 and fd.kind == file] >= 4",
    "accept-emfile-spin": "count by description [call in %accept and errno in (EMFILE, ENFILE)] >= 10",
    "peer-reset": "sequence by description [call in (connect, accept, accept4)] [errno == ECONNRESET]",
    "close-storm": "count by process [call == close and errno == EBADF] >= 100",
    "descriptor-limit-reached": "sequence by process [call in %desc and not failed] [errno == EMFILE]",
    "failing-call-spin": "count by thread [failed] >= 100",
    "socket-server-absent": (
        "sequence by description [call == socket] [call == connect and errno in (ECONNREFUSED, ENOENT)]"
    ),
    "eagain-treated-as-error": 'sequence by process [errno == EAGAIN] [call == exit_group and arg("status") != 0]',
    "accept-error-ends-server": (
        "sequence by process [call in %accept and failed and errno != EAGAIN]"
        ' [call == exit_group and arg("status") != 0]'
    ),
    "termination-ignored": "sequence by process [signal == SIGTERM] [exit.signal == SIGKILL]",
    "crashed": (
        f"sequence by process [signal in ({FAULTS}) and not si_code in (SI_USER, SI_QUEUE)]"
        f" [exit.last and exit.signal in ({FAULTS})]"
    ),
    "signal-frame-corrupt": "sequence by thread [signal == SIGSEGV and si_code == SI_KERNEL] [exit.signal == SIGSEGV]",
    "mapping-truncated": "sequence by process [signal == SIGBUS and si_code == BUS_ADRERR] [exit.signal == SIGBUS]",
    "file-size-limit": "sequence by process [signal == SIGXFSZ] [exit]",
    "killed-by-seccomp": (
        "sequence by process [call in (prctl, seccomp) and not failed] [exit.last and exit.signal in (SIGSYS, SIGKILL)]"
    ),
    "restart-storm": (
        "sequence by thread [errno == ERESTARTNOINTR] [signal in (SIGALRM, SIGPROF)] [errno == ERESTARTNOINTR]"
    ),
    "lock-refused": "sequence by process [call in (flock, fcntl) and errno == EAGAIN] [exit.status != 0]",
    "file-lock-wait": "sequence by process [call in (flock, fcntl) and not returned] [exit]",
    "fifo-without-peer": "sequence by process [call in %open and not returned] [exit]",
    "lock-file-wait": "count by path [errno == EEXIST] >= 3",
    "nonblocking-connect-unchecked": (
        "sequence by description [call == connect and errno == EINPROGRESS] unless [call == getsockopt]"
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_a_sequence_matches_where_the_rule_finds(name: str) -> None:
    rule, query, found = find_rule(name), compile_query(RULES[name]), 0
    for trace in sorted((SAMPLES / name).glob("*.strace")):
        findings = list(Engine([rule]).run(Reader(str(trace))))
        matches = list(Searching(str(trace), query))
        found += len(findings)
        assert len(findings) == len({match.object for match in matches}), trace
        for match in matches[:1]:
            steps = {step.line for finding in findings for step in finding.steps}
            lines = {line for call in match.calls for line in (call.line, call.end_line)}
            assert steps & lines, trace
    assert found
