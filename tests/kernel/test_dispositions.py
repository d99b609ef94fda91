"""What a signal does to the process, in each way in which strace prints a disposition."""

from __future__ import annotations

import pytest

from tracediag.kernel import Kernel, apply
from tracediag.kernel.signals import Disposition
from tracediag.reading import read

_FLAGS = "sa_mask=[], sa_flags=SA_RESTORER, sa_restorer=0x7f0000000000"


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("SIG_DFL", Disposition.DEFAULT),
        ("SIG_IGN", Disposition.IGNORED),
        ("0x401136", Disposition.HANDLED),
        ("0 /* SIG_DFL */", Disposition.DEFAULT),
        ("0x1 /* SIG_IGN */", Disposition.IGNORED),
        ("0x1", Disposition.IGNORED),
        ("0", Disposition.DEFAULT),
    ],
)
@pytest.mark.parametrize("signal", ["SIGPIPE", "13 /* SIGPIPE */"])
def test_names_remarks_and_numbers(signal: str, handler: str, expected: Disposition) -> None:
    kernel = Kernel()
    for event in read([f"rt_sigaction({signal}, {{sa_handler={handler}, {_FLAGS}}}, NULL, 8) = 0\n"]):
        apply(kernel, event)
    (process,) = kernel.processes
    assert process.signals.get("SIGPIPE") is expected
