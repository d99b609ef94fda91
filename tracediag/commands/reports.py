"""Report destinations: the options for them, and the files that receive a copy."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Self

import msgspec

from tracediag.commands.errors import CommandError, UsageError
from tracediag.commands.outfiles import File, Key, key_of, keys_of, open_file

Render = Callable[[str], Iterable[str]]
"""Renders a report in the named format, in pieces."""


class Destination(msgspec.Struct, frozen=True):
    """A file that receives a copy of the report."""

    format: str
    path: str


def add_report(parser: argparse.ArgumentParser, formats: Sequence[str]) -> None:
    """Declare --format and -o; the first format is the default."""
    parser.add_argument(
        "--format",
        metavar="FORMAT",
        choices=formats,
        default=argparse.SUPPRESS,
        help=f"report format: {formats[0]} (the default), {', '.join(formats[1:])}",
    )
    parser.add_argument(
        "-o",
        "--report",
        dest="report",
        metavar="FORMAT[:FILE]",
        action=_AddReport,
        const=formats,
        default=argparse.SUPPRESS,
        help="also write a report to FILE (may be repeated); without FILE, same as --format FORMAT",
    )


class _AddReport(argparse.Action):
    """FORMAT:FILE adds a destination; FORMAT alone is the same as --format."""

    def __call__(self, _parser: Any, namespace: argparse.Namespace, value: Any, _flag: str | None = None) -> None:
        name, colon, path = value.partition(":")
        if name not in self.const or (colon and not path):
            raise argparse.ArgumentError(
                self, f"{value!r} is not FORMAT or FORMAT:FILE with {', '.join(self.const)} as FORMAT"
            )
        if path == "-":
            raise argparse.ArgumentError(self, f"for standard output: -o {name}, or --format {name}")
        if colon:
            setattr(namespace, self.dest, [*getattr(namespace, self.dest, ()), Destination(name, path)])
        elif getattr(namespace, "format", name) != name:
            raise argparse.ArgumentError(self, f"two formats for standard output: {namespace.format} and {name}")
        else:
            namespace.format = name


class ReportFiles:
    """The files that receive a copy. At the end of the context they are renamed into place, unless it failed."""

    def __init__(self, destinations: Iterable[Destination], inputs: Iterable[str] = ()) -> None:
        """Open the files before the analysis starts.

        Args:
            destinations: the files with their formats.
            inputs: what is read, or written by another program; "-" is standard input, a prefix its -ff set.

        Raises:
            UsageError: if a file cannot be written, is an input, or is named twice.
        """
        self._failures: list[str] = []
        self._files: list[tuple[str, File]] = []
        taken = dict.fromkeys(keys_of(inputs), "this is a trace, not a place for a report")
        try:
            for each in destinations:
                self._add(each, taken)
        except BaseException:
            self._discard()
            raise

    def _add(self, destination: Destination, taken: dict[Key, str]) -> None:
        path = destination.path
        key = key_of(path)
        if key in taken:
            raise UsageError(f"{path}: {taken[key]}")
        taken[key] = "two reports for one file"
        self._files.append((destination.format, open_file(path)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._discard()
            return
        for _format, file in list(self._files):
            self._attempt(file, file.commit)
        if self._failures:
            raise CommandError("; ".join(self._failures))

    def write(self, render: Render) -> None:
        """Write a report to every file; a failure is reported at the end and does not affect the other files."""
        for name, file in list(self._files):
            self._attempt(file, partial(_fill, file, render, name))

    def _attempt(self, file: File, action: Callable[[], None]) -> None:
        try:
            action()
        except OSError as error:
            if not (isinstance(error, BrokenPipeError) and file.standard):  # the reader left, as with any output
                self._failures.append(f"{file.path}: {error.strerror}")
            self._files = [entry for entry in self._files if entry[1] is not file]
            file.discard()

    def _discard(self) -> None:
        for _format, file in self._files:
            file.discard()


def _fill(file: File, render: Render, name: str) -> None:
    file.write("".join(render(name)))
