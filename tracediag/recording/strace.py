"""Finds strace and asks for its version, which decides the options that it is given."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess

import msgspec

from tracediag.recording.errors import RecordingError

OPTIONS = ("-f", "-ttt", "-T", "-yy", "-s", "128")
"""All processes, exact times, durations, what each descriptor is, and enough of each buffer to know it by."""

_PLAIN_OPTIONS = ("-f", "-ttt", "-T", "-s", "128")
_FIRST_WITH_DESCRIPTORS = (4, 10)
"""The first strace that has -yy."""

_PATIENCE = 10
"""Seconds in which `strace -V` must answer."""


class Strace(msgspec.Struct, frozen=True):
    """An strace that can be run."""

    path: str
    version: tuple[int, int]
    stacks: bool = False
    """Whether it is to print the stack of each call (`-k`), which takes it many times as long."""

    @property
    def options(self) -> tuple[str, ...]:
        """The best options that this version knows."""
        usual = OPTIONS if self.version >= _FIRST_WITH_DESCRIPTORS else _PLAIN_OPTIONS
        return (*usual, "-k") if self.stacks else usual

    @property
    def label(self) -> str:
        """Its name and version, for messages."""
        return f"strace {self.version[0]}.{self.version[1]}"


def find_strace(patience: float = _PATIENCE) -> Strace:
    """Return the strace on the path, which has `patience` seconds to tell its version.

    Raises `RecordingError` where there is none, where it cannot be run, and where it hangs.
    """
    path = shutil.which("strace")
    if path is None:
        raise RecordingError("strace is not installed; on Debian and Ubuntu: apt-get install strace")
    version = re.search(r"version (\d{1,6})\.(\d{1,6})", _version_of(path, patience))
    return Strace(path, (int(version[1]), int(version[2])) if version else (0, 0))


def _version_of(path: str, patience: float) -> str:
    """Return what `strace -V` prints."""
    try:
        process = subprocess.Popen(
            [path, "-V"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # what it starts can then be ended with it
        )
    except OSError as error:
        raise RecordingError(f"{path} cannot be run: {error.strerror}") from error
    with process:
        try:
            said = process.communicate(timeout=patience)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            raise RecordingError(f"{path} hangs: strace -V did not end within {patience:g} s") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        how = f"exits with {process.returncode}" if process.returncode > 0 else f"dies of signal {-process.returncode}"
        first = said.strip().partition("\n")[0]
        raise RecordingError(f"{path} cannot be run: strace -V {how}{first and ': '}{first}")
    return said
