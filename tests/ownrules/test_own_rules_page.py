"""docs/own-rules.md: every command prints what the page shows, and the Python example does what it says."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from tracediag.__main__ import main
from tracediag.evidence.scope import Fact
from tracediag.rules.cases import CASE
from tracediag.rules.page_cards import CARD

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "own-rules.md").read_text(encoding="utf-8")
CONSOLE = "".join(re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL))
COMMANDS = [tuple(part.split("\n", 1)) for part in re.split(r"^\$ ", CONSOLE, flags=re.MULTILINE)[1:]]


def test_all_commands_are_found() -> None:
    assert len(COMMANDS) >= 3


@pytest.mark.parametrize(("command", "shown"), COMMANDS)
def test_commands_print_what_the_page_shows(command: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    said, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told):
        main([*shlex.split(command)[1:], "-q"])
    assert said.getvalue() + told.getvalue() == shown


def test_the_python_example_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, os.fspath(ROOT / "docs" / "own-rules.md"), "exec"), {"__name__": "page"})
    assert capsys.readouterr().out.splitlines() == re.findall(r"print\(.*?\)  # (.*)", code)


def test_the_configurations_are_toml() -> None:
    for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL):
        assert tomllib.loads(text)


def test_the_page_that_is_shown_is_the_one_that_is_checked() -> None:
    shown = re.findall(r"```markdown\n(.*?)```", PAGE, re.DOTALL)
    paths = re.findall(r"beginning of\s`(.*?)`", PAGE)
    assert len(shown) == 2
    for text, path in zip(shown, paths, strict=True):
        assert (ROOT / path).read_text(encoding="utf-8").startswith(text)


def test_the_complete_page_has_no_problem(tmp_path: Path) -> None:
    (page,) = re.findall(r"~~~~markdown\n(.*?)~~~~", PAGE, re.DOTALL)
    (tmp_path / "fixed_sleep.md").write_text(page, encoding="utf-8")
    assert main(["rules", "check", str(tmp_path), "-q"]) == 0


def test_every_field_and_fact_is_named() -> None:
    for word in (*CARD, *CASE):
        assert re.search(rf"^\| [^|]*`{word}`[^|]*\|", PAGE, re.MULTILINE), word
    assert all(f"`{fact}`" in PAGE for fact in Fact)
