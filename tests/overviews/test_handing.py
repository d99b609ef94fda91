"""What `tree` tells of a process besides its program: working directory, inherited descriptors, environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag.overviews.descent.tree import grow_tree
from tracediag.report.base import Look
from tracediag.report.tree import picture
from tracediag.results.tree import Move

RECORDED = str(Path(__file__).parent / "recorded" / "handed.strace")
"""A shell that moves to /tmp, opens fd 9, and runs programs there and in /usr."""


def grown(*lines):
    return grow_tree([f"{line}\n" for line in lines])


def kept(program):
    return [(each.number, each.what or each.kind, each.line, each.passed_on) for each in program.kept]


@pytest.fixture(scope="module")
def recorded():
    return grow_tree(RECORDED)


@pytest.mark.parametrize(
    ("look", "commands"), [(Look(), False), (Look(width=72), False), (Look(), True)], ids=["plain", "narrow", "whole"]
)
def test_pictures(recorded, look, commands, snapshot):
    assert picture(recorded, look, commands=commands) == snapshot


def test_a_recorded_shell(recorded):
    (shell,) = recorded.roots
    environment, listing = shell.children
    assert (shell.directory, [move.path for move in shell.moves]) == ("/srv/tracediag", ["/tmp"])
    assert [program.directory for program in shell.programs] == ["/srv/tracediag", "/tmp"]
    assert (listing.directory, listing.place) == ("/tmp", "/usr")
    assert [each[:2] for each in kept(environment.programs[0])] == [(9, "/etc/hosts")]
    changes = [program.environment for program in environment.programs]
    assert changes[0].added["LANG"] == "C"
    assert (changes[1].added, changes[1].removed) == ({}, ("HOME",))
    assert shell.programs[0].environment is None


def test_close_on_exec_and_the_standard_descriptors_are_not_kept():
    (root,) = grown(
        '7 openat(AT_FDCWD, "/a", O_RDONLY|O_CLOEXEC) = 3',
        '7 openat(AT_FDCWD, "/b", O_RDONLY) = 4',
        '7 openat(AT_FDCWD, "/c", O_RDONLY) = 5',
        "7 fcntl(5, F_SETFD, FD_CLOEXEC) = 0",
        '7 openat(AT_FDCWD, "/d", O_RDONLY) = 6',
        "7 close(6) = 0",
        "7 dup2(4, 0) = 0",
        "7 accept(8, NULL, NULL) = 9",
        "7 dup2(9, 1) = 1",
        '7 execve("/bin/x", ["x"], 0x1 /* 1 var */) = 0',
    ).roots
    assert kept(root.programs[0]) == [
        (1, "stream socket", 8, False),
        (4, "/b", 2, False),
        (9, "stream socket", 8, False),
    ]


def test_each_descriptor_is_named_where_it_first_reaches_a_program():
    tree = grown(
        '1 execve("/bin/make", ["make"], 0x1 /* 1 var */) = 0',
        "1 pipe([3, 4]) = 0",
        "1 vfork( <unfinished ...>",
        '2 execve("/bin/sh", ["sh"], 0x1 /* 1 var */ <unfinished ...>',
        "1 <... vfork resumed>) = 2",
        "2 <... execve resumed>) = 0",
        '2 openat(AT_FDCWD, "/b", O_RDONLY) = 5',
        "2 fork() = 3",
        '3 execve("/bin/cc", ["cc"], 0x1 /* 1 var */) = 0',
    )
    (shell,) = tree.roots[0].children
    (compiler,) = shell.children
    assert [each[0] for each in kept(shell.programs[0])] == [3, 4]
    assert [(each[0], each[3]) for each in kept(compiler.programs[0])] == [(3, True), (4, True), (5, False)]
    shown = picture(tree, Look()).splitlines()
    assert [line.split("inherits ")[1] for line in shown if "inherits" in line] == [
        "fd 3 = pipe (read end, line 2), fd 4 = pipe (write end, line 2)",
        "fd 5 = /b (line 7)",
    ]


def test_very_many_are_counted():
    opens = [f'1 openat(AT_FDCWD, "/a", O_RDONLY) = {number}' for number in range(3, 203)]
    tree = grown(*opens, '1 execve("/bin/x", ["x"], 0x1 /* 1 var */) = 0')
    (program,) = tree.roots[0].programs
    assert (len(program.kept), program.kept_more) == (64, 136)
    assert "fd 6 = /a (line 4) and 196 more\n" in picture(tree, Look())


def test_a_directory_that_becomes_known_late_was_the_same_before():
    (root,) = grown(
        '1 execve("./x", ["x"], 0x1 /* 1 var */) = 0',
        '1 openat(AT_FDCWD</srv/a>, "b", O_RDONLY|O_CLOEXEC) = 3</srv/a/b>',
        '1 chdir("sub") = 0',
        '1 chdir("none") = -1 ENOENT (No such file or directory)',
        "1 fchdir(5) = 0",
        '1 getcwd("/srv/b", 4096) = 7',
    ).roots
    assert (root.directory, root.programs[0].directory) == ("/srv/a", "/srv/a")
    assert root.moves == (Move("/srv/a/sub", 3), Move("/srv/b", 5))
    assert "  in       /srv/a, then /srv/a/sub (line 3), /srv/b (line 4)\n" in picture(grown(
        '1 execve("./x", ["x"], 0x1 /* 1 var */) = 0',
        '1 openat(AT_FDCWD</srv/a>, "b", O_RDONLY|O_CLOEXEC) = 3</srv/a/b>',
        '1 chdir("sub") = 0', '1 chdir("/srv/b") = 0',
    ), Look())  # fmt: skip


def test_many_moves_are_counted():
    (root,) = grown(*(f'1 chdir("/{number}") = 0' for number in range(100))).roots
    assert (len(root.moves), root.moves_more, root.directory) == (32, 68, None)


def test_an_environment_is_compared_only_where_both_are_shown():
    first = '1 execve("/bin/a", ["a"], ["A=1", "LONG=abc"..., "SAME=1"]) = 0'
    (root,) = grown(
        first, "1 fork() = 2", '2 execve("/bin/b", ["b"], ["A=2", "LONG=abc"..., "SAME=1", "N="]) = 0',
        '2 execve("/bin/c", ["c"], 0x1 /* 3 vars */) = 0',
    ).roots  # fmt: skip
    changed, unknown = (program.environment for program in root.children[0].programs)
    assert (changed.added, changed.removed, changed.shortened) == ({"A": "2", "N": ""}, (), True)
    assert unknown is None
    (root,) = grown(first, '1 execve("/bin/b", ["b"], ["A=1", ...]) = 0').roots
    assert root.programs[1].environment.removed == ()


def test_hostile_text_is_shown_safely():
    tree = grown(
        r'1 execve("/bin/a", ["a"], ["A=1"]) = 0', r'1 chdir("/\33[2J\n") = 0',
        r'1 openat(AT_FDCWD, "/\33[2J", O_RDONLY) = 3', r'1 execve("/bin/\33[2J", ["\33[2J"], ["B=\33[2J\n"]) = 0',
    )  # fmt: skip
    for commands in (True, False):
        shown = picture(tree, Look(), commands=commands)
        assert "\x1b[2J" not in shown
        assert all(line.startswith((" ", "1")) for line in shown.splitlines())
