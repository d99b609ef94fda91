"""The five definitions of docs/query.md, each by a trace that would match if it were read otherwise."""

from __future__ import annotations

from tracediag.overviews.searching.search import Searching
from tracediag.query import compile_query

READ_TWICE = "sequence by description [call == read] [call == write]"


def found(query: str, trace: str) -> list[tuple[int, ...]]:
    search = Searching(trace.strip().splitlines(keepends=True), compile_query(query))
    return [tuple(call.line for call in match.calls) for match in search]


def unchecked(query: str, trace: str) -> str:
    search = Searching(trace.strip().splitlines(keepends=True), compile_query(query))
    assert not list(search)
    return search.unchecked


def test_1_a_reused_number_is_another_object() -> None:
    reused = """
open("a", O_RDWR) = 3
read(3, "x", 1) = 1
close(3) = 0
open("b", O_RDWR) = 3
write(3, "x", 1) = 1
"""
    assert found(READ_TWICE, reused) == []
    assert found(READ_TWICE.replace("description", "process"), reused) == [(2, 5)]


def test_1_a_dup_is_the_same_description_and_another_descriptor() -> None:
    dup = """
open("a", O_RDWR) = 3
dup(3) = 4
read(3, "x", 1) = 1
write(4, "x", 1) = 1
"""
    assert found(READ_TWICE, dup) == [(3, 4)]
    assert found(READ_TWICE.replace("description", "descriptor"), dup) == []
    assert found(READ_TWICE.replace("description", "process"), dup) == [(3, 4)]


def test_1_a_wait_belongs_to_what_it_reports() -> None:
    waits = """
open("a", O_RDWR) = 3
open("b", O_RDWR) = 4
read(3, "x", 1) = 1
read(4, "x", 1) = 1
poll([{fd=3, events=POLLIN}, {fd=4, events=POLLIN}], 2, 0) = 1 ([{fd=4, revents=POLLIN}])
"""
    assert found("sequence by description [call == read] [call == poll and reports it]", waits) == [(4, 5)]


def test_2_until_closes_the_case_and_a_step_needs_a_call_of_its_own() -> None:
    trace = """
open("a", O_RDWR) = 3
read(3, "x", 1) = 1
lseek(3, 0, SEEK_SET) = 0
write(3, "x", 1) = 1
read(3, "x", 1) = 1
write(3, "x", 1) = 1
write(3, "x", 1) = 1
"""
    assert found(READ_TWICE, trace) == [(2, 4), (5, 6)]
    assert found(f"{READ_TWICE} until [call == lseek]", trace) == [(5, 6)]
    assert found("sequence by description [call == write] [call == write] [call == write]", trace) == [(4, 6, 7)]


def test_3_a_count_is_one_match_as_long_as_the_calls_follow_closely() -> None:
    trace = "\n".join(
        f'{second}.000000 access("x", F_OK) = -1 ENOENT (No such file or directory)'
        for second in (1700000000, 1700000001, 1700000002, 1700000003, 1700000050, 1700000100, 1700000101, 1700000102)
    )
    query = "count by path [errno == ENOENT] >= 3 within 5s"
    assert found(query, trace) == [(1, 4), (6, 8)]
    assert found(query.replace("3", "5"), trace) == []
    assert found("count by path [errno == ENOENT] >= 3", trace) == [(1, 8)]


def test_4_absent_needs_both_ends_and_a_recording_of_what_is_absent() -> None:
    query = "absent [call == fsync] between [call == write] and [call == rename] by file"
    missing = """
open("/d/x", O_RDWR) = 3
fsync(3) = 0
write(3, "x", 1) = 1
close(3) = 0
rename("/d/x", "/d/y") = 0
"""
    assert found(query, missing) == [(3, 5)]
    assert found(query, missing.replace("close(3)", "fsync(3)")) == []
    assert found(query, missing.replace('rename("/d/x"', 'rename("/d/z"')) == []
    assert found(query, missing.replace('write(3, "x", 1) = 1\n', "")) == []


def test_4_where_the_recording_would_not_show_it_nothing_matches() -> None:
    query = "absent [call == fsync] between [call == write] and [call == rename] by file"
    lines = ['open("/d/x", O_RDWR) = 3', 'write(3, "x", 1) = 1', *['stat("/d", {}) = 0', "close(9) = 0"] * 200]
    assert "fsync" in unchecked(query, "\n".join([*lines, 'rename("/d/x", "/d/y") = 0']))


def test_5_within_is_of_times() -> None:
    late = """
1700000000.000000 read(3, "x", 1) = 1
1700000009.000000 write(3, "x", 1) = 1
"""
    assert found(f"{READ_TWICE} within 10s", late) == [(1, 2)]
    assert found(f"{READ_TWICE} within 8s", late) == []
    without = 'read(3, "x", 1) = 1\nwrite(3, "x", 1) = 1\n'
    assert found(READ_TWICE, without) == [(1, 2)]
    assert "times" in unchecked(f"{READ_TWICE} within 10s", without)


def test_where_objects_are_too_many_to_be_followed_the_search_says_so() -> None:
    missing = [f'access("/{number}", F_OK) = -1 ENOENT (No such file or directory)\n' for number in range(5_000)]
    for query in ("count by path [failed] >= 2", "sequence by path [failed] [failed]"):
        few = Searching([*missing[:4_000], missing[0]], compile_query(query))
        assert [match.object for match in few] == ["/0"]
        assert few.unchecked == ""
        many = Searching([*missing, missing[0]], compile_query(query))
        assert list(many) == []
        assert "the 4,096 that are followed at a time" in many.unchecked


def test_a_count_without_a_time_keeps_no_calls() -> None:
    trace = "\n".join(f'access("x", F_OK) = {number}' for number in range(9))
    assert found("count by path [result > 1] >= 4", trace) == [(3, 9)]
    assert found("count by path [result > 1] >= 8", trace) == []


def test_3_a_sum_is_of_numbers_or_times_and_one_match_as_long_as_the_calls_follow_closely() -> None:
    trace = "\n".join(
        f'{second}.000000 write(3, "x"..., {size}) = {size} <0.000500>'
        for second, size in ((1700000000, 10), (1700000001, 60), (1700000002, 40), (1700000050, 90), (1700000100, 200))
    )
    assert found("sum bytes by process [call == write] >= 400", trace) == [(1, 5)]
    assert found("sum bytes by process [call == write] >= 401", trace) == []
    assert found("sum bytes by process [call == write] >= 100 within 5s", trace) == [(1, 3), (5, 5)]
    assert found("sum bytes by process [call == write] >= 100 within 1s", trace) == [(2, 3), (5, 5)]
    assert found("sum bytes by process [call == write] >= 50 within 5s", trace) == [(1, 3), (4, 4), (5, 5)]
    assert found("sum bytes by process [call == write] >= 1KiB", trace) == []
    assert found("sum duration by descriptor [call == write] >= 2ms", trace) == [(1, 5)]
    assert found("sum duration by descriptor [call == write] >= 3ms", trace) == []
    counted = Searching(
        trace.splitlines(keepends=True), compile_query("sum bytes by process [failed or not failed] >= 1")
    )
    assert [match.count for match in counted] == [5]
    within = Searching(
        trace.splitlines(keepends=True), compile_query("sum result by process [call == write] >= 100 within 5s")
    )
    assert [match.count for match in within] == [3, 1]
