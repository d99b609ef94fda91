"""The process tree: parents, programs, ends and killers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag.overviews.descent.tree import grow_tree
from tracediag.report.base import Look
from tracediag.report.tree import picture

SAMPLES = Path(__file__).parents[2] / "samples"

RECORDED = Path(__file__).parent / "recorded"
LOOKS = {
    "plain": Look(),
    "narrow": Look(width=72),
    "ascii": Look(ascii_only=True),
}


@pytest.fixture
def tree(tmp_path):
    def grow(*lines):
        path = tmp_path / "trace"
        path.write_text("".join(f"{line}\n" for line in lines), "utf-8", "surrogateescape")
        return grow_tree(str(path))

    return grow


def flat(tree):
    waiting, found = list(tree.roots), {}
    while waiting:
        node = waiting.pop()
        found[node.pid] = node
        waiting += node.children
    return found


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", ["shell", "plain", "single", "threads", "terminal"])
def test_pictures(name, look, snapshot):
    assert picture(grow_tree(str(RECORDED / f"{name}.strace")), LOOKS[look], threads=look == "plain") == snapshot


def test_each_killer_is_named():
    (shell,) = grow_tree(str(RECORDED / "shell.strace")).roots
    sleep, subshell, cat, tr = shell.children
    assert (sleep.signal, sleep.killer.pid, sleep.killer.call) == ("SIGKILL", shell.pid, "kill")
    assert sleep.signals == {}
    assert [node.status for node in (shell, subshell, cat, tr)] == [1, 3, 0, 0]
    assert cat.programs[-1].command == ("cat", "/etc/hostname")


def test_threads_are_folded():
    (root,) = grow_tree(str(RECORDED / "threads.strace")).roots
    assert ([thread.tid for thread in root.threads], [child.pid for child in root.children]) == ([1409, 1410], [1411])
    assert (root.calls, root.children[0].killer.pid, root.children[0].signals) == (64, 1408, {"SIGSEGV": 1})


def test_a_terminal_shows_the_first_pid_late():
    (root,) = grow_tree(str(RECORDED / "terminal.strace")).roots
    assert (root.pid, root.status, [thread.tid for thread in root.threads]) == (1415, 4, [1416, 1417])


def test_without_pids_children_are_known_by_their_parents_wait():
    (root,) = grow_tree(str(RECORDED / "single.strace")).roots
    assert (root.pid, root.signal, root.programs[0].command[0]) == (None, "SIGTERM", "sh")
    assert [(child.calls, child.status) for child in root.children] == [(0, 0), (0, 2)]


def test_a_trace_that_begins_in_the_middle(tree):
    found = tree(
        "5 read(3, 0x1, 1) = 0", "6 close(3) = 0", "5 fork() = 7", "7 exit_group(0) = ?", "7 +++ exited with 0 +++"
    )
    assert [(root.pid, root.born, root.running) for root in found.roots] == [(5, False, True), (6, False, True)]
    assert [(child.pid, child.born, child.status) for child in found.roots[0].children] == [(7, True, 0)]


def test_a_child_may_be_heard_of_before_its_birth_is_reported(tree):
    found = tree(
        "1 1000000000.1 fork( <unfinished ...>", "2 1000000000.2 getpid() = 2", "1 1000000000.3 <... fork resumed>) = 2"
    )
    assert found.roots[0].children[0].started == pytest.approx(1000000000.1)


@pytest.mark.parametrize(
    ("sent", "hit"),
    [
        ("1 kill(2, SIGKILL) = 0", True),
        ("1 kill(-2, SIGKILL) = 0", True),
        ("1 kill(0, SIGKILL) = 0", True),
        ("1 tgkill(2, 2, SIGKILL) = 0", True),
        ("1 pidfd_send_signal(3<pid:2>, SIGKILL, NULL, 0) = 0", True),
        ("1 kill(2, SIGTERM) = 0", False),
        ("1 kill(3, SIGKILL) = 0", False),
        ("1 kill(2, 0) = 0", False),
        ("1 kill(2, SIGKILL) = -1 EPERM (Operation not permitted)", False),
    ],
)
def test_ways_to_kill(tree, sent, hit):
    nodes = flat(tree("1 fork() = 2", "2 getpid() = 2", sent, "2 +++ killed by SIGKILL +++"))
    assert nodes[2].signal == "SIGKILL"
    assert (nodes[2].killer is not None) is hit


def test_a_killer_outside_the_trace_is_named_by_the_signal(tree):
    (root,) = tree("1 pause() = ?", "1 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=99, si_uid=0} ---",
                   "1 +++ killed by SIGTERM +++").roots  # fmt: skip
    assert (root.killer.pid, root.killer.call, root.killer.line) == (99, "", 2)


def test_the_status_is_the_first_threads(tree):
    (root,) = tree(
        "1 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_FILES|CLONE_THREAD) = 2",
        "2 exit(0) = ?", "1 exit_group(9) = ?", "1 +++ exited with 9 +++", "2 +++ exited with 0 +++",
    ).roots  # fmt: skip
    assert (root.status, root.running, len(root.threads)) == (9, False, 1)


def test_hostile_commands_are_shown_safely(tree):
    command = r'["\33[2J", "[pid 7]", "[/tmp/x]", "a\nb", "\342\200\256"]'
    found = tree(f'1 execve("/bin/x", {command}, 0x1 /* 1 var */) = 0')
    for look in (Look(), Look(width=40), Look(colour=True, width=80), Look(ascii_only=True)):
        shown = picture(found, look)
        assert not {"\n\n", "\u202e", "\x1b[2J"} & {shown, *shown.split()}
        assert "\x1b[2J" not in shown
        assert "\u202e" not in shown
        assert len(shown.splitlines()) == 1
    assert "[pid 7]" in picture(found, Look())
    assert "[/tmp/x]" in picture(found, Look())


def test_a_long_chain_of_forks(tree):
    found = tree(*(f"{pid} fork() = {pid + 1}" for pid in range(1, 3000)))
    lines = picture(found, Look()).splitlines()
    assert len(lines) == 3000
    assert len(lines[-1]) < 300


def test_the_calls_in_which_processes_stand(tmp_path):
    path = tmp_path / "trace"
    path.write_text(
        '10 execve("./s", ["s"], 0x7ff /* 1 var */) = 0\n'
        "10 pipe2([3, 4], 0) = 0\n"
        "10 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD) = 11\n"
        "11 close(3) = 0\n"
        "11 futex(0x5500, FUTEX_WAIT_PRIVATE, 2, NULL <unfinished ...>\n"
        "10 close(4) = 0\n"
        "10 read(3,  <unfinished ...>\n"
    )
    assert all(node.waiting == () for node in flat(grow_tree(str(path))).values())
    nodes = flat(grow_tree(str(path), waits=True))
    assert [(each.call, each.line) for each in nodes[10].waiting] == [("read", 7)]
    assert [(each.call, each.line) for each in nodes[11].waiting] == [("futex", 5)]
    shown = picture(grow_tree(str(path), waits=True), Look())
    assert "waits    read of fd 3 (pipe, read end), line 7: " in shown
    assert "s (pid 11)" in shown


def _calls(nodes):
    for node in nodes:
        threads = [(thread.tid, thread.calls, thread.started, thread.ended) for thread in node.threads]
        yield node.pid, node.first_line, node.started, node.calls, threads, list(_calls(node.children))


def test_calls_that_are_only_counted_count_as_all_others():
    """Without waits most calls become no events; the whole model sees each: every ninth sample."""
    for path in sorted(SAMPLES.rglob("*.strace"))[::9]:
        counted, seen = grow_tree(str(path)), grow_tree(str(path), waits=True)
        assert list(_calls(counted.roots)) == list(_calls(seen.roots)), path


def test_calls_before_the_clone_returned_are_those_of_the_child():
    tree = grow_tree(
        [
            "7 clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>\n",
            "8 getpid() = 8\n",
            "9 getpid() = 9\n",
            "9 getppid() = 7\n",
            "7 <... clone resumed>) = 9\n",
            "9 getuid() = 0\n",
            "9 rt_sigreturn({mask=[]}) = -4000\n",
            "9 +++ exited with 0 +++\n",
        ]
    )
    counts = {}
    for node in _all(tree.roots):
        counts[node.pid] = counts.get(node.pid, 0) + node.calls
    assert counts == {7: 1, 8: 1, 9: 4}


def test_two_calls_on_one_line_are_two():
    tree = grow_tree(
        [
            "7 getpid() = 7\n",
            '7 read(0, "x", 1) = 17 read(0, "= ", 2) = 2\n',
            '7 read(0, "x", 1) = 17 clone(child_stack=NULL, flags=SIGCHLD) = 8\n',
            "8 getpid() = 8\n",
        ]
    )
    assert {node.pid: node.calls for node in _all(tree.roots)} == {7: 5, 8: 1}


def _all(nodes):
    for node in nodes:
        yield node
        yield from _all(node.children)
