"""docs/query.md: every command prints what the page shows, every query on it compiles, the Python example runs."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
from pathlib import Path

import pytest

from tracediag.__main__ import main
from tracediag.query import OBJECTS, compile_query
from tracediag.query.grammar import parse

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "query.md").read_text(encoding="utf-8")
CONSOLE = "".join(re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL))
COMMANDS = [tuple(part.split("\n", 1)) for part in re.split(r"^\$ ", CONSOLE, flags=re.MULTILINE)[1:]]


@pytest.mark.parametrize(("command", "shown"), COMMANDS)
def test_commands_print_what_the_page_shows(command: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    said, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told):
        main([*shlex.split(command)[1:], "-q"])
    assert said.getvalue() + told.getvalue() == shown


def test_every_condition_in_the_table_compiles() -> None:
    rows = re.findall(r"^\| (`[^|]*`) \|", PAGE, re.MULTILINE)
    queries = [query for row in rows for query in re.findall(r"`([^`]+)`", row)]
    assert len(queries) > 15
    for query in queries:
        assert compile_query(query).is_condition


def test_every_sequence_compiles_and_every_object_is_named() -> None:
    (block,) = re.findall(r"\n\n((?:    \S.*\n|      .*\n)+)\n1\. ", PAGE)
    found = [compile_query(query) for query in re.split(r"\n    (?=\w)", block)]
    assert [query.is_condition for query in found] == [False] * 6
    assert all(f"`{name}`" in PAGE for name in OBJECTS)
    assert parse("let tls = fd.peer.port == 443; tls and failed").lets


def test_the_python_example_runs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, os.fspath(ROOT / "docs" / "query.md"), "exec"), {})
    assert capsys.readouterr().out == "54 sendto\n"
