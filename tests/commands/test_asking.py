"""docs/asking.md: each command that it shows prints what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from command_line import tracediag

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "asking.md").read_text()
EXAMPLES = re.findall(r"^    \$ tracediag ([^\n]+)\n((?:(?:    [^\n]*)?\n)*?)(?=\n?^\S)", PAGE + "\n.\n", re.MULTILINE)


def test_all_are_found():
    assert len(EXAMPLES) == PAGE.count("    $ tracediag ") == 8


@pytest.mark.parametrize(("command", "shown"), EXAMPLES, ids=[command for command, _ in EXAMPLES])
def test_example(command, shown):
    done = tracediag(*shlex.split(command), cwd=ROOT)
    printed = [line.rstrip() for line in done.stdout.rstrip().splitlines()]
    assert printed == [line[4:].rstrip() for line in shown.rstrip().splitlines()]
