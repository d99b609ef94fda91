"""What a report says of the recording itself, and only where something limits it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag.api import analyze
from tracediag.report.scope import limits
from tracediag.results.report import Scope

RECORDED = Path(__file__).parent / "recorded"
ATTACHED = Path(__file__).parent.parent / "kernel" / "recorded" / "attached"
EXEC = '1 execve("/bin/x", ["x"], 0x7ffc /* 3 vars */) = 0'
END = ("1 exit_group(0) = ?", "1 +++ exited with 0 +++")
UNFILTERED = "1 set_tid_address(0x7f84363da20) = 1"
FAILED = '1 access("/etc/ld.so.preload", R_OK) = -1 ENOENT (No such file or directory)'


def scope_of(*lines: str) -> Scope:
    return analyze([f"{line}\n" for line in lines]).scope


def test_nothing_limits_a_whole_recording() -> None:
    scope = scope_of(EXEC, UNFILTERED, FAILED, *END)
    assert scope.whole
    assert (scope.hidden, scope.attached_threads, scope.strings_cut, scope.symbols) == ((), 0, None, True)
    assert limits(scope) == ""


@pytest.mark.parametrize(
    "lines",
    [
        (EXEC, UNFILTERED, FAILED),
        (UNFILTERED, FAILED, *END),
        (EXEC, UNFILTERED, *END),
        (EXEC, FAILED, *END),
        (EXEC, UNFILTERED, "...", FAILED, *END),
    ],
)
def test_what_lacks_its_start_its_end_or_some_calls_is_not_whole(lines: tuple[str, ...]) -> None:
    assert scope_of(*lines).whole is False
    assert limits(scope_of(*lines)) or lines[-1] == FAILED


def test_threads_that_strace_was_attached_to_are_counted() -> None:
    told = analyze(ATTACHED / "told.strace").scope
    assert told.attached_threads == 3
    assert "strace was attached to 3 threads" in limits(told)
    assert analyze(ATTACHED / "plain.strace").scope.attached_threads is None


def test_a_newcomer_that_strace_announces_later_was_not_attached_to() -> None:
    lines = ("strace: Process 71 attached", "[pid 71] close(3) = 0", "strace: Process 72 attached")
    assert scope_of(*lines, "[pid 72] close(3) = 0").attached_threads == 1


def test_families_of_which_no_call_shows_are_hidden_by_a_filter() -> None:
    assert analyze(RECORDED / "prefork.file.strace").scope.hidden == ("network", "signal")
    assert analyze(RECORDED / "reply.stays.strace").scope.hidden == ()
    assert scope_of("1 close(3) = 0").hidden == (), "a short excerpt lacks most calls"


def test_one_kind_of_results() -> None:
    assert scope_of(FAILED, FAILED).failures_only
    assert scope_of(EXEC, UNFILTERED, *END).successes_only
    assert limits(scope_of(EXEC, UNFILTERED, *END)) == "successful calls only"


@pytest.mark.parametrize(
    ("text", "length"),
    [('"abcd"..., 9', 4), ('"a\\n\\0\\377\\x1f"..., 9', 5), ('"a\\"b"..., 9', 3), ('"abcd", 4', None)],
)
def test_the_length_at_which_strings_are_cut(text: str, length: int | None) -> None:
    assert scope_of(f"1 read(3, {text}) = 4").strings_cut == length


@pytest.mark.parametrize("option", ["PR_SET_NAME", "0xf /* PR_SET_NAME */", "0xf"])
def test_the_name_of_a_thread_is_cut_whatever_the_length_of_strings(option: str) -> None:
    assert scope_of(f'1 prctl({option}, "jemalloc_bg_thd"...) = 0').strings_cut is None


def test_children_without_lines_are_not_followed() -> None:
    fork = "1 clone(child_stack=NULL, flags=SIGCHLD) = 2"
    assert scope_of(EXEC, fork).children_followed is False
    assert "children and threads not followed" in limits(scope_of(EXEC, fork))
    assert scope_of(EXEC, fork, "2 getpid() = 2").children_followed is True
    assert scope_of(EXEC).children_followed is None
    assert analyze(RECORDED / "closer.main.strace").scope.children_followed is False


def test_constants_as_numbers() -> None:
    scope = scope_of('1 openat(-100, "/etc/hosts", 0x80000) = 3', "1 mmap(NULL, 4096, 0x1, 0x2, 3, 0) = 0x7f0000000000")
    assert scope.symbols is False
    assert "constants as numbers" in limits(scope)
