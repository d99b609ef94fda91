"""Line ends that were lost, lines in reverse, and the margins of `grep -C`: each reading equals that of the trace."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from sample_reports import SAMPLES, named
from sample_reports import TRACES as RECORDED

from tracediag.api import analyze
from tracediag.reading import Reader
from tracediag.reading.margins.reversal import is_newest_first
from tracediag.trace.events import Syscall

TRACES = [SAMPLES / "double-close" / "bug-threads.f.strace", SAMPLES / "double-close" / "bug.f.strace"]
EVERY = [path for path in RECORDED if path.stat().st_size < 100_000]


def fields(lines: list[str]) -> list[dict[str, object]]:
    found = []
    for event in Reader(lines):
        of = msgspec.structs.asdict(event)
        del of["line"]
        of.pop("end_line", None)
        found.append({key: value for key, value in of.items() if key not in ("parser", "tail")})
    return found


def numbered(form: str) -> Callable[[list[str]], list[str]]:
    return lambda lines: [form.format(number, line) for number, line in enumerate(lines, 1)]


def context(lines: list[str]) -> list[str]:
    return [f"logs/app.strace{':-'[n % 3 > 0]}{n}{':-'[n % 3 > 0]}{line}" for n, line in enumerate(lines, 98)]


def context_of_one(lines: list[str]) -> list[str]:
    return [f"{n}{':-'[n % 3 > 0]}{line}" for n, line in enumerate(lines, 98)]


FORMS: dict[str, Callable[[list[str]], list[str]]] = {
    "blanks for line ends": lambda lines: [" ".join(lines)],
    "a few long lines": lambda lines: [" ".join(lines[at : at + 10]) for at in range(0, len(lines), 10)],
    "br without line ends": lambda lines: [f"<pre>{'<br/>'.join(map(html.escape, lines))}</pre>"],
    "reversed": lambda lines: lines[::-1],
    "reversed behind a time": lambda lines: [
        f"2024-01-02T03:{n // 60:02}:{n % 60:02}.1Z {line}" for n, line in enumerate(lines)
    ][::-1],
    "reversed with numbers": lambda lines: numbered("{:6}\t{}")(lines)[::-1],
    "grep -C": context,
    "grep -C of one file": context_of_one,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.name)
def test_each_form_is_read_like_the_trace(path: Path, form: str) -> None:
    lines = path.read_text().splitlines()
    assert fields(FORMS[form](lines)) == fields(lines)


def test_a_trace_turned_round_says_so() -> None:
    lines = TRACES[0].read_text().splitlines()
    plain, turned = analyze(lines), analyze(lines[::-1])
    assert [found.name for found in turned.findings] == [found.name for found in plain.findings]
    assert plain.input.damage is None
    assert "newest line stands first" in (turned.input.damage or "")


def test_no_recording_has_its_newest_line_first() -> None:
    traces = {path: path.read_text(errors="surrogateescape").splitlines() for path in EVERY}
    assert [named(path) for path, lines in traces.items() if is_newest_first(lines)] == []
    assert [named(path) for path, lines in traces.items() if is_newest_first(lines[len(lines) // 2 :])] == []


def test_strings_that_hold_records_are_not_cut() -> None:
    line = 'write(1, "close(3) = 0 close(4) = 0 close(5) = 0 ", 41) = 41'
    assert len(fields([line])) == 1
    joined = f"{line} close(7) = 0 close(8) = 0"
    assert [of["name"] for of in fields([joined])] == ["write", "close", "close"]


@pytest.mark.parametrize("unit", ['"\\"', ") = 3<", "= 1 (", ")  ", "close(3) = 0 ", "<a", "[pid 7] "])
def test_joined_lines_take_linear_time(unit: str) -> None:
    text = "close(3) = 0 close(4) = 0 close(5) = 0 " + unit * (400_000 // len(unit))
    reader = Reader([text])
    list(reader)  # minutes, if any expression backtracked
    assert reader.counts.calls >= 2


def test_calls_of_one_line_that_are_not_read_are_told() -> None:
    lines = [f"{100 + n % 3} close({n})               = 0" for n in range(700)]
    reader = Reader([*lines, " ".join(f"100 close({n}) = 0" for n in range(5000))])
    list(reader)
    assert reader.counts.calls < 800
    assert "look like calls that were not read" in (reader.counts.doubt or "")


def test_lines_cut_at_a_column_are_no_calls_under_way() -> None:
    lines = [*["close(3) = 0"] * 3, *["connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_"] * 2]
    cut = [event.cut for event in Reader(lines) if isinstance(event, Syscall) and event.name == "connect"]
    assert cut == [True, True]
    lines[-1] += "ad"
    cut = [event.cut for event in Reader(lines) if isinstance(event, Syscall) and event.name == "connect"]
    assert cut == [False, False]


def test_threads_that_strace_is_attached_to_from_the_last_to_the_first_are_no_reversal() -> None:
    """strace -f -p: each thread stands in a call, and the newest thread comes first."""
    call = "futex(0x7fb9d8011cd0, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, FUTEX_BITSET_MATCH_ANY <unfinished ...>\n"
    timed = [f"{20308 - number} 1795874933.{372136 + number} {call}" for number in range(300)]
    plain = [f"{20308 - number} {call}" for number in range(300)]
    assert not is_newest_first(timed)
    assert not is_newest_first(plain)
    assert is_newest_first(timed[::-1])
    numbered = [f"{300 - number} close(3) = 0\n" for number in range(299)]
    assert is_newest_first(numbered)
