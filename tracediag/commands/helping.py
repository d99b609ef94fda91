"""argparse with help styled for the output device, and messages that are safe on a terminal."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, NoReturn, cast

from rich_argparse import RawDescriptionRichHelpFormatter

from tracediag.commands.output import look_of, write, write_error
from tracediag.report import Look
from tracediag.report.visible import visible

if TYPE_CHECKING:
    from rich.console import Console

_MARGIN = 2
_USUAL = 80
_NO_LOOK = Look()
_UNBROKEN: Any = {"break_long_words": False, "break_on_hyphens": False}
"""A name of an option or a fault stays on one line."""


class _Help(RawDescriptionRichHelpFormatter):
    """Formats help; the console is created on first use, because argparse creates a formatter per argument."""

    text_markup = False
    help_markup = False
    """Brackets are text: a query has them."""

    def __init__(self, prog: str, look: Look) -> None:
        super().__init__(prog, width=(look.width or _USUAL) - _MARGIN)
        self._look = look

    def add_text(self, text: object) -> None:
        """Add a description; its paragraphs are wrapped to the width, what is indented stays as it is."""
        super().add_text(_wrapped(text, self._width) if isinstance(text, str) else cast("Any", text))

    @property
    def console(self) -> Console:
        """The console that help is printed on."""
        if self._console is None:
            from tracediag.report.console import console_of

            self._console = console_of(self._look)
        return self._console

    @console.setter
    def console(self, console: Console) -> None:
        self._console = console


def _wrapped(text: str, width: int) -> str:
    paragraphs = text.strip().split("\n\n")
    return "\n\n".join(each if each.startswith(" ") else textwrap.fill(each, width, **_UNBROKEN) for each in paragraphs)


class Parser(argparse.ArgumentParser):
    """The parser of the command line, and of each subcommand."""

    _look = _NO_LOOK

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, formatter_class=RawDescriptionRichHelpFormatter)

    def _get_formatter(self) -> argparse.HelpFormatter:
        return _Help(self.prog, self._look)

    def print_help(self, file: object = None) -> None:
        """Print the help to standard output."""
        del file
        with self._painted_for(sys.stdout):
            write(self.format_help())

    def error(self, message: str) -> NoReturn:
        """Exit with code 2 and the message alone, without the usage; control bytes in arguments are made visible."""
        write_error(f"{self.prog}: error: {visible(message)}\n")
        self.exit(2)

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Let an argument that has an `unknown` of its own say what is wrong with a value."""
        unknown = getattr(action, "unknown", None)
        if unknown is not None and action.choices is not None and value not in action.choices:
            raise argparse.ArgumentError(None, unknown(str(value)))
        super()._check_value(action, value)

    @contextmanager
    def _painted_for(self, stream: IO[str]) -> Iterator[None]:
        self._look = look_of(cast("Any", stream), "auto")
        try:
            yield
        finally:
            self._look = _NO_LOOK
