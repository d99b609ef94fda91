"""What every rule shares: its card, how it subscribes to events, and how it makes a finding.

A rule is two files, `<name>.py` and `<name>.md`, side by side in a folder of this package. Its methods are marked with
what they want to see, such as `@on_call("accept", "accept4")`: `tracediag.rules.subscribing` has all marks. They read
the model and yield findings. What a rule has to remember about an object of the model it keeps in `Cases`
of its own, so that it is bound to the incarnation and goes when the object goes.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import ClassVar

import msgspec

from tracediag.evidence.scope import Scope
from tracediag.kernel.process import Thread
from tracediag.results.findings import Absence, Confidence, Explained, Finding, Maturity, Severity, Step
from tracediag.rules.heads import split_head
from tracediag.rules.subscribing import (
    LASTING,
    Subscription,
    on_call,
    on_errno,
    on_exit,
    on_followed,
    on_last,
    on_lasting,
    on_process_end,
    on_release,
    on_round,
    on_signal,
    on_split,
    on_stop,
    on_table,
    on_threaded,
    on_trace_end,
    on_traffic,
)
from tracediag.trace.calls import CLOSES

__all__ = [
    "LASTING",
    "OWN",
    "Rule",
    "Subscription",
    "on_call",
    "on_errno",
    "on_exit",
    "on_followed",
    "on_last",
    "on_lasting",
    "on_process_end",
    "on_release",
    "on_round",
    "on_signal",
    "on_split",
    "on_stop",
    "on_table",
    "on_threaded",
    "on_trace_end",
    "on_traffic",
]

_BY_NUMBER = frozenset({"descriptor", "epoll", "socket"})
"""The families of rules that follow the numbers of one table from call to call."""
_HOME = f"{__package__}."
OWN = "own"
"""The family of the rules that users write for themselves."""
_NAMED = 3
"""Calls that are named of those that could disprove a finding."""


class Rule:
    """One kind of fault; each trace has an instance of its own."""

    code: ClassVar[str]
    """"TD101"."""
    name: ClassVar[str]
    """The fault in words, joined by hyphens; it reads well after "allow"."""
    severity: ClassVar[Severity]
    """The severity that it usually has; a finding may be of another."""
    summary: ClassVar[str]
    """One line for the list of rules."""
    needs: ClassVar[tuple[str, ...]] = ()
    """The facts without which it cannot judge at all: see `Fact`."""
    raised_by: ClassVar[tuple[Collection[str], ...]] = ()
    """The calls that raise its question: only where the trace holds one of each group, what it lacks is told."""
    rests_on: ClassVar[Collection[str]] = ()
    """The calls on whose absence it builds: where the recording would not show them, it proves nothing."""
    rests_on_successes: ClassVar[bool] = False
    """Whether a success would disprove it: where only failures are recorded, it proves nothing."""
    rests_on_failures: ClassVar[bool] = False
    """Whether a failure would disprove it: where only successes are recorded, it proves nothing."""
    maturity: ClassVar[Maturity] = Maturity.PREVIEW
    lasting: ClassVar[float] = LASTING
    """Seconds from which on it wants to see calls that last: see `on_lasting`; other rules may see these, too."""
    found_by: ClassVar[str] = ""
    """The name of another rule that reports findings under the name of this one as well; it then runs, too."""
    selected: frozenset[str] = frozenset()
    """The names of all rules that were asked for; set by the engine."""
    scope: Scope
    """What the recording is and shows; set by the engine."""
    unchecked: str = ""
    """Why it has not judged all that it met, in one sentence; "" if it has. Set by the rule."""
    following: dict[Thread, set[str]]
    """The threads that rules follow, with the names of these rules; kept by the engine."""

    def follow(self, thread: Thread) -> None:
        """Let methods marked `@on_followed` see every event of a thread from now on, at most until it exits."""
        self.following.setdefault(thread, set()).add(self.name)

    def leave(self, thread: Thread) -> None:
        """End what `follow` began."""
        rules = self.following.get(thread, set())
        rules.discard(self.name)
        if not rules:
            self.following.pop(thread, None)

    def finding(  # noqa: PLR0913  # these are the parts of a finding
        self,
        steps: Iterable[Step],
        *,
        object: str,  # noqa: A002  # the word of the design
        title: str,
        why: str,
        fix: str,
        confidence: Confidence = Confidence.CERTAIN,
        severity: Severity | None = None,
        absent: Iterable[Absence] = (),
        explains: Iterable[tuple[str, int]] = (),
    ) -> Finding:
        """Make a finding of this rule; the steps are put in the order of the trace."""
        return Finding(
            code=self.code,
            name=self.name,
            severity=severity or self.severity,
            confidence=confidence,
            maturity=self.maturity,
            title=title,
            object=object,
            steps=tuple(sorted(steps, key=lambda step: step.line)),
            absent=tuple(absent),
            why=why,
            fix=fix,
            explains=tuple(Explained(name, line) for name, line in explains),
        )

    def rests(self, finding: Finding) -> Collection[str]:
        """Return the calls on whose absence a finding rests: `rests_on`, unless it has a proof of its own."""
        del finding
        return self.rests_on

    def proves(self, finding: Finding) -> bool:
        """Whether the recording would show what would disprove a finding of this rule."""
        if self.rests_on_failures and self.scope.hides_failures:
            return False
        if not CLOSES.isdisjoint(self.rests_on) and self.scope.misses_closes(
            finding.primary.pid, finding.steps[0].line
        ):
            return False
        calls = self.rests(finding)
        if not calls:
            return not (self.rests_on_successes and self.scope.hides_successes)
        return self.scope.records(calls)

    def weighed(self, finding: Finding) -> Finding:
        """Lower the certainty of a finding about what a number refers to, if unseen threads may share the table."""
        if finding.confidence is not Confidence.CERTAIN or self.family() not in _BY_NUMBER:
            return finding
        if not self.scope.may_share_with(finding.primary.pid, finding.steps[0].line):
            return finding
        return msgspec.structs.replace(finding, confidence=Confidence.LIKELY)

    @property
    def disproof(self) -> str:
        """The calls that could disprove a finding, and how to record them."""
        some = ", ".join(sorted(self.rests_on)[:_NAMED]) + (", ..." if len(self.rests_on) > _NAMED else "")
        return f"the calls that could disprove it{some and f' ({some})'}: record with -f and without -e, -z and -Z"

    @classmethod
    def family(cls) -> str:
        """Return the family of the rule: the folder that it stands in; "own" for all rules of users."""
        return OWN if cls.is_own() else cls.__module__.rpartition(".")[0].rpartition(".")[2]

    @classmethod
    def is_own(cls) -> bool:
        """Whether it is a rule of the user's own, not one of tracediag's."""
        return not cls.__module__.startswith(_HOME)

    @classmethod
    def page(cls) -> str:
        """Return the Markdown page of the rule, below its head.

        Raises:
            OSError: if the page is not installed beside the module.
            ValueError: if it is not UTF-8.
        """
        return split_head(cls.page_file().read_text(encoding="utf-8"))[1]

    @classmethod
    def page_file(cls) -> Path:
        """Return the file of the page, which may begin with a head.

        Raises:
            OSError: if its module is no file, as in an interactive session.
        """
        file = getattr(sys.modules.get(cls.__module__), "__file__", None)
        if file is None:
            raise FileNotFoundError(f"{cls.__name__} has no page")
        return Path(file).with_suffix(".md")

    @classmethod
    def subscriptions(cls) -> dict[Subscription, list[str]]:
        """Return the names of the methods by what they subscribe to."""
        found: dict[Subscription, list[str]] = {}
        for name in dir(cls):
            for subscription in getattr(getattr(cls, name), "subscriptions", ()) if name != "subscriptions" else ():
                found.setdefault(subscription, []).append(name)
        return found

    @classmethod
    def texts_of(cls, method: str) -> tuple[str, ...]:
        """Return the texts of which a call shows one that a method is asked about; empty for all calls."""
        return getattr(getattr(cls, method), "showing", ())

    @classmethod
    def given_to(cls, method: str) -> str:
        """Return the name of the collection without which a method is not asked about a call; "" if there is none."""
        return getattr(getattr(cls, method), "given", "")
