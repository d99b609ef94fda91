"""Tests with strace attached to their process: its threads, and all that a test starts."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tracediag.analysis import Analysis
from tracediag.errors import TracediagError
from tracediag.recording.errors import RecordingError
from tracediag.recording.own import OwnProcess
from tracediag.recording.strace import find_strace
from tracediag.report import formatter
from tracediag.results.limits import parse_limits
from tracediag.results.report import Report
from tracediag.testing.asserting import shown
from tracediag.testing.marks import Asked, Mode, asked
from tracediag.testing.plugin import place_of

_SECTION = "tracediag"


class Tracing:
    """The part of the plugin that traces tests."""

    def __init__(self, config: pytest.Config) -> None:
        """Take what the options say."""
        mode = config.getoption("--strace")
        self._mode = None if mode is None else Mode(mode)
        self._folder: Path | None = config.getoption("--strace-dir")
        self._usual = Asked(fail_on=config.getoption("--strace-fail-on"))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Trace a test, and tell what was found; what prevents it is told too, and costs the test no outcome."""
        with contextlib.ExitStack() as stack:
            traced = self._traced(item, stack)
            try:
                result = yield
            except BaseException:
                traced.close()
                self._tell(item, traced)
                raise
            traced.close()
            if self._mode not in (Mode.ON_FAILURE, Mode.ON_FIRST_RETRY) or traced.wrong:
                self._judge(traced)
            return result

    def _traced(self, item: pytest.Item, stack: contextlib.ExitStack) -> _Traced:
        """Attach to the process of a test, if it is to be traced."""
        traced = _Traced()
        try:
            traced.wanted = self._asked(item)
            if traced.wanted is not None:
                traced.place = stack.enter_context(self._place(item))
                traced.recording = OwnProcess(find_strace(), f"{traced.place}.strace")
        except (ValueError, RecordingError) as error:
            traced.wrong = f"strace: {error}" if isinstance(error, RecordingError) else str(error)
        except OSError as error:
            traced.wrong = f"strace: {error.filename or self._folder}: {error.strerror}"
        return traced

    def _asked(self, item: pytest.Item) -> Asked | None:
        """Return what a test is to be traced for; None if it is not.

        One that runs commands under strace is not: a process has one tracer. Its marker is about these commands.
        """
        if "strace" in getattr(item, "fixturenames", ()):
            return None
        marker = item.get_closest_marker("strace")
        retried = getattr(item, "execution_count", 1) == 2  # of pytest-rerunfailures, counted from 1
        if marker is None and (self._mode is None or (self._mode is Mode.ON_FIRST_RETRY and not retried)):
            return None
        return self._usual if marker is None else asked(marker.args, marker.kwargs, self._usual)

    @contextlib.contextmanager
    def _place(self, item: pytest.Item) -> Iterator[Path]:
        """Yield where the trace is written: to the folder that was named, or to one that is removed."""
        if self._folder is not None:
            yield place_of(item, self._folder)
            return
        with tempfile.TemporaryDirectory(prefix="tracediag-") as folder:
            yield place_of(item, Path(folder))

    def _tell(self, item: pytest.Item, traced: _Traced) -> None:
        """Show the findings with a test that has failed."""
        report = traced.report()
        if traced.wrong:
            item.add_report_section("call", _SECTION, f"not traced: {traced.wrong}")
        elif report is not None and report.causes:
            item.add_report_section("call", _SECTION, shown(report, report.causes))

    def _judge(self, traced: _Traced) -> None:
        """Fail a test for its findings, or since they are not known."""
        report = traced.report()
        if traced.wrong:
            pytest.fail(f"{traced.wrong} (the test itself passed)", pytrace=False)
        if report is None or traced.wanted is None:
            return
        if any(limit.reached([report.causes]) for limit in parse_limits(traced.wanted.fail_on)):
            place = "" if self._folder else "\n(the trace is removed; --strace-dir DIR keeps it)"
            found = shown(report, report.causes)
            pytest.fail(f"tracediag found, in what this test does:\n\n{found}{place}", pytrace=False)


class _Traced(msgspec.Struct):
    """A test, and strace attached to its process, if it is to be and can be."""

    wanted: Asked | None = None
    place: Path | None = None
    recording: OwnProcess | None = None
    wrong: str = ""
    """What prevents that its findings are known, in one line."""

    def close(self) -> None:
        """Detach."""
        if self.recording is not None:
            try:
                self.recording.close()
            except OSError as error:
                self.wrong = f"strace: {error}"

    def report(self) -> Report | None:
        """Return the report, once it is detached; None without one, then `wrong` may say why."""
        if self.recording is None or self.wanted is None or self.wrong:
            return None
        try:
            return _analysed(f"{self.place}", self.wanted)
        except TracediagError as error:
            self.wrong = f"strace: {error}"
        except OSError as error:
            self.wrong = f"strace: {error.filename}: {error.strerror}"
        return None


def _analysed(place: str, wanted: Asked) -> Report:
    """Return the report on a trace; it is kept beside the trace."""
    analysis = Analysis(f"{place}.strace", select=wanted.select, ignore=wanted.ignore, rules=wanted.rules)
    for _ in analysis:
        pass
    report = analysis.report()
    with Path(f"{place}.json").open("w", encoding="utf-8") as file:
        file.writelines(formatter("json").report(report))
    return report
