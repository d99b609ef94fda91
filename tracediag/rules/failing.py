"""What the rules about failed calls share, and the rules of them that are a page and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import ClassVar

from tracediag.evidence.blame import Blame
from tracediag.evidence.complaints import target
from tracediag.evidence.remedies import failure_of, object_of
from tracediag.kernel import Kernel
from tracediag.results.findings import Finding, Severity, Step, step
from tracediag.rules.base import Rule, on_last
from tracediag.rules.heads import Head
from tracediag.rules.readings import filled, fix_of, heads, pages, reading_of, why_of
from tracediag.trace.patterns import lazy_pattern

_TITLE = lazy_pattern(r"# ([\w-]++) \((TD\d++)\)")
_ENDS_WITH = 5
"""Lines at the end of an excerpt in which a failure is what it ends with: a message or an exit may still follow."""


_ABOVE = ", or search permission"
"""What begins the part of a reading that is about the directories above."""


class FailureRule(Rule):
    """A rule about a failed call, in a recording where nothing shows how the program ended."""

    file: ClassVar[Path | None] = None
    """The page whose readings it gives; None for the rule that speaks where no page does."""

    @on_last
    def unexplained(self, kernel: Kernel) -> Iterator[Finding]:
        """Report the failed call that the excerpt is about, if no other finding has it as a step.

        A note where the excerpt continues, and the program has survived the failure so far, or where an error or
        a warning tells what the excerpt is about.
        """
        blame = self.scope.subject
        if blame is None or blame.call.line in self.scope.explained:
            return
        page = page_of(blame)
        if (None if page is None else page.file) == self.file:
            continues = kernel.last_line - blame.call.line > _ENDS_WITH
            aside = continues or self.scope.alarmed
            yield self._about(blame, Severity.NOTE if aside else self.severity)

    def _about(self, blame: Blame, severity: Severity) -> Finding:
        return self.finding(
            [*steps_before(blame), step(blame.call, failure_of(blame), primary=True)],
            object=object_of(blame) or blame.call.name,
            title=told(blame),
            confidence=blame.confidence,
            severity=severity,
            why=why_of(blame),
            fix=fix_of(blame),
        )


class PageRule(FailureRule):
    """A rule that is a page and nothing else: `<name>.md` with a head, and no `<name>.py` beside it."""

    found_by = "failed-call-behind-exit"

    @classmethod
    def page_file(cls) -> Path:
        """Return the file of the page."""
        assert cls.file is not None
        return cls.file


def steps_before(blame: Blame) -> Iterator[Step]:
    """Yield what the trace shows before a failed call, and what decides on its meaning."""
    if blame.seen is not None:
        yield step(blame.seen.call, blame.seen.told)
    if blame.directory is not None:
        yield step(blame.directory, "relative paths start from this directory")
    if blame.connect is not None:
        yield step(blame.connect, "the connection attempt starts")


def page_of(blame: Blame) -> type[PageRule] | None:
    """Return the page that a failed call belongs to; None if no page is about it."""
    known = None if blame.search is not None else reading_of(blame)
    return None if known is None else next(rule for rule in failure_rules() if rule.file == known[0])


def told(blame: Blame) -> str:
    """Return what failed, and what the page has to say of it: "bind of /run/x.sock fails with EACCES (...): ..."."""
    known = None if blame.search is not None else reading_of(blame)
    says = "" if known is None else f": {filled(known[1].says, blame)}"
    if blame.seen is None or not says:
        return failure_of(blame) + says
    if blame.seen.path == target(blame.call):
        says = says.partition(_ABOVE)[0]  # stat needs search permission for these as well, and had it
    return f"{failure_of(blame)}{says}; {blame.seen.told}"


@cache
def failure_rules() -> tuple[type[PageRule], ...]:
    """Return the rules that are pages.

    Raises:
        ValueError: if a page has a head that is malformed, or no title.
    """
    return tuple(_made(path, head) for path, head in heads().items())


def _made(path: Path, head: Head) -> type[PageRule]:
    title = _TITLE.fullmatch(pages()[path][1])
    if title is None:
        raise ValueError(f"{path.name}: a page begins with its name and code")
    return type(
        title[1].title().replace("-", ""),
        (PageRule,),
        {
            "__module__": f"{__package__}.{path.parent.name}.{path.stem}",
            "__doc__": head.summary,
            "code": title[2],
            "name": title[1],
            "severity": Severity(head.severity),
            "summary": head.summary,
            "file": path,
        },
    )
