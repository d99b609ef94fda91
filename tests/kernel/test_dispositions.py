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


def test_invented_signals_and_limits_do_not_grow_without_bound() -> None:
    kernel = Kernel()
    lines = [f"rt_sigaction(SIGX{n}, {{sa_handler=SIG_IGN, {_FLAGS}}}, NULL, 8) = 0\n" for n in range(500)]
    lines += [f"prlimit64(0, RLIMIT_X{n}, NULL, {{rlim_cur=1, rlim_max=2}}) = 0\n" for n in range(500)]
    for event in read(lines):
        apply(kernel, event)
    (process,) = kernel.processes
    assert len(process.signals.known) == 128
    assert len(process.limits) == 32
