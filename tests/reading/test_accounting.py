"""Every line is accounted for, whatever it holds; the scanner and the slow path agree."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracediag.reading import Reader, UnreadableError
from tracediag.reading.foreign import tracer_of
from tracediag.reading.margins import opened
from tracediag.reading.slowpath import SlowPath
from tracediag.trace.events import Syscall
from tracediag.trace.records import NotUnderstood

RECORDED = sorted((Path(__file__).parent / "recorded").glob("*.strace"))
CORPUS = os.environ.get("TRACEDIAG_CORPUS", "")
FIELDS = dict[str, object]


def outcome(source: Path | list[str], **options: object) -> tuple[list[FIELDS], object]:
    reader = Reader(source, **options)  # type: ignore[arg-type]
    events = [msgspec.structs.asdict(event) | {"type": type(event).__name__} for event in reader]
    return events, reader.counts


@pytest.fixture
def careful(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    return lambda: monkeypatch.setattr(SlowPath, "busy", property(lambda _: True))


def corpus() -> Iterator[Path]:
    for path in sorted(Path(CORPUS).rglob("*")) if CORPUS else ():
        if path.suffix in {".txt", ".trace"} and path.stat().st_size < 2_000_000:
            yield path


def test_all_lines_of_the_recordings_are_understood() -> None:
    assert RECORDED
    for path in RECORDED:
        reader = Reader(path)
        events = list(reader)
        lines = path.read_text().count("\n")
        assert reader.counts.lines == sum(reader.counts.kinds.values()) == lines, path
        assert reader.counts.not_understood == 0, (path, reader.counts.samples)
        assert reader.counts.calls == sum(isinstance(event, Syscall) and event.returned for event in events), path


@pytest.mark.parametrize("path", [*RECORDED, *corpus()], ids=lambda path: path.name)
def test_the_scanner_and_the_slow_path_agree(path: Path, careful: Callable[[], None]) -> None:
    try:
        scanned = outcome(path)
    except UnreadableError:
        return
    careful()
    assert outcome(path) == scanned


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
@pytest.mark.parametrize("wanted", [{"close"}, {"write", "wait4", "clone", "vfork"}, set()])
def test_a_filter_only_leaves_out(path: Path, wanted: set[str]) -> None:
    every, counts = outcome(path)
    some, counts_of_some = outcome(path, calls=wanted)
    assert counts == counts_of_some
    left = [
        event for event in every
        if event.get("name") is None or event["type"] in {"Signal", "CountRow"} or event["name"] in wanted
        or event.get("errno") or (event["type"] == "Syscall" and event.get("result") is None)
    ]  # fmt: skip
    assert some == left


PIECES = [
    "close(3) = 0", "7 ", "[pid 7] ", "12:00:00 ", "1795402008.5 ", "read(3, ", '"a\\"b', '"', " <unfinished ...>",
    "<... read resumed>", ") = 3", ") = -1 EPIPE (Broken pipe)", "= ", ")", "(", "<", ">", "--- SIGPIPE ",
    "+++ exited with 0 +++", "strace: Process 9 attached", "...", " > /x(y) [0x1]", "&lt;", "\x1b[1m", "\u00a0", "> ",
    "/* ", "*/", "\\", "{", "[", "'", " <0.000003>", "</dev/null<char 1:3>>", "-> ", "=> ", "% time     seconds",
    "------ ------", "^C", "\r", "\x00", "\u00e9", "\udcff", "execve(", 'write(1, "x\\n", 2x', "# ", "? ERESTARTSYS",
    "+++ superseded by execve in pid 7 +++", "???(", "  ", "\t",
]  # fmt: skip
LINES = st.lists(st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=8).map("".join), max_size=12)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LINES, st.sampled_from([None, {"read"}, set()]))
def test_any_lines_are_accounted_for(lines: list[str], wanted: set[str] | None) -> None:
    lines = [line.replace("\n", " ") for line in lines]
    reader, events, refused = Reader(lines, calls=wanted), [], ""
    try:
        events += reader
    except UnreadableError as error:
        refused = str(error)
    if refused:  # as the output of another tracer, before the first event
        assert "not of strace" in refused
        assert not events
        return
    counts = reader.counts
    undone = "".join(opened(["".join(f"{line}\n" for line in lines)]).pieces)  # a line may hold several in quotes
    assert sum(counts.kinds.values()) == counts.lines == undone.count("\n")
    assert counts.not_understood == sum(isinstance(event, NotUnderstood) for event in events)
    assert all(1 <= event.line <= counts.lines for event in events)
    if wanted is None:
        texts = [event for event in events if isinstance(event, Syscall)]
        # A call that its output shows to have returned has no end in the trace, and is not counted.
        ended = [(event.returned and not event.cut) or bool(event.tail) for event in texts]
        assert counts.calls == sum(ended)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_damaged_recordings_are_accounted_for(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from(RECORDED)).read_text().splitlines()
    start = data.draw(st.integers(0, len(lines) - 1))
    lines = lines[start : start + 20]
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        begin, end = sorted((data.draw(st.integers(0, len(line))), data.draw(st.integers(0, len(line)))))
        lines[at] = line[:begin] + data.draw(st.sampled_from(PIECES)) + line[end:]
    reader = Reader(lines)
    try:
        list(reader)
    except UnreadableError:  # few lines are left, and the damage makes most of them another tool's
        assert tracer_of(lines) is not None
        return
    assert sum(reader.counts.kinds.values()) == reader.counts.lines == len(lines)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=2000))
def test_no_bytes_raise(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "trace"
    path.write_bytes(b"close(3) = 0\n" + data)
    reader = Reader(path)
    list(reader)
    assert reader.counts.lines == sum(reader.counts.kinds.values())


@pytest.mark.parametrize("unit", ["(", '"\\"', "<", "5<->", "3<a", ") ", ")(", "[pid ", "/*", "&lt;", "> ", "{", "'("])
@pytest.mark.parametrize("start", ["", "read(", '[pid 5] write(1, "a\\n", 2', "<... read resumed>", " > /x("])
def test_long_lines_take_no_long_time(start: str, unit: str) -> None:
    line = start + unit * (100_000 // len(unit))
    reader = Reader([line, ") = 3", "close(3) = 0"])
    list(reader)  # over a minute, if any expression backtracked
    assert sum(reader.counts.kinds.values()) == 3
