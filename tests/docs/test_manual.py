"""man/tracediag.1: it is that of today's parser, has every command and option, and man can show it."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess

import manual
import pytest

from tracediag.commands.parser import build_parser

PAGE = manual.PAGE.read_text("utf-8")


def test_it_is_written_from_the_parser_of_today() -> None:
    assert manual.body(manual.manual("")) == manual.body(PAGE), "write it again: make man"


def test_every_command_and_option_is_explained() -> None:
    assert _explained(build_parser(), "tracediag", common=set()) > 100


def _explained(parser: argparse.ArgumentParser, name: str, common: set[str]) -> int:
    """Find every option of a command in its section, or in that of the common ones; return how many there are."""
    section = _section(name) if name != "tracediag" else ""
    common = common or set(
        re.findall(r"--?[\w-]+", _plain(PAGE.partition(".SH COMMON OPTIONS")[2].partition(".SH")[0]))
    )
    found = 0
    for action in parser._actions:
        assert set(action.option_strings) <= common | set(re.findall(r"--?[\w-]+", section)), (name, action)
        found += len(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):
            found += sum(_explained(each, f"{name} {word}", common) for word, each in action.choices.items())
        elif not action.option_strings:
            assert manual._name(action) in section
    return found


def _section(name: str) -> str:
    (section,) = re.findall(rf"^\.SS {re.escape(name)}\n(.*?)^\.S[SH] ", PAGE, re.MULTILINE | re.DOTALL)
    return _plain(section)


def _plain(text: str) -> str:
    return text.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "").replace("\\fI", "")


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
def test_groff_has_nothing_to_say() -> None:
    done = subprocess.run(["groff", "-ww", "-man", "-Tascii", manual.PAGE], capture_output=True, text=True, check=True)
    assert not done.stderr
    shown = re.sub(r"\x1b\[[\d;]*m|.\x08", "", done.stdout)
    assert "tracediag analyze server.strace" in shown
    assert "--exit-with-command" in shown
