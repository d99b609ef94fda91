"""Show tracediag at work: record the bundled server, which has a fault, and diagnose it.

The server runs under strace while a client triggers the fault; then its trace is analysed. Without strace, a recorded
sample is analysed instead. The exit code is 0 if the diagnosis names the fault.

The faults: accept-once, not-drained, keep-registered, dup-kept, clobber-flags, cloexec-by-setfl, sigpipe,
blocking-client, ignore-hangup, ignore-eof, double-close, use-after-close, use-after-reset. `tracediag demo --list`
describes them.
"""

from __future__ import annotations

import argparse
import selectors
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tracediag.commands.configured import ConfiguredOptions, add_configured
from tracediag.commands.errors import CommandError, ExitCode
from tracediag.commands.hiding import secrets_if, shown
from tracediag.commands.judging import JudgingOptions, add_redact
from tracediag.commands.keeping import Keeping
from tracediag.commands.output import look_of, say, write
from tracediag.commands.ownrules import rule_set_of
from tracediag.commands.publishing import Publisher
from tracediag.commands.reports import Destination, add_report
from tracediag.commands.run import check_keep, kept
from tracediag.commands.serve import check_fault
from tracediag.recording import Interruption, Recording, RecordingError, find_strace
from tracediag.report import FORMATS
from tracediag.results.report import Report

if TYPE_CHECKING:
    from tracediag.epollserver import Fault
    from tracediag.ownrules import RuleSet

_PACKAGE = Path(__file__).resolve().parents[1]
_PATIENCE = 30
"""Seconds for the server to start, and again to stop."""


class Options(ConfiguredOptions, kw_only=True):
    """What `tracediag demo` takes."""

    fault: str = "accept-once"
    list: bool = False
    format: str = "full"
    report: tuple[Destination, ...] = ()
    keep: str | None = None
    redact: bool = False


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "fault",
        metavar="FAULT",
        nargs="?",
        default="accept-once",
        help="the fault of the server (default: accept-once)",
    )
    parser.add_argument("--list", action="store_true", help="list the faults and exit")
    parser.add_argument("--keep", metavar="FILE", help="keep the trace in FILE")
    add_report(parser, FORMATS)
    add_configured(parser)
    add_redact(parser)


def run(options: Options) -> int:
    """Record and diagnose, or list the faults."""
    from tracediag.epollserver import FAULTS

    if options.list:
        write("".join(f"{name:16}  {fault.summary}\n" for name, fault in FAULTS.items()))
        return ExitCode.CLEAN
    check_fault(options.fault)
    check_keep(options.keep)
    fault, rules = FAULTS[options.fault], rule_set_of(options)
    judging = JudgingOptions(format=options.format, report=options.report, quiet=options.quiet, redact=options.redact)
    look = look_of(sys.stdout, options.color)
    with Interruption() as interruption, Publisher(judging, look, kept(options.keep)) as publisher:
        report = _report(interruption, fault, options, rules)
        publisher.publish(report)
    return _verdict(report, fault, options)


def _verdict(report: Report, fault: Fault, options: Options) -> ExitCode:
    """Say whether the diagnosis names the fault that was switched on: this is a test of tracediag, too."""
    named = fault.rule in (finding.name for finding in report.findings)
    options.tell(f"the diagnosis {'names' if named else 'does not name'} the fault {fault.name}: {fault.rule}")
    return ExitCode.CLEAN if named else ExitCode.FAULT


def _report(interruption: Interruption, fault: Fault, options: Options, rules: RuleSet) -> Report:
    """Return the report on the server with the fault: on a live trace if that can be, else on a recorded one."""
    from tracediag.api import analyze

    try:
        return _live(interruption, fault, options, rules)
    except RecordingError as error:
        why = str(error)
    sample = _sample(fault.name)
    if sample is None:
        raise CommandError(f"{why}, and no recorded sample of {fault.name} is at hand; the source distribution has it")
    say(why)
    options.tell(f"analysing the recorded sample {sample.name}")
    return shown(analyze(sample, rules=rules), secrets_if(options.redact))


def _live(interruption: Interruption, fault: Fault, options: Options, rules: RuleSet) -> Report:
    """Start the server under strace, drive it, stop it, telling each step; then analyse its trace."""
    from tracediag.analysis import Analysis
    from tracediag.epollserver.scenarios import drive

    strace = find_strace()
    # By its path and without the site: the trace then holds little but the server.
    server = [sys.executable, "-EsS", str(_PACKAGE / "epollserver"), "--fault", fault.name]
    keeping = Keeping(options.keep, redact=options.redact)

    def start() -> Recording:
        return Recording(strace, server, keeping.recorded, stdout=subprocess.PIPE)

    with interruption.guarding(start) as recording, keeping.of(recording):
        port = _port(recording)
        options.tell(f"started the bundled server under {strace.label} with the fault {fault.name}: {fault.summary}")
        result = drive(port, fault.name)
        options.tell(f"ran its client: {result.answered} of {result.asked} requests were answered")
        recording.signal(signal.SIGTERM)
        recording.wait(_PATIENCE)
        recording.kill()
        size = f"{recording.size // 1024:,} KiB"
        options.tell(f"stopped the server: {size} of trace, recorded with strace {' '.join(strace.options)}")
        name = options.keep or f"<{fault.name}>"
        secrets = secrets_if(options.redact)
        analysis = Analysis(recording.follow(name), rules=rules, overhear=None if secrets is None else secrets.read)
        for _ in analysis:
            pass
        recording.check()
        return shown(analysis.report(), secrets)


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
