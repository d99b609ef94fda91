"""Find out what can be recorded here, with the remedy for what cannot.

    tracediag doctor

Each thing is tried: strace traces `true`, and attaches to a process that sleeps. In a container, where ptrace is often
forbidden, the remedy is an option for the container. The exit code is 0 if a command can be recorded, else 1.
"""

from __future__ import annotations

import argparse
import sys
from typing import Literal

from tracediag.commands.errors import ExitCode
from tracediag.commands.output import look_of, write
from tracediag.commands.parser import CommonOptions
from tracediag.commands.reports import Destination, ReportFiles, add_report
from tracediag.report import Look


class Options(CommonOptions, kw_only=True):
    """What `tracediag doctor` takes."""

    format: Literal["full", "json"] = "full"
    report: tuple[Destination, ...] = ()


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_report(parser, ("full", "json"))


def run(options: Options) -> int:
    """Examine this host."""
    from tracediag.here.abilities import examine
    from tracediag.report.abilities import document, picture

    with ReportFiles(options.report, ()) as files:
        found = examine()

        def rendered(form: str, look: Look) -> tuple[str]:
            return (document(found) if form == "json" else picture(found, look),)

        for piece in rendered(options.format, look_of(sys.stdout, options.color)):
            write(piece)
        files.write(lambda form: rendered(form, Look()))
    return ExitCode.CLEAN if found.records else ExitCode.FINDINGS
