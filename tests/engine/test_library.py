"""`open_trace` and docs/library.md: the examples run, the names are those that exist, each question reads as said."""

from __future__ import annotations

import doctest
import os
import re
from pathlib import Path

import pytest

import tracediag
from tracediag import Calls, QueryError, Trace, UnreadableError, open_trace
from tracediag.overviews.searching.search import Searching
from tracediag.query import compile_query
from tracediag.reading import read

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "library.md"
SAMPLE = ROOT / "samples" / "epipe-still-registered" / "bug.strace"
TRACES = sorted((ROOT / "samples").glob("*/bug.strace"))[::3]


def _public(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


def test_the_examples_print_what_the_page_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    failed, tried = doctest.testfile(os.fspath(PAGE), module_relative=False, parser=_Fenced())
    assert (failed, tried > 15) == (0, True)


class _Fenced(doctest.DocTestParser):
    """Reads only what stands in fences of Python, so that a fence never ends an expected output."""

    def get_examples(self, string: str, name: str = "<string>") -> list[doctest.Example]:
        blocks = re.findall(r"```python\n(.*?)```", string, re.DOTALL)
        return [example for block in blocks for example in super(_Fenced, self).get_examples(block, name)]

    def get_doctest(self, string: str, globs: dict, name: str, filename: str, lineno: int) -> doctest.DocTest:
        return doctest.DocTest(self.get_examples(string, name), globs, name, filename, lineno, string)


def test_the_page_lists_every_public_name() -> None:
    table = re.findall(r"^\| (`.*`) \|", PAGE.read_text(), re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(table))) == sorted(tracediag.__all__)
    (closing,) = re.findall(r"^A `Trace` has (.*?); `Calls` have (.*?)\.$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    for kind, said in zip((Trace, Calls), closing, strict=True):
        assert set(re.findall(r"`(\w+)`", said)) == _public(kind)


@pytest.mark.parametrize("query", ["failed", "fd.kind == socket", "errno == EPIPE", "duration > 1ms"])
def test_narrowed_calls_are_those_of_the_joined_query(query: str) -> None:
    for path in TRACES:
        joined = compile_query(f"call in (sendto, connect, close, read) and ({query})")
        wanted = [found.calls[0].line for found in Searching(str(path), joined)]
        calls = open_trace(path).calls("sendto", "connect", "close", "read").where(query)
        assert [call.line for call in calls] == wanted
        assert calls.count() == sum(group.calls for group in calls.by("fd.peer")) == len(wanted)


def test_totals_are_those_of_the_events() -> None:
    calls = [event for event in read(SAMPLE) if isinstance(event, tracediag.Syscall)]
    trace = open_trace(SAMPLE)
    assert trace.calls().count() == len(calls)
    assert trace.calls().total("duration") == pytest.approx(sum(call.duration or 0 for call in calls))
    assert trace.calls("%network").total("fd.number") > 0
    with pytest.raises(QueryError, match="takes a number or a time"):
        trace.calls().total("errno")


def test_a_refused_connection_is_grouped_by_the_address_that_it_names() -> None:
    named = '{sa_family=AF_INET, sin_port=htons(1), sin_addr=inet_addr("127.0.0.1")}'
    failed = f"7 connect(3, {named}, 16) = -1 ECONNREFUSED (Connection refused)\n"
    trace = open_trace(["7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3\n", failed])
    (group,) = trace.calls("connect").where("errno == ECONNREFUSED").by("fd.peer")
    assert (group.value, group.calls) == ("127.0.0.1:1", 1)


@pytest.mark.parametrize("names", [("conect",), ("connect or failed",), ("%nothing",), ("",)])
def test_calls_that_do_not_exist_are_an_error(names: tuple[str, ...]) -> None:
    with pytest.raises(QueryError):
        open_trace(SAMPLE).calls(*names)


def test_where_takes_no_sequence() -> None:
    with pytest.raises(QueryError, match="use search"):
        open_trace(SAMPLE).calls().where("sequence by description [failed] [failed]")


def test_a_source_that_can_be_read_once_is_not_read_as_empty() -> None:
    trace = open_trace(line for line in SAMPLE.read_text().splitlines(keepends=True))
    assert trace.calls("sendto").count() == 3
    with pytest.raises(UnreadableError, match="only once"):
        trace.files()
    again = open_trace(SAMPLE.read_text().splitlines(keepends=True))
    assert again.calls("sendto").count() == again.calls("sendto").count() == 3
    with pytest.raises(TypeError, match="open a path"):
        again.follow("fd 5@54")


def test_what_is_kept_is_read_once() -> None:
    read_bytes: list[int] = []
    trace = open_trace(SAMPLE, progress=read_bytes.append, ignore="TD106")
    assert {finding.code for finding in trace.findings} == {"TD101", "TD202"}
    before = len(read_bytes)
    assert trace.report.findings is trace.findings
    assert len(read_bytes) == before
