"""A page about one call is read only once a call comes that may match: the language of queries is slow to load."""

from __future__ import annotations

import pytest

from tracediag.engine import Engine
from tracediag.reading import read
from tracediag.rules import all_rules
from tracediag.rules.late_pages import LatePage

SOUND = [
    "socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3\n",
    "fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)\n",
    "fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n",
    "fcntl(3, F_SETFD, FD_CLOEXEC) = 0\n",
    'readlink("/srv/app", 0x7ffe, 4096) = -1 EINVAL (Invalid argument)\n',
    "connect(3, {sa_family=AF_INET, sin_port=htons(80)}, 16) = -1 EINVAL (Invalid argument)\n",
    "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---\n",
    "--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=7, si_uid=0} ---\n",
    "rt_sigreturn({mask=[]}) = 0\n",
]
FAULTS = {
    "setfl-setfd-confused": "fcntl(3, F_SETFD, O_NONBLOCK) = 0\n",
    "signal-frame-corrupt": "--- SIGSEGV {si_signo=SIGSEGV, si_code=SI_KERNEL, si_addr=NULL} ---\n",
    "killed-by-seccomp": "+++ killed by SIGSYS +++\n",
    "file-size-limit": "--- SIGXFSZ {si_signo=SIGXFSZ, si_code=SI_USER} ---\n+++ killed by SIGXFSZ +++\n",
    "negative-length": "write(3, 0x7ffe, 18446744073709551615) = -1 EFAULT (Bad address)\n",
}


def _engine() -> Engine:
    return Engine([rule for rule in all_rules() if issubclass(rule, LatePage)])


def _read(engine: Engine) -> list[str]:
    return [rule.name for rule in engine._rules if "_rule" in vars(rule)]


@pytest.mark.parametrize("end", ["+++ killed by SIGKILL +++\n", "+++ exited with 1 +++\n"])
def test_calls_that_cannot_match_do_not_read_the_page(end: str) -> None:
    engine = _engine()
    assert list(engine.run(read([*SOUND, end]))) == []
    assert not FAULTS.keys() & set(_read(engine))


@pytest.mark.parametrize("name", FAULTS)
def test_a_call_that_may_match_reads_its_page(name: str) -> None:
    engine = _engine()
    assert [finding.name for finding in engine.run(read([*SOUND, *FAULTS[name].splitlines(keepends=True)]))] == [name]
    assert FAULTS.keys() & set(_read(engine)) == {name}
