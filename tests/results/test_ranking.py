"""The order of findings, folding, and which changes alter a fingerprint."""

from __future__ import annotations

from tracediag.results.findings import Confidence, Explained, Finding, Severity, Step
from tracediag.results.ranking import Ranking
from tracediag.results.report import Input, Report


def finding(name: str, line: int, **changes: object) -> Finding:
    given: dict[str, object] = {
        "code": f"TD{len(name):03}",
        "name": name,
        "severity": Severity.WARNING,
        "confidence": Confidence.CERTAIN,
        "title": "t",
        "object": f"fd {line}",
        "steps": (Step(line=line, text=f"close({line}) = 0", note=f"fd {line} goes", primary=True),),
        "why": "w",
        "fix": "f",
    }
    return Finding(**(given | changes))  # type: ignore[arg-type]


def names(*findings: Finding) -> list[str]:
    ranking = Ranking()
    for found in findings:
        ranking.add(found)
    return [found.name for found in ranking.ranked()]


def test_severity_then_confidence_then_line() -> None:
    assert names(
        finding("note", 1, severity=Severity.NOTE),
        finding("possible", 2, severity=Severity.ERROR, confidence=Confidence.POSSIBLE),
        finding("much-later", 9),
        finding("earlier-one", 3),
        finding("error", 8, severity=Severity.ERROR),
    ) == ["error", "possible", "earlier-one", "much-later", "note"]


def test_a_cause_leads_its_symptom_even_if_it_is_less_sure() -> None:
    symptom = finding("symptom", 8, severity=Severity.ERROR)
    cause = finding("the-cause", 4, confidence=Confidence.POSSIBLE, explains=(Explained("symptom", 8),))
    other = finding("unrelated-one", 2)
    assert names(symptom, other, cause) == ["the-cause", "symptom", "unrelated-one"]


def test_a_cause_is_as_bad_as_what_follows_from_it() -> None:
    ranking = Ranking()
    ranking.add(finding("symptom", 8, severity=Severity.ERROR))
    ranking.add(finding("the-cause", 4, severity=Severity.NOTE, explains=(Explained("symptom", 8),)))
    assert [found.severity for found in ranking.ranked()] == [Severity.ERROR, Severity.ERROR]


def test_a_cause_explains_only_the_incident_it_names() -> None:
    symptom = finding("symptom", 8, severity=Severity.ERROR)
    cause = finding("the-cause", 4, explains=(Explained("symptom", 9),))
    assert names(symptom, cause) == ["symptom", "the-cause"]


def test_only_what_was_found_is_said_to_be_explained() -> None:
    ranking = Ranking()
    ranking.add(
        finding("the-cause", 4, explains=(Explained("symptom", 8), Explained("symptom", 9), Explained("another", 8)))
    )
    ranking.add(finding("symptom", 8))
    assert ranking.ranked()[0].explains == (Explained("symptom", 8),)


def test_two_that_explain_each_other_are_both_kept() -> None:
    one = finding("one", 1, explains=(Explained("the-other", 2),))
    other = finding("the-other", 2, explains=(Explained("one", 1),))
    assert sorted(names(one, other)) == ["one", "the-other"]


def test_a_symptom_is_linked_with_its_cause_and_only_causes_count() -> None:
    ranking = Ranking()
    for found in (
        finding("symptom", 8, severity=Severity.ERROR, explains=(Explained("far-symptom", 9),)),
        finding("far-symptom", 9),
        finding("the-cause", 4, explains=(Explained("symptom", 8),)),
    ):
        ranking.add(found)
    cause, symptom, far = report(*ranking.ranked()).findings
    assert (cause.name, symptom.name, far.name) == ("the-cause", "symptom", "far-symptom")
    assert [each.explained_by for each in (cause, symptom, far)] == [None, cause.fingerprint, symptom.fingerprint]
    assert report(cause, symptom, far).causes == (cause,)


def test_findings_that_follow_from_a_cycle_come_after_it() -> None:
    ranking = Ranking()
    for found in (
        finding("tail", 3, severity=Severity.ERROR),
        finding("one", 1, explains=(Explained("the-other", 2), Explained("tail", 3))),
        finding("the-other", 2, explains=(Explained("one", 1),)),
    ):
        ranking.add(found)
    ranked = ranking.ranked()
    assert [found.name for found in ranked] == ["one", "the-other", "tail"]
    assert [found.explained_by for found in ranked] == [None, ranked[0].fingerprint, ranked[0].fingerprint]


def report(*findings: Finding) -> Report:
    return Report(input=Input(path="x"), findings=findings)


def test_like_incidents_are_one_finding_with_a_count() -> None:
    ranking = Ranking()
    assert ranking.add(finding("same", 5)) is True
    assert ranking.add(finding("same", 70)) is False
    (folded,) = ranking.ranked()
    assert (folded.count, folded.primary.line) == (2, 5)


def test_the_worse_incident_is_the_example() -> None:
    ranking = Ranking()
    ranking.add(finding("same", 5, severity=Severity.NOTE))
    ranking.add(finding("same", 70, severity=Severity.ERROR))
    (folded,) = ranking.ranked()
    assert (folded.count, folded.primary.line, folded.severity) == (2, 70, Severity.ERROR)


def test_fingerprint_leaves_out_numbers_pids_and_times() -> None:
    one = finding("same", 5)
    steps = (Step(line=70, text="close(12</x>) = 0 <0.1>", note="fd 12 goes", primary=True, pid=9, time=1.5),)
    assert finding("same", 5, steps=steps).fingerprint == one.fingerprint


def test_fingerprint_leaves_out_the_unit_of_a_number() -> None:
    notes = ("read takes 210 ms", "read takes 1.2 s", "read takes 3 µs")
    assert len({noted(note) for note in notes}) == 1
    assert noted("a buffer of 512 bytes") == noted("a buffer of 1 byte") == noted("a buffer of 64 KiB")
    assert noted("read 2 sockets") != noted("read 2 files")


def noted(note: str) -> str:
    steps = (Step(line=5, text="read(3, ...) = 0", note=note, primary=True),)
    return finding("same", 5, steps=steps).fingerprint


def test_fingerprint_knows_the_error_and_the_words() -> None:
    one = finding("same", 5)
    failed = (Step(line=5, text="close(5) = -1 EBADF (Bad file descriptor)", note="fd 5 goes", primary=True),)
    reworded = (Step(line=5, text="close(5) = 0", note="fd 5 stays", primary=True),)
    assert len({one.fingerprint, *(finding("same", 5, steps=steps).fingerprint for steps in (failed, reworded))}) == 3


def test_a_failed_call_is_explained_whichever_page_is_about_it() -> None:
    ranking = Ranking()
    ranking.add(finding("the-cause", 4, explains=(Explained("failed-call-behind-exit", 8),)))
    ranking.add(finding("missing-directory", 8, code="TD701"))
    cause, symptom = ranking.ranked()
    assert cause.explains == (Explained("missing-directory", 8),)
    assert symptom.explained_by == cause.fingerprint
