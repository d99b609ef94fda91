"""Start the bundled epoll server, correct or with a fault.

It serves HTTP on 127.0.0.1 and prints its port. SIGTERM or Ctrl-C stops it. Run it under strace to see a fault in a
trace: strace -f -ttt -T -yy -o FILE tracediag serve --fault accept-once

The faults: accept-once, not-drained, keep-registered, dup-kept, clobber-flags, cloexec-by-setfl, sigpipe,
blocking-client, ignore-hangup, ignore-eof, double-close, use-after-close, use-after-reset.
"""

from __future__ import annotations

import argparse

from tracediag.commands.errors import CommandError, no_such
from tracediag.commands.numbers import number
from tracediag.commands.parser import CommonOptions


class Options(CommonOptions, kw_only=True):
    """What `tracediag serve` takes."""

    port: int = 0
    fault: str | None = None


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--port", type=number, default=0, help="port on 127.0.0.1 (default: any free one)")
    parser.add_argument(
        "--fault", metavar="FAULT", help="the fault to inject; `tracediag demo --list` describes them (default: none)"
    )


def run(options: Options) -> int:
    """Serve until a signal comes."""
    from tracediag.epollserver import serve

    check_fault(options.fault)
    try:
        serve(options.port, options.fault)
    except (OSError, OverflowError) as error:
        raise CommandError(f"cannot serve on port {options.port}: {error}") from error
    return 0


def check_fault(fault: str | None) -> None:
    """Raise `UsageError` for an unknown fault."""
    from tracediag.epollserver import FAULTS

    if fault is not None and fault not in FAULTS:
        raise no_such("fault", fault, FAULTS, "tracediag demo --list")
