"""A report without secrets has the same findings, in every format; so has a trace without them."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import msgspec
import pytest
from sample_reports import SAMPLES, report_of

from tracediag import Finding, Report, analyze, redact
from tracediag.redaction import Redactor, Secrets, redacted_with, without_secrets
from tracediag.report import FORMATS, as_document, formatter
from tracediag.report.schema import schema

WORD = re.compile(r'(?:write|sendto|send)\([^"\n]*"(?:[^"\\\n]*? )?(?![^" ]*\.so\b)([^"\\\s,&;]{7,40}\d)')
TRACE = r"""execve("/bin/app", ["app", "--password", "SeCrEt123"], ["PATH=/bin", "PLACE=SeCrEt4567"]) = 0
openat(AT_FDCWD, "/srv/app?token=SeCrEt123.conf", O_RDONLY) = -1 ENOENT (No such file or directory)
write(2, "app: cannot read /srv/app?token=SeCrEt123.conf: No such file or directory, Cookie: SeCrEt89\n", 94) = 94
exit_group(1)                           = ?
+++ exited with 1 +++
"""


def judged(report: Report) -> list[object]:
    return [(each.name, each.primary.line, each.severity, each.confidence, each.count) for each in report.findings]


def rendered(name: str, report: Report) -> str:
    form = formatter(name)
    document = as_document(form)
    return "".join(form.report(report) if document is None else document.document([report]))


@pytest.fixture(scope="module")
def report() -> Report:
    return analyze(TRACE.splitlines(keepends=True))


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_shows_a_secret(name: str, report: Report) -> None:
    assert report.findings
    assert "SeCrEt" not in rendered(name, redact(report))


def test_the_secrets_are_there_without_it(report: Report) -> None:
    assert "SeCrEt123" in rendered("full", report)
    assert report.redacted is None
    assert "redacted" not in rendered("full", report)


def test_what_was_hidden_is_counted(report: Report) -> None:
    hidden = redact(report)
    assert hidden.redacted is not None
    assert {"argument", "environment", "assignment", "cookie"} & set(hidden.redacted)
    values = sum(hidden.redacted.values())
    assert f"redacted: {values} values (" in rendered("full", hidden)
    jsonschema.validate(msgspec.json.decode(rendered("json", hidden)), schema("report"))


def test_findings_keep_their_fingerprint(report: Report) -> None:
    fingerprints = [each.fingerprint for each in report.findings]
    assert [each.fingerprint for each in redact(report).findings] == fingerprints
    assert [each.title for each in redact(report).findings] != [each.title for each in report.findings]


def test_a_report_without_secrets_stays_the_same() -> None:
    report = analyze(SAMPLES / "double-close" / "bug.strace")
    assert redact(report) == msgspec.structs.replace(report, redacted={})


def test_all_samples_have_the_same_findings(samples: tuple[Path, ...]) -> None:
    for path in samples:
        lines = path.read_text(errors="surrogateescape").splitlines(keepends=True)
        redactor = _knowing_a_word(lines)
        secrets = Secrets()
        secrets.read("".join(lines), 0)
        hidden = [redactor.line(line) for line in without_secrets(iter(lines), secrets)]
        before = report_of(path)
        if hidden != lines:
            assert judged(analyze(hidden)) == judged(before), path
        after = redacted_with(before, secrets)
        assert judged(after) == judged(before)
        assert [each.fingerprint for each in after.findings] == [each.fingerprint for each in before.findings]


def _knowing_a_word(lines: list[str]) -> Redactor:
    """Return a redactor that takes a word which the program wrote for a secret: the samples hold no real ones."""
    redactor = Redactor(keep_length=True)
    word = WORD.search("".join(lines))
    if word is not None:
        redactor.line(f'execve("/bin/x", ["x", "--password", "{word[1]}"], 0x7ffd /* 3 vars */) = 0')
    return redactor


def test_a_finding_stays_a_finding() -> None:
    assert isinstance(redact(analyze(SAMPLES / "double-close" / "bug.strace")).findings[0], Finding)
