"""Show the whole tour: the bundled server with a fault, traced live, and the diagnosis.

The server is started under strace, driven by a client that brings the fault to light, and stopped; then its trace is
analysed. Where strace cannot be had, a recorded sample is analysed instead. Exits 0 if the fault is named.
"""

from __future__ import annotations

import argparse
import selectors
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from tracediag.commands.errors import CommandError, ExitCode
from tracediag.commands.judging import JudgingOptions, Publisher
from tracediag.commands.output import look_of, say
from tracediag.commands.parser import CommonOptions
from tracediag.commands.serve import check_fault
from tracediag.recording import Recording, RecordingError, Strace, find_strace, trace_file
from tracediag.report import FORMATS
from tracediag.results.report import Report

if TYPE_CHECKING:
    from tracediag.epollserver import Fault

_PACKAGE = Path(__file__).resolve().parents[1]
_PATIENCE = 30
"""Seconds for the server to start, and again to stop."""


class Options(CommonOptions, kw_only=True):
    """What `tracediag demo` takes."""

    fault: str = "accept-once"
    format: Literal["full", "concise", "json"] = "full"
    output: str | None = None


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("fault", metavar="FAULT", nargs="?", default="accept-once", help="(default: accept-once)")
    parser.add_argument("--format", choices=FORMATS, default=FORMATS[0], help="of the report (default: full)")
    parser.add_argument("-o", "--output", metavar="FILE", help="keep the trace in FILE")


def run(options: Options) -> int:
    """Do the tour."""
    from tracediag.api import analyze
    from tracediag.epollserver import FAULTS

    check_fault(options.fault)
    fault = FAULTS[options.fault]
    with trace_file(options.output) as place:
        report = analyze(_trace(fault, place))
    if options.output is None and report.input.path == str(place):  # gone by now
        shown = msgspec.structs.replace(report.input, path=f"<{fault.name}>")
        report = msgspec.structs.replace(report, input=shown)
    with Publisher(JudgingOptions(format=options.format), look_of(sys.stdout, options.color)) as publisher:
        publisher.publish(report)
    return _verdict(report, fault)


def _verdict(report: Report, fault: Fault) -> ExitCode:
    """Say whether the diagnosis names the fault that was switched on: this is a test of tracediag, too."""
    named = fault.rule in (finding.name for finding in report.findings)
    say(f"the fault was {fault.name}; the diagnosis {'names' if named else 'misses'} it ({fault.rule})")
    return ExitCode.CLEAN if named else ExitCode.FAULT


def _trace(fault: Fault, place: Path) -> Path:
    """Return a trace of the server with the fault: a live one if that can be, else a recorded one."""
    strace = find_strace()
    if strace is None:
        why = "strace is not installed"
    else:
        try:
            _record(strace, fault, place)
        except RecordingError as error:
            why = str(error)
        else:
            return place
    sample = _sample(fault.name)
    if sample is None:
        raise CommandError(f"{why}, and no recorded sample of {fault.name} is at hand; the source distribution has it")
    say(f"{why}: analysing the recorded sample {sample.name}")
    return sample


def _record(strace: Strace, fault: Fault, place: Path) -> None:
    """Start the server under strace, drive it, stop it; tell each step."""
    from tracediag.epollserver.scenarios import drive

    # By its path and without the site: the trace then holds little but the server.
    server = [sys.executable, "-EsS", str(_PACKAGE / "epollserver"), "--fault", fault.name]
    recording = Recording(strace, server, place, stdout=subprocess.PIPE)
    try:
        port = _port(recording)
        say(f"started the bundled server under {strace.label}, with the fault {fault.name} ({fault.summary})")
        result = drive(port, fault.name)
        say(f"drove it with its client: {result.answered} of {result.asked} answers came")
        recording.signal(signal.SIGTERM)
        recording.wait(_PATIENCE)
    finally:
        recording.kill()
    say(f"stopped it; the trace has {place.stat().st_size // 1024:,} KB, options {' '.join(strace.options)}")


def _port(recording: Recording) -> int:
    """Wait for the server's line `listening on 127.0.0.1:PORT`."""
    stdout = recording.process.stdout
    assert stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        line = stdout.readline() if selector.select(_PATIENCE) else b""
    _, _, port = line.rpartition(b":")
    if not port.strip().isdigit():
        recording.kill()
        recording.check()
        raise RecordingError("the server did not start under strace")
    return int(port)


def _sample(name: str) -> Path | None:
    """Return the recorded trace of a fault: from the checkout, or the few that are installed."""
    places = (_PACKAGE.parent / "samples" / "epollserver", _PACKAGE / "samples")
    return next((path for place in places if (path := place / f"{name}.strace").is_file()), None)
