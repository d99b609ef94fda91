"""A name looked for in several directories is one failure; a message that names another thing blames no lookup."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag import analyze
from tracediag.evidence.complaints import Complaint
from tracediag.parsing import parser_for
from tracediag.reading import read
from tracediag.trace.events import Syscall

START = '7 execve("/usr/bin/prog", ["prog"], 0x7ffe /* 1 var */) = 0'
NONE = "= -1 ENOENT (No such file or directory)"


def looked_for(*paths: str) -> list[str]:
    return [f'7 newfstatat(AT_FDCWD, "{path}", 0x7ffc, 0) {NONE}' for path in paths]


def title(message: str, *lookups: str) -> str:
    end = [f'7 write(2, "{message}", 60) = 60', "7 exit_group(1) = ?", "7 +++ exited with 1 +++"]
    trace = [f"{line}\n" for line in (START, *lookups, *end)]
    return next((each.title for each in analyze(trace, select="failed-call-behind-exit").findings), "")


UPWARDS = looked_for("/srv/a/b/.git", "/srv/a/.git", "/srv/.git", "/.git")
MODULES = looked_for("/etc/perl/DBD/Oracle.pm", "/usr/share/perl5/DBD/Oracle.pm", "/usr/lib/perl5/DBD/Oracle.pm")


@pytest.mark.parametrize(
    ("message", "lookups", "told"),
    [
        ("fatal: not a git repository: .git\\n", UPWARDS, ".git is neither in /srv/a/b nor in any directory above"),
        ("Can't locate DBD/Oracle.pm\\n", MODULES, "DBD/Oracle.pm is in none of the 3 directories searched"),
        ("Can't locate DBD/Oracle.pm\\n", MODULES[:2], "newfstatat of /usr/share/perl5/DBD/Oracle.pm fails"),
    ],
)
def test_a_search_is_one_failure(message: str, lookups: list[str], told: str) -> None:
    assert told in title(message, *lookups)


@pytest.mark.parametrize(
    ("message", "blamed"),
    [
        ("Error: cannot find module 'expresss'\\n", False),
        ("cannot read '/srv/package.json'\\n", True),
        ('cannot read \\"package.json\\"\\n', True),
        ("No such file or directory: 'ffmpegg'\\n", False),
        ("No such file or directory\\n", True),
    ],
)
def test_a_message_that_names_another_thing_blames_no_lookup(message: str, blamed: bool) -> None:
    assert bool(title(message, *looked_for("/srv/package.json"))) is blamed


def test_the_beginning_of_a_path_is_no_name_where_another_is_quoted() -> None:
    message = "Error: cannot find module 'expresss'\\n- /srv/pack"
    lookup = looked_for("/srv/package.json")
    end = [f'7 write(2, "{message}"..., 260) = 260', "7 exit_group(1) = ?", "7 +++ exited with 1 +++"]
    names = {each.name for each in analyze([f"{line}\n" for line in (START, *lookup, *end)]).findings}
    assert "failed-call-behind-exit" not in names


def test_a_script_that_fails_is_not_blamed_on_what_its_runtime_looks_for() -> None:
    report = analyze(Path(__file__).parent / "recorded" / "crashing.strace")
    assert not report.findings
    assert {ending.status for ending in report.ending} == {1}


def test_npm_without_a_package_json_is_blamed_on_it() -> None:
    lookups = [f'7 openat(AT_FDCWD, "/srv/package.json", O_RDONLY|O_CLOEXEC) {NONE}']
    assert "/srv/package.json" in title("npm ERR! enoent Could not read package.json: Error: ENOENT\\n", *lookups)


@pytest.mark.parametrize(
    ("shown", "blamed"),
    [("prog: /opt/python/lib/py", True), ('  File "/opt/python/lib/py', False), ("    at /opt/python/lib/py", False)],
)
def test_a_place_in_a_stack_trace_that_strace_cuts_names_no_lookup(shown: str, blamed: bool) -> None:
    write = Syscall(
        line=9,
        pid=7,
        name="write",
        body=f'2, "{shown.replace(chr(34), chr(92) + chr(34))}"..., 99',
        parser=parser_for("write"),
        result=99,
    )
    lookup = next(
        event for event in read(looked_for("/opt/python/lib/python3.11/conf.d")) if isinstance(event, Syscall)
    )
    assert (Complaint((write,), "prog").names_object(lookup) is not None) is blamed
