"""docs/: each command in an indented block prints what the page shows below it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from command_line import tracediag

ROOT = Path(__file__).parents[2]
PAGES = {path.name: path.read_text() for path in sorted((ROOT / "docs").glob("*.md"))}
_EXAMPLE = re.compile(r"^    \$ tracediag ([^\n]+)\n((?:(?:    [^\n]*)?\n)*?)(?=\n?^(?:\S|    \$))", re.MULTILINE)
EXAMPLES = [found for page in PAGES.values() for found in _EXAMPLE.findall(page + "\n.\n")]


def test_all_are_found():
    assert len(EXAMPLES) == sum(page.count("    $ tracediag ") for page in PAGES.values()) == 20


@pytest.mark.parametrize(("command", "shown"), EXAMPLES, ids=[command for command, _ in EXAMPLES])
def test_example(command, shown):
    done = tracediag(*shlex.split(command), cwd=ROOT)
    printed = [line.rstrip() for line in done.stdout.rstrip().splitlines()]
    assert printed == [line[4:].rstrip() for line in shown.rstrip().splitlines()]
