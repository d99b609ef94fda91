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
import sys
from collections.abc import Iterator
from typing import Literal

from tracediag.commands.errors import CommandError, UsageError
from tracediag.commands.numbers import number
from tracediag.commands.outfiles import File, key_of, keys_of, open_file
from tracediag.commands.output import look_of, say, write
from tracediag.commands.parser import CommonOptions
from tracediag.commands.places import check_trace, is_trace, split_place
from tracediag.commands.progress import progress_of
from tracediag.commands.reports import Destination, ReportFiles, add_report
from tracediag.report import Look

_ROWS = 200


class Options(CommonOptions, kw_only=True):
    """What `tracediag follow` takes."""

    trace: str
    object: list[str]
    bytes: bool = False
    pcap: str | None = None
    limit: int = _ROWS
    format: Literal["full", "json"] = "full"
    report: tuple[Destination, ...] = ()


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("trace", metavar="TRACE", help='a trace; "-" is standard input')
    parser.add_argument(
        "object", metavar="OBJECT", nargs="+", help="'fd N@LINE', 'pipe N@LINE', 'path P', 'peer ADDRESS', 'pid N'"
    )
    parser.add_argument("--bytes", action="store_true", help="print the data that was read and written, in order")
    parser.add_argument("--pcap", metavar="FILE", help="also write the data as a capture for Wireshark and tshark")
    parser.add_argument(
        "-n", "--limit", type=number, metavar="N", default=_ROWS, help=f"records to list; 0: all (default: {_ROWS})"
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
    trace, wanted = _meant(options)

    def rendered(form: str, look: Look) -> str:
        if form == "json":
            return document(life)
        return stream(life, look) if options.bytes else picture(life, look)

    with ReportFiles(options.report, [trace]) as files, _capture_file(options.pcap, trace) as target:
        try:
            with progress_of(trace, quiet=options.quiet) as progress:
                life = follow(trace, wanted, limit=max(options.limit, 0), data=data, progress=progress)
        except AskingError as error:
            raise UsageError(str(error)) from None
        except NoSuchObjectError as error:
            raise CommandError(f"{trace}: {error}") from None
        write(rendered(options.format, look_of(sys.stdout, options.color)))
        files.write(lambda name: [rendered(name, Look())])
        if target is not None:
            with _told(target.path):
                target.write_bytes(capture(life.ends))
    if life.damage is not None:
        say(f"{trace}: {life.damage}")
    unseen = sum(end.unseen for end in life.ends)
    if data and unseen:
        cut = f"{unseen:,} bytes are not in the trace, because strace cut the strings"
        say(f"{trace}: {cut}; record with -s 65536")
    return 0


def _meant(options: Options) -> tuple[str, str]:
    """Return the trace and the object, also where they were exchanged, not quoted, or the line given with the trace."""
    from tracediag.overviews.following.wanted import KINDS

    words = [options.trace, *options.object]
    if words[0].split(" ")[0] in KINDS and not is_trace(words[0]):
        words = [words[-1], *words[:-1]]
    trace, line = split_place(words[0])
    wanted = " ".join(words[1:])
    if line is None:
        return trace, wanted
    if "@" in wanted or not wanted.startswith(("fd", "pipe")):
        check_trace(words[0])
    return trace, f"{wanted}@{line}"


@contextlib.contextmanager
def _capture_file(path: str | None, trace: str) -> Iterator[File | None]:
    """Yield the file of --pcap, if any; it is replaced when complete, and never a trace. Raises `UsageError`."""
    if path is None:
        yield None
        return
    if key_of(path) in set(keys_of([trace])):
        raise UsageError(f"{path}: this is a trace, not a place for a capture")
    file = open_file(path)
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
