"""Tests with strace attached to their process: its threads, and all that a test starts."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tracediag.analysis import Analysis
from tracediag.recording.errors import RecordingError
from tracediag.recording.own import OwnProcess
from tracediag.recording.strace import find_strace
from tracediag.report import formatter
from tracediag.results.limits import parse_limits
from tracediag.results.report import Report
from tracediag.testing.asserting import shown
from tracediag.testing.marks import Asked, Mode
from tracediag.testing.plugin import asked_by, place_of

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
        """Trace a test, and tell what was found."""
        wanted = self._asked(item)
        if wanted is None:
            return (yield)
        with self._place(item) as place:
            recording = _attached(place)
            try:
                result = yield
            except BaseException:
                recording.close()
                self._tell(item, _analysed(place, wanted))
                raise
            recording.close()
            if self._mode not in (Mode.ON_FAILURE, Mode.ON_FIRST_RETRY):
                self._judge(_analysed(place, wanted), wanted)
            return result

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
        return self._usual if marker is None else asked_by(marker, self._usual)

    @contextlib.contextmanager
    def _place(self, item: pytest.Item) -> Iterator[Path]:
        """Yield where the trace is written: to the folder that was named, or to one that is removed."""
        if self._folder is not None:
            yield place_of(item, self._folder)
            return
        with tempfile.TemporaryDirectory(prefix="tracediag-") as folder:
            yield place_of(item, Path(folder))

    def _tell(self, item: pytest.Item, report: Report) -> None:
        """Show the findings with a test that has failed."""
        if report.causes:
            item.add_report_section("call", _SECTION, shown(report, report.causes))

    def _judge(self, report: Report, wanted: Asked) -> None:
        """Fail a test for its findings."""
        if any(limit.reached([report.causes]) for limit in parse_limits(wanted.fail_on)):
            place = "" if self._folder else "\n(the trace is removed; --strace-dir DIR keeps it)"
            found = shown(report, report.causes)
            pytest.fail(f"tracediag found, in what this test does:\n\n{found}{place}", pytrace=False)


def _attached(place: Path) -> OwnProcess:
    try:
        return OwnProcess(find_strace(), f"{place}.strace")
    except RecordingError as error:
        said = str(error)
    pytest.fail(f"strace: {said}", pytrace=False)


def _analysed(place: Path, wanted: Asked) -> Report:
    """Return the report on a trace; it is kept beside the trace."""
    analysis = Analysis(f"{place}.strace", select=wanted.select, ignore=wanted.ignore, rules=wanted.rules)
    for _ in analysis:
        pass
    report = analysis.report()
    with Path(f"{place}.json").open("w", encoding="utf-8") as file:
        file.writelines(formatter("json").report(report))
    return report
