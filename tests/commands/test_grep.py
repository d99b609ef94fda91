"""`tracediag grep` as a command: what it prints, its context, groups, counts, and how it points at an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import tracediag

EPIPE = Path(__file__).parents[2] / "samples" / "epipe-still-registered" / "bug.strace"


def lines_of(text: str) -> list[str]:
    """Return the places at the start of the lines: "54:" for a match, "53-" for context."""
    return [line.split()[0] for line in text.splitlines()]


def test_a_call_is_printed_whole_with_its_line_pid_and_time() -> None:
    done = tracediag("grep", "errno == EPIPE", EPIPE)
    assert done.returncode == 0
    (line,) = done.stdout.splitlines()
    number, pid, time, call = line.split(None, 3)
    assert (number, pid, time) == ("54:", "19897", "1795418276.135732")
    assert call.startswith("sendto(5<TCP:[")
    assert call.endswith("= -1 EPIPE (Broken pipe) <0.000007>")
    assert done.stderr == f"tracediag: {EPIPE}: 94 lines, 1 match\n"


def test_halves_are_joined() -> None:
    halves = '7 read(3, <unfinished ...>\n8 close(4) = 0\n7 <... read resumed>"x", 1) = 1\n'
    done = tracediag("grep", "bytes == 1", input=halves)
    assert done.stdout == '       1: 7      read(3, "x", 1) = 1\n'


def test_a_call_that_alone_is_a_match_of_several_is_printed_once() -> None:
    reads = '7 1.0 read(3, "x", 1) = 1\n7 2.0 read(3, "y", 1) = 1\n'
    for what in ("sum bytes", "count"):
        shown = tracediag("grep", f"{what} by process [call == read] >= 1 within 1ms", input=reads).stdout
        assert lines_of(shown) == ["pid", "1:", "pid", "2:"]


def test_context_by_lines_and_by_object() -> None:
    by_lines = tracediag("grep", "errno == EPIPE", "-C", 2, EPIPE).stdout
    assert lines_of(by_lines) == ["52-", "53-", "54:", "55-", "56-"]
    by_object = tracediag("grep", "errno == EPIPE", "-C", 3, "--around", EPIPE).stdout
    assert lines_of(by_object) == ["50-", "52-", "53-", "54:"]
    assert all("5<TCP:" in line for line in by_object.splitlines())


def test_a_line_between_two_matches_is_printed_once() -> None:
    done = tracediag("grep", "line in (52, 54, 80)", "-C", 1, EPIPE)
    assert lines_of(done.stdout) == ["51-", "52:", "53-", "54:", "55-", "--", "79-", "80:", "81-"]


def test_count_prints_the_number_alone() -> None:
    assert tracediag("grep", "failed", "--count", EPIPE).stdout == "2\n"
    assert tracediag("grep", "errno == EXDEV", "-c", EPIPE).stdout == "0\n"


def test_by_groups_the_calls() -> None:
    done = tracediag("grep", "call in %file", "--by", "errno", EPIPE)
    head, *rows = done.stdout.splitlines()
    assert head.split() == ["CALLS", "TIME", "FIRST", "ERRNO"]
    assert [(row.split()[0], row.split()[-1]) for row in rows] == [("5", "(none)"), ("1", "ENOENT")]
    by_argument = json.loads(tracediag("grep", "call == openat", "--by", 'arg("flags")', "--format=json", EPIPE).stdout)
    assert by_argument["schema"] == "tracediag-groups/1"
    assert [group["value"] for group in by_argument["groups"]] == ["O_CLOEXEC|O_RDONLY"]


def test_by_a_name_of_the_model() -> None:
    done = json.loads(tracediag("grep", "call in %send", "--by", "fd.peer.port", "--format", "json", EPIPE).stdout)
    assert {group["value"]: group["calls"] for group in done["groups"]} == {"59198": 2, "40743": 1}


def test_why_says_which_part_matched_what() -> None:
    done = tracediag("grep", "errno == ENOSYS or fd.peer.port > 1024 and errno == EPIPE", "--why", EPIPE)
    reasons = [line.strip() for line in done.stdout.splitlines()[1:]]
    assert reasons == ["└─ fd.peer.port > 1024: 59198", "└─ errno == EPIPE: EPIPE"]


def test_a_sequence_names_its_object() -> None:
    query = "sequence by description [call in %send and errno == EPIPE] [call in %wait and reports it]"
    done = tracediag("grep", query, EPIPE)
    first, *calls = done.stdout.splitlines()
    assert first == "fd 5 = TCP 127.0.0.1:40743 <- 127.0.0.1:59198"
    assert lines_of("\n".join(calls)) == ["54:", "55:"]


def test_limit_stops() -> None:
    assert lines_of(tracediag("grep", "line > 0", "-n", 2, EPIPE).stdout) == ["1:", "2:"]
    groups = tracediag("grep", "line > 0", "-n", 2, "--by", "call", EPIPE).stdout.splitlines()
    assert len(groups) == 4
    assert groups[-1].endswith("more values; -n 0 shows all")


def test_a_wrong_query_is_pointed_at() -> None:
    done = tracediag("grep", "call == openat and errno == ENOEND", EPIPE)
    assert done.returncode == 2
    assert not done.stdout
    query, message = done.stderr.splitlines()
    assert query.index("ENOEND") == message.index("^")
    assert message.endswith("^ no error is named ENOEND; did you mean ENOENT?")


@pytest.mark.parametrize(
    "arguments", [(), ("failed", "--around"), ("failed", "--by", "nothing"), ("x", "-c", "--by", "y")]
)
def test_wrong_usage_is_2(arguments: tuple[str, ...]) -> None:
    done = tracediag("grep", *arguments, EPIPE) if arguments else tracediag("grep")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_names_lists_all_that_a_query_reads() -> None:
    done = tracediag("grep", "--names")
    assert done.returncode == 0
    for word in ("fd.peer.port", "%network", "description", 'arg("name")'):
        assert any(line.startswith(word) for line in done.stdout.splitlines())


def test_several_traces_are_titled_and_one_that_cannot_be_read_is_3(tmp_path: Path) -> None:
    copy = tmp_path / "copy.strace"
    copy.write_bytes(EPIPE.read_bytes())
    done = tracediag("grep", "errno == EPIPE", EPIPE, "/nonexistent", copy)
    assert done.returncode == 3
    assert done.stdout.splitlines()[::2] == [str(EPIPE), str(copy)]


def test_a_copy_in_another_format(tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    done = tracediag("grep", "failed", "-o", f"json:{path}", EPIPE)
    assert lines_of(done.stdout) == ["4:", "54:"]
    document = json.loads(path.read_text())
    assert [match["calls"][0]["line"] for match in document["matches"]] == [4, 54]
    assert document["source"]["lines"] == 94


def test_hostile_bytes_are_made_visible() -> None:
    done = tracediag("grep", "line > 0", input='1 write(1, "\x1b[31m\u202e", 5) = 5\n')
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
