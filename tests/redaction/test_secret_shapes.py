"""What is hidden in a record: each kind of secret, however strace has written it, and nothing else."""

from __future__ import annotations

import re
import re._constants as codes  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]

import pytest

from tracediag import read
from tracediag.redaction import Redactor
from tracediag.redaction.shapes import IN_DATA, SHAPES, may_hold

HIDDEN = {
    "authorization": r'write(3, "GET / HTTP/1.1\r\nAuthorization: Bearer SeCrEt123\r\nHost: x\r\n", 60) = 60',
    "digest": r'write(3, "Proxy-Authorization: Digest username=\"joe\", response=\"SeCrEt123\"\r\n", 60) = 60',
    "cookie": r'read(3, "HTTP/1.1 200 OK\r\nSet-Cookie: id=SeCrEt123; Path=/\r\n\r\n", 60) = 60',
    "api-key-header": r'write(3, "GET / HTTP/1.1\r\nX-Api-Key: SeCrEt123\r\n", 60) = 60',
    "query-string": r'write(3, "GET /x?token=SeCrEt123&y=1 HTTP/1.1\r\n", 60) = 60',
    "json": r'write(3, "{\"password\": \"SeCrEt123\", \"user\": \"joe\"}", 60) = 60',
    "json-words": r'write(3, "{\"password\":\"two \\\"words\\\" SeCrEt123\"}", 60) = 60',
    "quoted": r"write(3, \"password='two words SeCrEt123'\", 60) = 60",
    "option-with-comma": r'execve("/bin/x", ["x", "--password=a,b SeCrEt123"], 0x7ffd /* 3 vars */) = 0',
    "url": r'write(3, "postgres://joe:SeCrEt123@db/x", 60) = 60',
    "url with an at sign": r'write(3, "postgres://joe:x@SeCrEt123@db/x", 60) = 60',
    "cut": r'write(3, "Authorization: Basic SeCrEt123"..., 600) = 600',
    "hexadecimal": r'write(3, "\x70\x61\x73\x73\x77\x6f\x72\x64\x3d\x53\x65\x43\x72\x45\x74\x31\x32\x33\x20", 9) = 9',
    "private-key": r'read(3, "-----BEGIN RSA PRIVATE KEY-----\nSeCrEt123\n-----END RSA PRIVATE KEY-----\n", 99) = 80',
    "private-key-cut": r'read(3, "-----BEGIN PRIVATE KEY-----\nSeCrEt123"..., 4096) = 1704',
    "shadow": r'read(3, "root:$6$salt$SeCrEt123:19000:0:\n", 4096) = 32',
    "redis": r'write(3, "*2\r\n$4\r\nAUTH\r\n$9\r\nSeCrEt123\r\n", 29) = 29',
    "redis-user": r'write(3, "*3\r\n$4\r\nAUTH\r\n$3\r\njoe\r\n$9\r\nSeCrEt123\r\n", 40) = 40',
    "ftp": r'write(3, "PASS SeCrEt123\r\n", 16) = 16',
    "smtp": r'write(3, "AUTH PLAIN SeCrEt123\r\n", 22) = 22',
    "imap": r'write(3, "a1 LOGIN joe SeCrEt123\r\n", 24) = 24',
    "postgresql": r'sendto(3, "p\0\0\0\16SeCrEt123\0", 15, 0, NULL, 0) = 15',
    "sql": r"""sendto(3, "Q\0\0\0\47ALTER USER joe PASSWORD 'SeCrEt123'\0", 40, 0, NULL, 0) = 40""",
    "sql of mysql": r"""sendto(3, "\3CREATE USER joe IDENTIFIED WITH x BY 'SeCrEt123'", 46, 0, NULL, 0) = 46""",
    "environ": r'read(3, "HOME=/root\0DB_PASS=SeCrEt123 x\0", 4096) = 32',
    "environment": r'execve("/bin/x", ["x"], ["PATH=/bin", "PLACE=SeCrEt123"]) = 0',
    "option": r'execve("/bin/x", ["x", "--password", "SeCrEt123"], 0x7ffd /* 3 vars */) = 0',
    "option-with-value": r'execve("/bin/x", ["x", "--api-key=SeCrEt123"], 0x7ffd /* 3 vars */) = 0',
    "curl": r'execve("/bin/curl", ["curl", "-u", "joe:SeCrEt123"], 0x7ffd /* 3 vars */) = 0',
    "mysql": r'execve("/bin/mysql", ["mysql", "-pSeCrEt123", "db"], 0x7ffd /* 3 vars */) = 0',
    "redis-cli": r'execve("/bin/redis-cli", ["redis-cli", "-a", "SeCrEt123"], 0x7ffd /* 3 vars */) = 0',
    "shell": r'execve("/bin/sh", ["sh", "-c", "curl -u joe:SeCrEt123 x"], 0x7ffd /* 3 vars */) = 0',
}
SHOWN = [
    r'write(2, "Password: ", 10)               = 10',
    r'openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3',
    r'read(3, "passwd:         files systemd\n", 4096) = 31',
    r'write(2, "cat: /etc/passwd: No such file or directory\n", 44) = 44',
    r'bpf(BPF_PROG_LOAD, {prog_type=1, prog_token_fd=0, license="GPL"}, 144) = 3',
    r'execve("/bin/chown", ["chown", "-u", "joe"], ["PATH=/bin", "HOME=/root", "LC_ALL=C"]) = 0',
    r'execve("/bin/x", ["x", "-p", "8080"], 0x7ffd /* 3 vars */) = 0',
    r'getcwd("/srv/tokens", 4096)              = 12',
]
TOKENS = [
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "github_pat_11ABCDEFG0_abc",
    "glpat-aBcDeF012345",
]
TOKENS += ["xoxb-123456789012-abc", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_1", "eyJhbGciOiJIUzI1NiJ9.eyJz"]


@pytest.mark.parametrize("record", HIDDEN.values(), ids=HIDDEN)
def test_each_kind_of_secret_is_hidden_and_the_record_stays_one(record: str) -> None:
    redactor = Redactor(keep_length=True)
    hidden = redactor.line(record)
    assert "SeCrEt123" not in hidden
    assert "\\x53\\x65" not in hidden
    assert redactor.counts.total() >= 1
    (before,), (after,) = read([record + "\n"]), read([hidden + "\n"])
    assert (after.name, after.result, len(after.args)) == (before.name, before.result, len(before.args))
    assert Redactor().line(hidden).count("<redacted>") <= hidden.count("*") + 1


@pytest.mark.parametrize("record", [*HIDDEN.values(), *TOKENS])
def test_the_fast_answer_misses_none(record: str) -> None:
    assert may_hold(record)


@pytest.mark.parametrize("record", SHOWN)
def test_what_is_no_secret_stays(record: str) -> None:
    assert Redactor().line(record) == record


@pytest.mark.parametrize("token", TOKENS)
def test_tokens_are_known_anywhere(token: str) -> None:
    assert Redactor().line(f'write(1</tmp/{token}>, "got {token}\\n", 9) = 9') == (
        'write(1</tmp/<redacted>>, "got <redacted>\\n", 9) = 9'
    )


def test_the_length_of_data_stays() -> None:
    before = r'write(3, "token=\"abcdefghijklmn\" x\n", 25) = 25'
    (call,), (same,) = read([before]), read([Redactor(keep_length=True).line(before)])
    assert "abcdef" not in str(same["buf"])
    assert len(str(same["buf"])) == len(str(call["buf"]))


def test_a_secret_that_looks_like_a_number_is_not_sought_elsewhere() -> None:
    redactor = Redactor()
    redactor.line('execve("/bin/x", ["x", "--password", "12345678"], 0x7ffd /* 3 vars */) = 0')
    assert redactor.line("brk(0x55d512345678) = 0x55d512345678") == "brk(0x55d512345678) = 0x55d512345678"


def test_what_an_argument_gave_away_is_hidden_from_then_on() -> None:
    redactor = Redactor()
    redactor.line('execve("/bin/x", ["x", "--password", "Correct.Horse"], 0x7ffd /* 3 vars */) = 0')
    assert redactor.line(r'write(3, "\4Correct.Horse\0", 15) = 15') == r'write(3, "\4<redacted>\0", 15) = 15'


@pytest.mark.parametrize(
    "text", ['Authorization: "' * 20_000, "eyJ." * 50_000, "a://b:" * 50_000, 'token="' * 50_000, "\\" * 99_999]
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    """It ends; a quadratic expression would take hours."""
    for whole in (text, f'write(1, "{text}', f'write(1, "{text}", 5) = 5'):
        Redactor().line(whole)
        Redactor().text(whole)


@pytest.mark.parametrize("pattern", [pattern for _, pattern in (*SHAPES, *IN_DATA)], ids=lambda each: each.pattern[:24])
def test_possessive_loops_are_over_atoms(pattern: re.Pattern[str]) -> None:
    """CPython 3.11.2 compiles others wrongly: gh-106052."""

    def loops(tree: object) -> list[object]:
        inner = (
            [loop for part in tree for loop in loops(part)]
            if isinstance(tree, parser.SubPattern | list | tuple)
            else []
        )
        if isinstance(tree, tuple) and len(tree) == 2 and tree[0] is codes.POSSESSIVE_REPEAT:
            inner.append(tree[1][2])
        return inner

    for body in loops(parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE)):
        assert [
            item[0] in {codes.ATOMIC_GROUP, codes.LITERAL, codes.NOT_LITERAL, codes.IN, codes.ANY} for item in body
        ] == [True]
