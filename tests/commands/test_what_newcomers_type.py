"""What newcomers type: it is done as it is meant, or one line says what to type."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import tracediag

from tracediag.__main__ import main
from tracediag.accepting import Baseline, BaselineError
from tracediag.commands.parser import parse

ANSWERS = [
    (["connect", "ECONNREFUSD"], "no error 'ECONNREFUSD'; did you mean ECONNREFUSED?"),
    (["EQQQ"], "no error 'EQQQ': errno(3) lists them"),
    (["connect"], "connect is a system call: name an error with it, tracediag explain connect ERRNO"),
    (["111"], "error 111 is ECONNREFUSED"),
    (["9" * 5000], "explain takes the name or code of a rule, TRACE:LINE, or an error such as ECONNREFUSED\n"),
    ([""], "explain takes the name or code of a rule, TRACE:LINE, or an error such as ECONNREFUSED"),
    (["zombie"], "no rule 'zombie'; did you mean child-not-reaped?\n"),
    (
        ["qqqq-xyzzy"],
        "`tracediag rules` lists them; one of your own needs --rules DIR; a call of a trace is named as TRACE:LINE",
    ),
]
BASELINES = [
    (b"", "not JSON"),
    (b"{", "not JSON"),
    (b"\xff\xfe", "not UTF-8"),
    (b"[]", "other keys"),
    (b'{"schema": "tracediag-baseline/1", "findings": 5}', "other keys"),
    (b'{"schema": "tracediag-baseline/1", "findings": [{"code": "x"}]}', "finding 1 lacks a key"),
    (b'{"x": ' + b"[" * 100_000, "nested too deeply"),
]
LIMITS = [
    ("", "no limit is named; write never, or SEVERITY"),
    (",", "no limit is named; write never, or SEVERITY"),
    ("error>=11/10 traces", "11 is more than all 10 traces"),
]


def test_an_error_of_a_call_needs_no_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    printed = []
    for words in (["connect ECONNREFUSED"], ["connect", "ECONNREFUSED"], ["ECONNREFUSED", "--no-pager", "connect"]):
        assert main(["explain", *words]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0].startswith("connect fails with ECONNREFUSED")
    assert len(set(printed)) == 1


@pytest.mark.parametrize(("words", "said"), ANSWERS, ids=lambda each: str(each)[:20])
def test_explain_says_what_a_word_is(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("content", "said"), BASELINES, ids=lambda each: str(each)[:20])
def test_a_file_that_is_no_baseline(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "baseline.json"
    path.write_bytes(content)
    with pytest.raises(BaselineError) as raised:
        Baseline.read(str(path))
    assert str(raised.value) == f"{path}: not a baseline: {said}; `tracediag baseline` writes one"


@pytest.mark.parametrize(("limit", "said"), LIMITS)
def test_a_limit_that_is_none(limit: str, said: str) -> None:
    done = tracediag("analyze", "--fail-on", limit, "x")
    assert (done.returncode, said in done.stderr) == (2, True)


def test_nothing_is_not_no_findings(tmp_path: Path) -> None:
    done = tracediag("analyze", "-j", "1", "a", "b", cwd=tmp_path)
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1] == "tracediag: no trace was analysed (2 could not be analysed)"
    assert "no findings" not in done.stdout
    assert done.stdout.count("not analysed: ") == 2


@pytest.mark.parametrize("wrong", ["x", "-5", "1.5", ""])
@pytest.mark.parametrize(
    "command",
    [("summary", "--limit"), ("files", "-n"), ("grep", "-C"), ("state", "-p"), ("serve", "--port"), ("follow", "-n")],
    ids=lambda command: command[0],
)
def test_what_is_no_number(command: tuple[str, str], wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([command[0], f"{command[1]}={wrong}", "x"])
    assert capsys.readouterr().err.endswith(f": {wrong!r} is not a number, 0 or more\n")
