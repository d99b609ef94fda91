"""Stacks in reports: which frames are the program's own, and the line of code in each format."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from tracediag import analyze
from tracediag.report import as_document, formatter
from tracediag.report.stacks import place_of, stack_of
from tracediag.results.stacks import own_frames
from tracediag.trace.stacks import Frame

LIBC = Frame("/usr/lib/x86_64-linux-gnu/libc.so.6", "__write", 0x4F, 0xF838F)
CURL = Frame("/usr/lib/x86_64-linux-gnu/libcurl.so.4", "curl_easy_perform", 0x1A, 0x90)
MAIN = Frame("/srv/net", "main", 0x5E, 0x1397, "net.c", 88)
FLUSH = Frame("/srv/net", "flush", 0x2A, 0x1274, "src/net.c", 41)
START = Frame("/srv/net", "_start", 0x21, 0x1000)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Make a repository the working directory."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "build").mkdir()
    (tmp_path / "src").mkdir()
    (tmp_path / "src/net.c").touch()
    (tmp_path / "net.c").touch()
    monkeypatch.chdir(tmp_path / "build")
    return tmp_path


@pytest.fixture
def report():
    found = analyze(
        ["close(9) = -1 EBADF (Bad file descriptor)", *['write(9, "x", 1) = -1 EBADF (Bad file descriptor)'] * 40]
    )
    assert found.findings
    return msgspec.structs.replace(found, input=msgspec.structs.replace(found.input, path="t.strace"))


def with_stack(report, *stack):
    (first, *others) = report.findings
    steps = tuple(msgspec.structs.replace(step, stack=stack if step.primary else ()) for step in first.steps)
    changed = msgspec.structs.replace(first, steps=steps)
    assert changed.fingerprint == first.fingerprint
    return msgspec.structs.replace(report, findings=(changed, *others))


def rendered(report, name):
    form = formatter(name)
    document = as_document(form)
    return "".join(form.report(report) if document is None else document.document([report]))


@pytest.mark.parametrize(
    "module",
    ["[vdso]", "/lib/ld-2.31.so", "/lib64/ld-linux-x86-64.so.2", "/lib/libpthread-2.31.so", "/usr/lib/libc.so.6",
     "/opt/gcc/libstdc++.so.6.0.30", "/lib/ld-musl-x86_64.so.1"],
)  # fmt: skip
def test_the_c_library_and_its_like_are_no_frames_of_the_program(module):
    assert own_frames((Frame(module, "f"), MAIN, START)) == (MAIN,)


@pytest.mark.parametrize("module", ["/usr/lib/git-core/git", "/srv/lib/libown.so", "/srv/libc", "/usr/lib/x/plugin"])
def test_programs_and_libraries_elsewhere_are_the_programs_own(module):
    own = Frame(module, "f")
    assert own_frames((LIBC, CURL, own)) == (own,)


@pytest.mark.parametrize(
    "name",
    ["__libc_write", "_IO_new_file_write", "runtime.goexit", "internal/poll.(*FD).Write", "std::rt::lang_start",
     "<std::fs::File as std::io::Write>::write", "<&std::fs::File as std::io::Write>::write",
     "void std::__invoke<int>()"],
)  # fmt: skip
def test_low_functions_that_are_linked_statically_are_left_out(name):
    low = Frame(MAIN.module, name)
    assert own_frames((low, MAIN, START)) == (MAIN,)
    assert own_frames((low, LIBC)) == (low,)


@pytest.mark.parametrize(
    "source",
    ["/usr/include/c++/12/thread", "/usr/lib/go-1.19/src/os/file.go", "/rustc/90b35a6/library/std/src/fs.rs",
     "/srv/.rustup/lib/rustlib/src/rust/library/std/src/fs.rs"],
)  # fmt: skip
def test_functions_from_the_source_of_a_language_are_left_out(source):
    low = Frame(MAIN.module, "os.(*File).Write", 1, 1, source, 7)
    assert own_frames((low, MAIN, START)) == (MAIN,)


def test_without_a_frame_of_its_own_those_of_other_libraries_are_shown():
    assert own_frames((LIBC, CURL)) == (CURL,)


def test_a_step_shows_few_frames_and_counts_the_others():
    assert (
        stack_of((LIBC, FLUSH, *[MAIN] * 4, START))
        == "flush+0x2a (net.c:41) < main+0x5e (net.c:88) < main+0x5e (net.c:88) < 2 more"
    )
    assert stack_of((LIBC, Frame("/srv/net", "", None, 0x1397))) == "net [0x1397]"
    assert stack_of((LIBC,)) == ""


def test_each_format_leads_to_the_line_of_code(place, report):
    source = msgspec.structs.replace(FLUSH, source=str(place / "src/net.c"))
    found = with_stack(report, LIBC, source, MAIN)
    line = found.findings[0].primary.line
    full = rendered(found, "full")
    assert "at flush+0x2a (src/net.c:41) < main+0x5e (net.c:88)\n" in full
    assert "at flush+0x2a (src/net.c:41)" in rendered(found, "markdown")
    assert f"| src/net.c:41 (t.strace:{line}) |" in rendered(found, "markdown")
    assert "at flush+0x2a (src/net.c:41)" in rendered(found, "junit")
    assert rendered(found, "concise") == rendered(report, "concise")
    annotation = rendered(found, "github").splitlines()[0]
    assert re.match("::(?:error|warning) file=src/net.c,line=41,", annotation)
    assert annotation.endswith(f"%0Atrace: t.strace:{line}")
    (entry, *_) = json.loads(rendered(found, "gitlab"))
    assert entry["location"] == {"path": "src/net.c", "lines": {"begin": 41}}
    assert f"Trace: t.strace:{line}." in entry["description"]
    result = json.loads(rendered(found, "sarif"))["runs"][0]["results"][0]
    (primary,), related = result["locations"], result["relatedLocations"]
    assert primary["physicalLocation"] == {"artifactLocation": {"uri": "src/net.c"}, "region": {"startLine": 41}}
    assert related[0]["physicalLocation"]["region"]["startLine"] == line
    assert [each["id"] for each in related] == list(range(1, len(related) + 1))
    step = next(each for each in json.loads(rendered(found, "json"))["findings"][0]["steps"] if each["primary"])
    assert step["stack"][1] == {
        "module": "/srv/net", "symbol": "flush", "offset": 0x2A, "address": 0x1274,
        "source": str(place / "src/net.c"), "line": 41,
    }  # fmt: skip


@pytest.mark.usefixtures("place")
def test_frames_stand_in_the_flow_of_sarif(report):
    found = with_stack(report, LIBC, FLUSH, CURL)
    locations = json.loads(rendered(found, "sarif"))["runs"][0]["results"][0]["codeFlows"][0]["threadFlows"][0][
        "locations"
    ]
    (stack,) = [each["stack"] for each in locations if "stack" in each]
    assert stack == {
        "frames": [
            {
                "location": {
                    "physicalLocation": {"artifactLocation": {"uri": "src/net.c"}, "region": {"startLine": 41}},
                    "logicalLocations": [{"name": "flush", "kind": "function"}],
                },
                "module": "/srv/net",
            }
        ]
    }


def test_a_source_outside_of_the_repository_is_no_place(place, report):
    for source in ("/elsewhere/net.c", "gone.c", "../../net.c", f"{place}-other/net.c"):
        found = with_stack(report, msgspec.structs.replace(FLUSH, source=source))
        assert place_of(found.findings[0]) is None
        assert rendered(found, "github") == rendered(report, "github")
        assert f"at flush+0x2a ({Path(source).name}:41)" in rendered(found, "full")
    next_frame = with_stack(report, msgspec.structs.replace(FLUSH, source="/elsewhere/net.c"), MAIN)
    assert place_of(next_frame.findings[0]).path == "net.c"


def test_without_a_working_directory_no_source_is_below_it(tmp_path, monkeypatch, report):
    monkeypatch.chdir(tmp_path)
    found = with_stack(report, msgspec.structs.replace(FLUSH, source=f"{tmp_path}/net.c"))
    assert place_of(found.findings[0]).path == "net.c"
    tmp_path.rmdir()
    assert place_of(found.findings[0]) is None


def test_what_stands_in_a_frame_is_made_visible(report):
    hostile = Frame("/srv/\x1b[2J", "f\x1b[31m\n::error::x", 1, 1, f"{Path.cwd()}/a\nb]]>.c", 3)
    for name in ("full", "markdown", "junit", "github", "gitlab", "sarif"):
        text = rendered(with_stack(report, hostile), name)
        assert "\x1b" not in text
        assert "\n::error::x" not in text
