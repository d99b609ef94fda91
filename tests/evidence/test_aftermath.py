"""A failed call and how the program answered: reported, retried, undone, exited, or ignored."""

from __future__ import annotations

import pytest

from tracediag.engine import Engine
from tracediag.evidence.aftermath import Aftermath
from tracediag.kernel.process import Process
from tracediag.kernel.process_end import ProcessEnd
from tracediag.reading import read
from tracediag.results.findings import Severity
from tracediag.rules.base import Rule, on_process_end

FAILED = 'openat(AT_FDCWD, "/etc/shadow", O_RDONLY) = -1 EACCES (Permission denied) <0.000011>'
REPORT = 'write(2, "cat: /etc/shadow: Permission denied\\n", 37) = 37 <0.000009>'
CHAT = 'write(2, "bye\\n", 4) = 4 <0.000009>'


class _Witness(Rule):
    """Examines the aftermath of the first failure when the process ends."""

    name = "witness"
    severity = Severity.NOTE
    summary = "for these tests"

    @on_process_end
    def ended(self, end: ProcessEnd) -> None:
        process: Process = end.process
        found = Aftermath(process, process.failures[0])
        proof = found.proof
        SEEN.update(
            ignored=found.ignored,
            answered=found.answered,
            mattered=found.mattered,
            soon=found.ended_within(3),
            proof=None if proof is None else proof.line,
            notes=[step.note for step in found.steps()],
            proof_notes=[step.note for step in found.proof_steps()],
        )


SEEN: dict[str, object] = {}


def aftermath(*lines: str) -> dict[str, object]:
    SEEN.clear()
    list(Engine([_Witness]).run(read([f"7 {line}\n" for line in (FAILED, *lines)])))
    return SEEN


def test_reported() -> None:
    seen = aftermath(CHAT, REPORT, "exit_group(0) = ?", "+++ exited with 0 +++")
    assert (seen["answered"], seen["ignored"], seen["proof"]) == (True, False, 3)
    assert seen["notes"] == seen["proof_notes"] == ["the program reports the error on fd 2"]


def test_ended_badly_without_a_word() -> None:
    seen = aftermath("exit_group(1) = ?", "+++ exited with 1 +++")
    assert (seen["answered"], seen["ignored"], seen["mattered"], seen["soon"]) == (False, False, True, True)
    assert seen["notes"] == seen["proof_notes"] == ["the process exits with status 1"]


def test_ended_badly_much_later() -> None:
    assert aftermath(*["getuid() = 0"] * 5, "exit_group(1) = ?", "+++ exited with 1 +++")["soon"] is False


def test_an_order_to_stop_is_a_bad_end_but_no_proof() -> None:
    seen = aftermath(
        "--- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=1, si_uid=0} ---", "+++ killed by SIGTERM +++"
    )
    assert (seen["mattered"], seen["proof"]) == (True, None)


def test_ignored() -> None:
    seen = aftermath("exit_group(0) = ?", "+++ exited with 0 +++")
    assert (seen["ignored"], seen["mattered"], seen["proof"], seen["notes"]) == (True, False, None, [])


def test_what_is_said_next_is_not_a_report() -> None:
    seen = aftermath(CHAT, "exit_group(0) = ?", "+++ exited with 0 +++")
    assert (seen["ignored"], seen["mattered"], seen["notes"]) == (True, True, ["the program writes this to fd 2"])


@pytest.mark.parametrize("what", ["retried", "undone", "noticed"])
def test_what_a_rule_saw_when_it_came_counts_as_an_answer(what: str) -> None:
    engine = Engine([])
    list(engine.run(read([f"7 {FAILED}\n", '7 unlink("/tmp/x") = 0\n'])))
    (process,) = engine.kernel.processes
    (failed,) = process.failures
    last = next(iter(process.threads)).last_call
    assert Aftermath(process, failed).ignored
    assert not Aftermath(process, failed, **{what: last}).ignored
