"""Names that are read of signals and of the ends of threads and processes."""

from __future__ import annotations

from functools import partial

from tracediag.query import records
from tracediag.query.names.name import Name, of_model
from tracediag.query.types import Type
from tracediag.trace.signals import CODES, SIGNALS

OF_RECORDS = (
    Name("signal", Type.WORD, "the name of a signal that is delivered", records.read_signal, words=SIGNALS),
    Name("si_code", Type.WORD, "why it was sent: SI_USER, SEGV_MAPERR", records.read_code, words=CODES),
    Name("si_pid", Type.NUMBER, "the pid of its sender; of SIGCHLD, of the child", partial(records.read_field, "pid")),
    Name("si_uid", Type.NUMBER, "the user of that process", partial(records.read_field, "uid")),
    Name("si_status", Type.NUMBER, "of SIGCHLD, the exit status", partial(records.read_field, "status")),
    Name("si_addr", Type.NUMBER, "the address of a fault; 0 for NULL", records.read_address),
    Name("si_syscall", Type.TEXT, "of SIGSYS, the call that is not allowed", records.read_refused),
    Name("exit", Type.TRUTH, "whether a thread ends here", lambda it: records.exit_of(it) is not None),
    Name("exit.status", Type.NUMBER, "its exit status", records.read_status),
    Name("exit.signal", Type.WORD, "the signal that kills it", records.read_killer, words=SIGNALS),
    Name("exit.dumped", Type.TRUTH, "whether it dumps core", records.read_dumped),
    of_model("thread.struck", Type.TRUTH, "whether a signal follows another with no call between", records.struck),
    of_model("exit.last", Type.TRUTH, "whether its process ends with it", records.read_last),
)
"""Names of signals and ends."""
