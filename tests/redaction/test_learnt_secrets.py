"""A secret that any line of a trace gives away is hidden in every format and in the kept trace, wherever it stands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import tracediag

from tracediag import Report, analyze, redact
from tracediag.redaction import Redactor, Secrets, without_secrets
from tracediag.redaction.known import Known
from tracediag.redaction.literals import literals_in
from tracediag.report import FORMATS, as_document, formatter

SECRET = "SeCrEt-4711-abc"
ELSEWHERE = f"""openat(AT_FDCWD, "/srv/{SECRET}.conf", O_RDONLY) = -1 ENOENT (No such file or directory)
write(2, "app: cannot read /srv/{SECRET}.conf: No such file or directory\\n", 74) = 74
exit_group(1)                           = ?
+++ exited with 1 +++
"""
SIGNS = {
    "header": rf'write(3, "GET / HTTP/1.1\r\nAuthorization: Bearer {SECRET}\r\n\r\n", 60) = 60',
    "argument": f'execve("/bin/x", ["x", "--token", "{SECRET}"], 0x7ffd /* 3 vars */) = 0',
    "cookie": rf'write(3, "GET / HTTP/1.1\r\nCookie: theme=dark; id={SECRET}\r\n\r\n", 60) = 60',
    "environment": f'execve("/bin/x", ["x"], ["PATH=/bin", "APP_TOKEN={SECRET}"]) = 0',
    "cut": r'write(3, "Authorization: Bearer SeCrEt-4711"..., 600) = 600',
    "two writes": 'write(3, "Authorization: Bea", 18) = 18\nwrite(3, "rer ' + SECRET + r'\r\n", 20) = 20',
    "halves": 'write(3, "password=SeCrEt-4", 17) = 17\nwrite(3, "711-abc\\n", 8) = 8',
    "two reads": 'read(3, "{\\"pass", 6) = 6\nread(3, "word\\": \\"' + SECRET + '\\"}", 28) = 28',
    "buffers": 'writev(3, [{iov_base="Authorization: ", iov_len=15}, '
    '{iov_base="Bearer ' + SECRET + r'\r\n", iov_len=24}], 2) = 39',
    "folded": rf'write(3, "GET / HTTP/1.1\r\nAuthorization:\r\n Bearer {SECRET}\r\n\r\n", 60) = 60',
    "xml": f'write(3, "<user><password>{SECRET}</password></user>", 60) = 60',
    "xml, with attributes": f'write(3, "<apiKey type=\\"x\\">{SECRET}</apiKey>", 60) = 60',
    "json": rf'write(3, "{{\"password\" : \"{SECRET}\"}}", 60) = 60',
    "json, in json": rf'write(3, "{{\"body\": \"{{\\\"password\\\": \\\"{SECRET}\\\"}}\"}}", 60) = 60',
    "yaml": rf'write(3, "db:\n  - password: \"{SECRET}\"\n", 60) = 60',
    "unfinished": '7 read(3,  <unfinished ...>\n8 getpid() = 8\n7 <... read resumed>"token='
    + SECRET
    + r'\n", 99) = 22',
    "basic": r'write(3, "Authorization: Basic am9lOlNlQ3JFdC00NzExLWFiYw==\r\n", 60) = 60',
}


def rendered(name: str, report: Report) -> str:
    form = formatter(name)
    document = as_document(form)
    return "".join(form.report(report) if document is None else document.document([report]))


def lengths(text: str) -> list[list[int]]:
    return [[len(literal.text) for literal, _ in literals_in(line)] for line in text.split("\n")]


def kept(text: str) -> str:
    secrets = Secrets()
    secrets.read(text, 0)
    return "\n".join(without_secrets(iter(text.split("\n")), secrets))


@pytest.mark.parametrize("sign", SIGNS.values(), ids=SIGNS)
@pytest.mark.parametrize("first", [True, False], ids=["sign-first", "sign-last"])
def test_a_report_hides_what_another_line_gives_away(sign: str, first: bool, tmp_path: Path) -> None:
    path = tmp_path / "x.strace"
    path.write_text(f"{sign}\n{ELSEWHERE}" if first else f"{ELSEWHERE}{sign}\n")
    report = analyze(path)
    assert SECRET in rendered("full", report)
    hidden = redact(report, path)
    for name in FORMATS:
        assert "SeCrEt" not in rendered(name, hidden), name
    assert [each.fingerprint for each in hidden.findings] == [each.fingerprint for each in report.findings]


@pytest.mark.parametrize("sign", SIGNS.values(), ids=SIGNS)
def test_a_kept_trace_hides_it_and_stays_a_trace(sign: str) -> None:
    before = f"{ELSEWHERE}{sign}\n"
    after = kept(before)
    assert "SeCrEt" not in after
    assert "711-abc" not in after
    assert lengths(after) == lengths(before)


@pytest.mark.parametrize("options", [(), ("-j", "1"), ("--format", "jsonl"), ("--format", "sarif")], ids=str)
def test_the_command_hides_it_also_from_a_pipe(options: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "x.strace"
    path.write_text(ELSEWHERE + SIGNS["header"] + "\n")
    ended = tracediag("analyze", "--redact", "--exit-zero", *options, path)
    assert "<redacted>" in ended.stdout
    assert "SeCrEt" not in ended.stdout + ended.stderr
    if "-j" not in options:
        piped = tracediag("analyze", "--redact", "--exit-zero", *options, "-", input=path.read_text())
        assert "<redacted>" in piped.stdout
        assert "SeCrEt" not in piped.stdout + piped.stderr


def test_jsonl_still_has_a_line_for_each_finding(tmp_path: Path) -> None:
    path = tmp_path / "x.strace"
    path.write_text(ELSEWHERE + SIGNS["header"] + "\n")
    lines = [
        [json.loads(line) for line in tracediag("analyze", *redacted, "--format", "jsonl", path).stdout.splitlines()]
        for redacted in ((), ("--redact",))
    ]
    assert [list(each) for each in lines[0]] == [list(each) for each in lines[1]]


def test_halves_are_hidden_in_the_steps_of_a_report() -> None:
    trace = 'write(9, "password=SeC", 12) = -1 EBADF (Bad file descriptor)\nwrite(9, "rEt7\\n", 5) = 5\n'
    secrets = Secrets()
    secrets.read(trace, 0)
    redactor = secrets.redactor()
    first, second, _ = trace.split("\n")
    assert "SeC" not in redactor.step(first, 1)
    assert redactor.step(second, 2) == 'write(9, "<redacted>\\n", 5) = 5'
    assert redactor.step(second, 3) == second


def test_a_secret_that_the_report_cuts_is_hidden() -> None:
    known = Known()
    known.add("token", SECRET)
    assert Redactor(known=known).text("openat of /srv/SeCrEt-471… fails") == "openat of /srv/<redacted>… fails"
    assert Redactor(known=known).text("openat of /srv/SeCrEt-4712 fails") == "openat of /srv/SeCrEt-4712 fails"


def test_it_is_hidden_however_it_is_written() -> None:
    known = Known()
    known.add("argument", r"p\303\244ss/w\303\266rt+1")
    for form in (r'"p\303\244ss/w\303\266rt+1"', "pÃ¤ss/wÃ¶rt+1", "päss/wört+1", "p%C3%A4ss%2Fw%C3%B6rt%2B1"):
        assert "rt" not in Redactor(known=known).text(f"x {form} y")


def test_thousands_of_secrets_are_remembered() -> None:
    secrets = Secrets()
    secrets.read("".join(f'write(3, "token=SeCrEt-{number}\\n", 20) = 20\n' for number in range(10_000, 12_000)), 0)
    assert secrets.redactor().text("a SeCrEt-10000 b SeCrEt-11999 c") == "a <redacted> b <redacted> c"


@pytest.mark.parametrize("code", ["token = self.next_token", "password = read(3)", "token=/etc/app/token.pem"])
def test_what_source_code_assigns_is_not_looked_for_elsewhere(code: str) -> None:
    secrets = Secrets()
    secrets.read(f'read(3, "{code}\\n", 4096) = 30\n', 0)
    value = code.partition("=")[2].strip()
    assert secrets.redactor().text(f"openat of {value} fails") == f"openat of {value} fails"


def test_a_path_in_the_environment_is_not_looked_for_elsewhere() -> None:
    secrets = Secrets()
    secrets.read('execve("/bin/x", ["x"], ["XAUTHORITY=/run/user/0/auth-4711", "APP_TOKEN=SeCrEt/4711"]) = 0\n', 0)
    said = "openat of /run/user/0/auth-4711 fails, SeCrEt/4711 is refused"
    assert secrets.redactor().text(said) == "openat of /run/user/0/auth-4711 fails, <redacted> is refused"


def test_with_follow_findings_lack_what_was_learnt_so_far(tmp_path: Path) -> None:
    path = tmp_path / "x.strace"
    path.write_text(f"{SIGNS['header']}\n{ELSEWHERE}")
    done = tracediag("analyze", "--redact", "--follow", "--exit-zero", "--format", "jsonl", "-", input=path.read_text())
    assert "<redacted>" in done.stdout
    assert "SeCrEt" not in done.stdout + done.stderr
