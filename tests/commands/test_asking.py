"""docs/asking.md and docs/attach.md: each command that they show prints what they show."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from command_line import tracediag

ROOT = Path(__file__).parents[2]
PAGES = "".join((ROOT / "docs" / f"{name}.md").read_text() + "\n.\n" for name in ("asking", "attach"))
EXAMPLES = re.findall(r"^    \$ tracediag ([^\n]+)\n((?:(?:    [^\n]*)?\n)*?)(?=\n?^\S)", PAGES, re.MULTILINE)


def test_all_are_found():
    assert len(EXAMPLES) == PAGES.count("    $ tracediag ") == 9


@pytest.mark.parametrize(("command", "shown"), EXAMPLES, ids=[command for command, _ in EXAMPLES])
def test_example(command, shown):
    done = tracediag(*shlex.split(command), cwd=ROOT)
    printed = [line.rstrip() for line in done.stdout.rstrip().splitlines()]
    assert printed == [line[4:].rstrip() for line in shown.rstrip().splitlines()]
