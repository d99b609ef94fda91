"""`--redact` on real programs: nothing that they were told in confidence reaches the report or the kept trace."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from command_line import needs_strace, tracediag

from tracediag import analyze

pytestmark = needs_strace

REDIS = """
import socket, threading
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
peer, _ = server.accept()
client.sendall(b"*2\\r\\n$4\\r\\nAUTH\\r\\n$9\\r\\n" + b"SeCrE" + b"t123\\r\\n")
peer.recv(100)
open("/nowhere/password=" + "SeCrE" + "t123")
"""

TRACE = """\
openat(AT_FDCWD, "/x?token=SeCrEt123", O_RDONLY) = -1 ENOENT (No such file or directory)
write(2, "x: /x?token=SeCrEt123: No such file or directory\\n", 49) = 49
exit_group(1)                           = ?
+++ exited with 1 +++
"""


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Set-Cookie", "session=SeCrEt123")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/x?api_key=SeCrEt123"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize(
    "options", [("-H", "Authorization: Bearer SeCrEt123"), ("-u", "joe:SeCrEt123"), ("-b", "id=SeCrEt123")]
)
def test_curl(tmp_path: Path, address: str, options: tuple[str, ...]) -> None:
    kept = tmp_path / "kept.strace"
    ended = tracediag("run", "--redact", "--keep", kept, "--format", "json", "--", "curl", "-s", *options, address)
    text = kept.read_text()
    assert ended.stdout
    for output in (text, ended.stdout, ended.stderr):
        assert "SeCrEt" not in output
        assert "am9lOlNlQ3JFdDEyMw" not in output  # joe:SeCrEt123 in base64
    assert "GET /x?api_key=" in text
    report = json.loads(ended.stdout)
    assert sum(report["redacted"].values()) >= 1
    again = analyze(kept)
    assert again.input.not_understood == 0
    assert [(each.name, each.primary.line) for each in again.findings] == [
        (each["name"], next(step["line"] for step in each["steps"] if step["primary"])) for each in report["findings"]
    ]


def test_a_login_on_a_socket_and_a_path(tmp_path: Path) -> None:
    kept = tmp_path / "kept.strace"
    ended = tracediag("run", "--redact", "--keep", kept, "--", sys.executable, "-EsS", "-c", REDIS)
    assert "SeCrEt" not in kept.read_text() + ended.stdout
    assert "AUTH" in kept.read_text()
    assert "redacted: " in ended.stdout


def test_without_it_the_trace_is_the_recording(tmp_path: Path) -> None:
    kept = tmp_path / "kept.strace"
    ended = tracediag("run", "--keep", kept, "--", "/bin/echo", "token=SeCrEt123")
    assert "token=SeCrEt123" in kept.read_text()
    assert "redacted" not in ended.stdout


def test_a_live_report_is_redacted() -> None:
    for form in ("full", "jsonl", "sarif"):
        ended = tracediag("analyze", "--redact", "--format", form, "-", input=TRACE)
        assert "<redacted>" in ended.stdout
        assert "SeCrEt" not in ended.stdout + ended.stderr


def test_a_line_that_is_not_understood_is_told_without_it() -> None:
    ended = tracediag("analyze", "--redact", "--strict", "-", input=TRACE + "what? password=SeCrEt123\n")
    assert ended.returncode == 3
    assert "password=<redacted>" in ended.stderr
    assert "SeCrEt" not in ended.stderr


def test_a_wrong_place_is_told_before_the_recording(tmp_path: Path) -> None:
    ended = tracediag("run", "--redact", "--keep", tmp_path / "no" / "kept", "--", "/bin/echo", "ran")
    assert ended.returncode == 2
    assert "ran" not in ended.stdout


def test_the_demo_keeps_a_redacted_trace_and_has_every_format(tmp_path: Path) -> None:
    kept = tmp_path / "kept.strace"
    ended = tracediag(
        "demo", "--redact", "--keep", kept, "--format", "jsonl", "double-close", env={"A_TOKEN": "SeCrEt123"}
    )
    assert ended.returncode == 0, ended.stderr
    last = json.loads(ended.stdout.splitlines()[-1])
    assert last["report"]["redacted"] is not None
    assert "double-close" in [each.name for each in analyze(kept).findings]
