"""A name looked for in several directories is one failure; a message that names another thing blames no lookup."""

from __future__ import annotations

import pytest

from tracediag import analyze

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
