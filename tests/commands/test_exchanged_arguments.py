"""The order of the words on a command line: what is meant is done, or the message says what to type."""

from __future__ import annotations

import pytest

from tracediag.__main__ import main

ALIKE = [
    (["grep", "call == read", "TRACE"], ["grep", "TRACE", "call == read"]),
    (["grep", "call == read", "TRACE", "TRACE"], ["grep", "TRACE", "TRACE", "call == read"]),
    (["why", "gone", "TRACE"], ["why", "TRACE", "gone"]),
    (["follow", "TRACE", "fd 3@3"], ["follow", "fd 3@3", "TRACE"]),
    (["follow", "TRACE", "fd 3@3"], ["follow", "TRACE", "fd", "3@3"]),
    (["follow", "TRACE", "fd 3@3"], ["follow", "fd", "3@3", "TRACE"]),
    (["follow", "TRACE", "fd 3@3"], ["follow", "TRACE:3", "fd 3"]),
    (["follow", "TRACE", "fd 3@3", "-n", "1"], ["follow", "TRACE", "-n", "1", "fd 3@3"]),
    (["follow", "TRACE", "path /etc/hostname"], ["follow", "path /etc/hostname", "TRACE"]),
]
"""What each command line does as well as the other."""
ALL = "this command reads all of a trace: name it without a line, TRACE;"
WRONG = [
    (["grep", "TRACE"], 2, "TRACE is a file; the QUERY is missing: tracediag grep QUERY TRACE"),
    (["why", "TRACE"], 2, "TRACE is a file; the MESSAGE is missing: tracediag why MESSAGE TRACE"),
    (["grep", "errno", "==", "EPIPE", "TRACE"], 2, "QUERY is one argument: put it in quotes; '==' is no trace"),
    (["why", "no", "such", "file", "TRACE"], 2, "MESSAGE is one argument: put it in quotes; 'such' is no trace"),
    (["why", "host", "/none.strace", "TRACE"], 3, "/none.strace: no such file or directory"),
    (["follow", "fd 3", "/none.strace"], 3, "/none.strace: no such file or directory"),
    (["state", "TRACE", "3"], 2, "a line is named as TRACE:LINE; did you mean: TRACE:3"),
    (["explain", "3", "TRACE"], 2, "a line is named as TRACE:LINE; did you mean: TRACE:3"),
    (["explain", "TD101", "TRACE"], 2, "to apply that rule: tracediag analyze --select TD101 TRACE"),
    *((["state", f"TRACE:{end}"], 2, f"{end!r} is no line number; write TRACE:12") for end in ("x", "-5", "")),
    (["explain", "TRACE:x"], 2, "'x' is no line number; write TRACE:12"),
    (["state", "TRACE:0"], 2, "TRACE:0: lines are counted from 1"),
    (["state", "TRACE:99"], 2, "TRACE has 6 lines: there is no line 99"),
    (["explain", "TRACE:99"], 2, "TRACE has 6 lines: there is no line 99"),
    (["follow", "TRACE:99", "fd 3"], 2, "TRACE: the trace has 6 lines: there is no line 99"),
    (["follow", "TRACE:2", "path /x"], 2, ALL),
    *(([command, "TRACE:2"], 2, ALL) for command in ("analyze", "tree", "files", "peers", "lives", "summary")),
    (["grep", "call == read", "TRACE:2"], 2, ALL),
    (["why", "host", "TRACE:2"], 2, f"{ALL} for that line: tracediag explain TRACE:2, tracediag state TRACE:2"),
]


@pytest.fixture
def run(quiet, capsys, monkeypatch):
    quiet.write_text(f'write(2, "gone\\n", 5) = 5\n{quiet.read_text()}')
    monkeypatch.setattr("tracediag.commands.traces.is_piped", lambda: False)

    def call(words):
        code = main([word.replace("TRACE", str(quiet)) for word in words])
        done = capsys.readouterr()
        return code, done.out, done.err.replace(str(quiet), "TRACE")

    return call


@pytest.mark.parametrize(("words", "others"), ALIKE)
def test_both_orders_do_the_same(run, words, others):
    code, out, _ = run(words)
    assert run(others)[:2] == (code, out)
    assert code == 0
    assert out


@pytest.mark.parametrize(("words", "code", "said"), WRONG)
def test_what_cannot_be_meant_is_told(run, words, code, said):
    found, out, told = run(words)
    assert found == code
    assert said in told
    assert told.splitlines()[-1].startswith("tracediag: ")
    assert not out or code == 3


def test_files_with_unusual_names_are_what_they_are(run, quiet):
    """A name that ends like a line, and a message that is the name of a file."""
    numbered = quiet.with_name("quiet.strace:2")
    numbered.write_text(quiet.read_text())
    assert run(["tree", "TRACE:2"])[0] == 0
    assert run(["state", "TRACE:2"])[1].startswith("after line ")
    assert "no write shows" in run(["why", "TRACE", "TRACE"])[2]
