"""Settings for all tests: none fails because the machine is slow, or because of how the run was started."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sample_reports


def pytest_configure(config: pytest.Config) -> None:
    """Import these as users do: as the homes of plugins, each of their modules would be searched for assertions."""
    config.pluginmanager.rewrite_hook._must_rewrite.difference_update({"tracediag", "hypothesis"})


def pytest_collection(session: pytest.Session) -> None:
    """Let no example fail because it is slow; a process that leaves the tests to its workers needs no examples."""
    if not session.config.pluginmanager.has_plugin("dsession"):
        from hypothesis import settings

        settings.register_profile("no-times", deadline=None)
        settings.load_profile("no-times")


@pytest.fixture(scope="session", autouse=True)
def no_signal_is_ignored() -> None:
    """Let children get these signals: nohup and a shell's background jobs ignore some, and children inherit that."""
    for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def a_cache_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the tests out of the user's cache folder; all workers of a run have one."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"
    folder.mkdir(mode=0o700, exist_ok=True)
    os.environ["XDG_CACHE_HOME"] = str(folder)


@pytest.fixture(scope="session", params=sample_reports.groups())
def samples(request: pytest.FixtureRequest) -> tuple[Path, ...]:
    """Some samples in turn: all tests of these follow each other, whatever their file, and share the reports."""
    found: tuple[Path, ...] = request.param
    return found


@pytest.fixture
def calls_made() -> Callable[[Callable[[], object]], int]:
    """Return a function that counts the calls another makes, C functions among them: a cost without a clock."""

    def count(act: Callable[[], object]) -> int:
        made = 0

        def note(_frame: object, event: str, _argument: object) -> None:
            nonlocal made
            made += event in ("call", "c_call")

        sys.setprofile(note)
        try:
            act()
        finally:
            sys.setprofile(None)
        return made

    return count
