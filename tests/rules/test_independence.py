"""A rule can be read, changed and left out alone: no rule imports a rule, and what rules share has an underscore."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tracediag.rules
from tracediag.api import analyze

ROOT = Path(tracediag.rules.__file__).parent
RULES = {f"tracediag.rules.{page.parent.name}.{page.stem}" for page in ROOT.glob("*/*.md")}
"""The modules that have a page."""


def imported(module: Path) -> set[str]:
    """Return the modules that a module imports, those in functions and for types included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found


def test_no_rule_imports_a_rule() -> None:
    modules = [*ROOT.rglob("*.py")]
    assert len(RULES) > 50
    assert {path.name: both for path in modules if (both := imported(path) & RULES)} == {}


def test_a_module_of_a_family_without_a_page_has_an_underscore() -> None:
    modules = [path for path in ROOT.glob("*/*.py") if not path.with_suffix(".md").exists()]
    assert [path.name for path in modules if not path.name.startswith("_")] == []


MISTAKEN = [
    '7 openat(AT_FDCWD, "/srv/log", O_RDWR|O_APPEND) = 3',
    "7 fcntl(3, F_GETFD) = 0",
    "7 fcntl(3, F_SETFL, O_RDONLY|O_NONBLOCK) = 0",
]
STRICT = [
    '7 execve("/srv/a", ["a"], 0x7f /* 3 vars */) = 0',
    "7 prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) = 0",
    "7 getpid() = ?",
    "7 +++ killed by SIGKILL +++",
]


@pytest.mark.parametrize(
    ("lines", "speaks", "silent"),
    [
        pytest.param(MISTAKEN, "setfl-setfd-confused", "setfl-clobbers-flags", id="flags"),
        pytest.param(STRICT, "killed-by-seccomp", "killed-from-outside", id="seccomp"),
    ],
)
def test_a_rule_is_silent_for_another_that_is_not_selected(lines: list[str], speaks: str, silent: str) -> None:
    text = [f"{line}\n" for line in lines]
    assert [finding.name for finding in analyze(text, select=[speaks]).findings] == [speaks]
    assert list(analyze(text, select=[silent]).findings) == []


def test_a_rule_that_is_selected_alone_knows_of_an_order_to_stop() -> None:
    lines = [
        '7 execve("/srv/a", ["a"], 0x7f /* 3 vars */) = 0',
        "7 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f0a10) = 8",
        '8 execve("/srv/b", ["b"], 0x7f /* 3 vars */) = 0',
        '8 openat(AT_FDCWD, "b.conf", O_RDONLY) = -1 EACCES (Permission denied)',
        "8 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=9, si_uid=0} ---",
        "8 exit_group(3) = ?",
        "8 +++ exited with 3 +++",
        "7 wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 8",
        "7 exit_group(3) = ?",
        "7 +++ exited with 3 +++",
    ]
    name = "child-failure-behind"
    text = [f"{line}\n" for line in lines]
    among = [finding for finding in analyze(text).findings if finding.name == name]
    assert len(among) == 1
    assert list(analyze(text, select=[name]).findings) == among
