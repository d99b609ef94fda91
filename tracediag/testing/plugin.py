"""The pytest plugin: `--strace`, `@pytest.mark.strace(...)` and the fixture `strace`. It does nothing unless asked to.

Nothing but this module is imported until a test is traced.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
from binascii import crc32
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tracediag.testing.runner import Strace

_MODES = ("always", "on-failure", "on-first-retry", "off")
_MARKER = (
    "strace(select=(), ignore=(), rules=(), fail_on='warning'): attach strace to this test and fail it for what"
    " tracediag finds"
)
_LONGEST = 150
"""Characters of a file name, which may have 255 bytes: pathconf(3)."""
_ODD = re.compile(r"[^\w.\[\]=-]+")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("tracediag", "system calls of the tests")
    group.addoption(
        "--strace",
        nargs="?",
        const="always",
        type=_mode,
        metavar="WHEN",
        help="attach strace to each test and fail it for what tracediag finds (always, the default); tell it of those"
        " that fail anyway (on-failure), or of their second run (on-first-retry); off: not even for marked tests",
    )
    group.addoption("--strace-fail-on", metavar="LIMIT", default="warning", help="as tracediag's --fail-on")
    group.addoption("--strace-dir", metavar="DIR", type=Path, help="keep traces and reports of traced tests in DIR")


def _mode(text: str) -> str:
    if text in _MODES:
        return text
    modes = f"{', '.join(_MODES[:-1])} or {_MODES[-1]}"
    raise argparse.ArgumentTypeError(
        f"{text!r} is not {modes}; if it is a path, write it before --strace, or: --strace=always {shlex.quote(text)}"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and check the options."""
    config.addinivalue_line("markers", _MARKER)
    mode, folder = config.getoption("--strace"), config.getoption("--strace-dir")
    if folder is not None and mode != "off":
        _check_folder(folder)
    if mode in (None, "off"):
        return
    from tracediag.recording.errors import RecordingError
    from tracediag.recording.strace import find_strace
    from tracediag.results.limits import parse_limits

    try:
        parse_limits(config.getoption("--strace-fail-on"))
        find_strace()
    except (ValueError, RecordingError) as error:
        raise pytest.UsageError(f"--strace: {error}") from None


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise pytest.UsageError(f"--strace-dir: {folder}: {said}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise pytest.UsageError(f"--strace-dir: {folder}: no file can be created in it")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Trace tests, if any is to be traced: otherwise no test pays for it."""
    mode = session.config.getoption("--strace")
    if mode == "off" or (mode is None and not any(item.get_closest_marker("strace") for item in session.items)):
        return
    from tracediag.testing.tracing import Tracing

    session.config.pluginmanager.register(Tracing(session.config), "tracediag-tracing")


@pytest.fixture
def strace(request: pytest.FixtureRequest, tmp_path: Path) -> Strace:
    """Run commands under strace: `report = strace.run([...])`."""
    from tracediag.recording.errors import RecordingError
    from tracediag.recording.strace import find_strace
    from tracediag.testing.marks import Asked, asked
    from tracediag.testing.runner import Strace

    try:
        find_strace()
    except RecordingError as error:
        pytest.skip(str(error))
    marker = request.node.get_closest_marker("strace")
    try:
        usual = Asked() if marker is None else asked(marker.args, marker.kwargs, Asked())
    except ValueError as error:
        said = str(error)
    else:
        return Strace(place_of(request.node, request.config.getoption("--strace-dir") or tmp_path), usual)
    pytest.fail(said, pytrace=False)


def place_of(item: pytest.Item, folder: Path) -> Path:
    """Return the path, without an ending, of what is kept of a test; no two tests have the same."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder.absolute() / _name_of(item.nodeid)


def _name_of(nodeid: str) -> str:
    """Return the name of a test as that of a file; a hash stands for what a file name cannot show."""
    test, bracket, parameters = nodeid.partition("[")
    name = _ODD.sub("-", test).lstrip("-.") + bracket + _ODD.sub("-", parameters)
    if name.isascii() and len(name) <= _LONGEST and not _ODD.search(parameters):
        return name
    short = name.encode("ascii", "replace").decode().replace("?", "-")[-_LONGEST:].lstrip("-.")
    return f"{short}-{crc32(nodeid.encode(errors='surrogateescape')):08x}"
