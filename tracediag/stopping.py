"""What ends the program, told apart from what a rule or a package of rules raises, which costs no more than that."""

from __future__ import annotations

FAULTS = (Exception, SystemExit, KeyboardInterrupt)
"""What foreign code may raise as its own fault: ask `is_stop` whether it is."""


class Stopped(BaseException):
    """Raised by our handlers of signals."""


class Interrupted(Stopped, KeyboardInterrupt):
    """SIGINT."""


class Terminated(Stopped, SystemExit):
    """Another signal that ends the program; the code is 128 and its number."""


def is_stop(error: BaseException) -> bool:
    """Whether a signal ended what was going on, so that the error is no fault and has to pass."""
    return isinstance(error, Stopped) or (isinstance(error, KeyboardInterrupt) and not _is_of_a_statement(error))


def _is_of_a_statement(error: BaseException) -> bool:
    """Whether a `raise` statement raised an error.

    Python's own handler of SIGINT raises KeyboardInterrupt between two instructions, at the end of a loop or of a call:
    CPython looks for signals only there.
    """
    from opcode import opmap  # noqa: PLC0415  # rare

    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code.co_code[trace.tb_lasti] == opmap["RAISE_VARARGS"]
