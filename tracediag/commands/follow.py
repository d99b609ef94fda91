"""Follow one object through a trace: a descriptor, pipe, path, peer or process.

    tracediag follow server.strace 'fd 7@976'
    tracediag follow server.strace 'peer 10.0.0.1:443' --bytes
    tracediag follow server.strace 'pipe 5@12' --pcap pipe.pcap

OBJECT is what a descriptor refers to at a line ('fd 7@976'; 'pipe 5@976' if it must be a pipe), a file ('path
/etc/hosts'), all connections to an address ('peer 10.0.0.1:443', 'peer 10.0.0.1') or a process ('pid 12'). A
descriptor is followed across dup, fork, execve and SCM_RIGHTS, at both ends as far as both are recorded. The trace is
read twice; standard input is kept in a temporary file.
"""

from __future__ import annotations

import argparse
import contextlib
import shlex
import sys
from collections.abc import Iterator
from typing import Literal

from tracediag.commands.errors import CommandError, UsageError
from tracediag.commands.outfiles import File, key_of, keys_of, open_file
from tracediag.commands.output import look_of, say, write
from tracediag.commands.parser import CommonOptions
from tracediag.commands.places import is_file
from tracediag.commands.progress import progress_of
from tracediag.commands.reports import Destination, ReportFiles, add_report
from tracediag.report import Look

_ROWS = 200


class Options(CommonOptions, kw_only=True):
    """What `tracediag follow` takes."""

    trace: str
    object: str
    bytes: bool = False
    pcap: str | None = None
    limit: int = _ROWS
    format: Literal["full", "json"] = "full"
    report: tuple[Destination, ...] = ()


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("trace", metavar="TRACE", help='a trace; "-" is standard input')
    parser.add_argument(
        "object", metavar="OBJECT", help="'fd N@LINE', 'pipe N@LINE', 'path P', 'peer ADDRESS', 'pid N'"
    )
    parser.add_argument("--bytes", action="store_true", help="print the data that was read and written, in order")
    parser.add_argument("--pcap", metavar="FILE", help="also write the data as a capture for Wireshark and tshark")
    parser.add_argument(
        "-n", "--limit", type=int, metavar="N", default=_ROWS, help=f"records to list; 0: all (default: {_ROWS})"
    )
    add_report(parser, ("full", "json"))


def run(options: Options) -> int:
    """Print the life of the object."""
    from tracediag.overviews.following.finder import NoSuchObjectError
    from tracediag.overviews.following.life import follow
    from tracediag.overviews.following.wanted import AskingError
    from tracediag.report.following import document, picture, stream
    from tracediag.report.pcap import capture

    data = options.bytes or options.pcap is not None

    def rendered(form: str, look: Look) -> str:
        if form == "json":
            return document(life)
        return stream(life, look) if options.bytes else picture(life, look)

    with ReportFiles(options.report, [options.trace]) as files, _capture_file(options) as target:
        try:
            with progress_of(options.trace, quiet=options.quiet) as progress:
                life = follow(options.trace, options.object, limit=max(options.limit, 0), data=data, progress=progress)
        except AskingError as error:
            raise UsageError(_swapped(options) or str(error)) from None
        except NoSuchObjectError as error:
            raise CommandError(f"{options.trace}: {error}") from None
        write(rendered(options.format, look_of(sys.stdout, options.color)))
        files.write(lambda name: [rendered(name, Look())])
        if target is not None:
            with _told(target.path):
                target.write_bytes(capture(life.ends))
    if life.damage is not None:
        say(f"{options.trace}: {life.damage}")
    unseen = sum(end.unseen for end in life.ends)
    if data and unseen:
        cut = f"{unseen:,} bytes are not in the trace, because strace cut the strings"
        say(f"{options.trace}: {cut}; record with -s 65536")
    return 0


def _swapped(options: Options) -> str:
    """Return what to type where the object stands before the trace, else ""."""
    if not is_file(options.object) or is_file(options.trace):
        return ""
    words = f"{shlex.quote(options.object)} {shlex.quote(options.trace)}"
    return f"the trace stands before the object: tracediag follow {words}"


@contextlib.contextmanager
def _capture_file(options: Options) -> Iterator[File | None]:
    """Yield the file of --pcap, if any; it is replaced when complete, and never a trace. Raises `UsageError`."""
    if options.pcap is None:
        yield None
        return
    if key_of(options.pcap) in set(keys_of([options.trace])):
        raise UsageError(f"{options.pcap}: this is a trace, not a place for a capture")
    file = open_file(options.pcap)
    try:
        yield file
        with _told(file.path):
            file.commit()
    except BaseException:
        file.discard()
        raise


@contextlib.contextmanager
def _told(path: str) -> Iterator[None]:
    """Raise `CommandError` where the file cannot be written; an error of the trace is an `OSError` too."""
    try:
        yield
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None
