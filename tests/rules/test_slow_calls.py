"""slow-call compares a call with the others of its kind, and is silent where the process works meanwhile."""

from pathlib import Path

import pytest

from tracediag.api import analyze

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "slow-call"
DISK = (SAMPLES / "bug-disk.strace").read_text().splitlines(keepends=True)


def found(lines):
    return [finding for finding in analyze(lines).findings if finding.name == "slow-call"]


def test_the_others_of_its_kind_are_told():
    (finding,) = found(DISK)
    assert "in which the process does nothing else; the 5 others take" in finding.steps[0].note


def test_where_all_are_slow_none_is_an_exception():
    slow = [f"{line[: line.rindex('<')]}<2.000000>\n" if " fsync(" in line else line for line in DISK]
    assert found(slow) == []


def test_a_read_of_a_file_has_no_others_to_compare_with():
    """Line 3 of a backup program on a CIFS mount: reads are not counted."""
    (finding,) = found(['open("/mnt/mail.pst", O_RDONLY) = 10 <0.001080>\n', 'read(10, "Z", 8192) = 1 <5.208061>\n'])
    assert finding.steps[0].note == "takes 5.21 s, in which the process does nothing else"


@pytest.mark.parametrize(
    ("call", "said"), [("futex(0x7f00, FUTEX_WAIT_PRIVATE, 0, NULL", 1), ('write(5, "x", 1) = 1', 0)]
)
def test_a_process_that_works_meanwhile_is_not_held_up(call, said):
    """Another thread that waits does no work; the clone, in the trace, makes it a thread of the process."""
    clone = "7 1.0 clone(child_stack=0x7f01, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_THREAD) = 8 <0.1>\n"
    wait = [f"8 1.5 {call} <unfinished ...>\n"] if said else []
    work = [] if said else [f"8 3.0 {call} <0.000001>\n"]
    sync = ["7 2.0 fsync(3</srv/a>  <unfinished ...>\n", *work, "7 6.0 <... fsync resumed>) = 0 <4.000000>\n"]
    start = ['7 0.5 execve("./a", ["./a"], 0x7ffd /* 9 vars */) = 0 <0.1>\n', clone]
    assert len(found([*start, *wait, *sync])) == said


def test_the_time_of_a_fifo_is_that_of_its_peer():
    assert found(['7 1.0 openat(AT_FDCWD, "/srv/queue", O_WRONLY|O_CLOEXEC) = 3 <4.000000>\n']) == []
    (finding,) = found(['7 1.0 openat(AT_FDCWD, "/srv/queue", O_RDONLY|O_CLOEXEC) = 3 <4.000000>\n'])
    assert (str(finding.severity), str(finding.confidence)) == ("note", "possible")


CONNECT = 'connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("192.0.2.1")}, 16'
START = '7 10:00:00.000000 execve("./a", ["./a"], 0x7ffd /* 9 vars */) = 0\n'


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([f"7 10:00:01.000000 {CONNECT}) = 0", "7 10:00:05.500000 close(3) = 0"], "takes at most 4.5 s"),
        ([f"7 10:00:01.000000 {CONNECT}) = 0", "7 10:00:01.100000 brk(NULL) = 0x1", "7 10:00:05.5 close(3) = 0"], None),
        ([f"7 10:00:01.000000 {CONNECT}) = -1 EINPROGRESS (x)", "7 10:00:05.500000 close(3) = 0"], None),
        ([f"7 10:00:01 {CONNECT}) = 0", "7 10:00:02 close(3) = 0"], None),
        ([f"7 10:00:01 {CONNECT}) = 0", "7 10:00:04 close(3) = 0"], "takes at most 2 s"),
        (
            [
                f"7 10:00:01.000000 {CONNECT} <unfinished ...>",
                "8 10:00:02.000000 getpid() = 8",
                "7 10:00:04.100000 <... connect resumed>) = 0",
            ],
            "takes 3.1 s",
        ),
    ],
)
def test_without_durations_the_times_of_the_lines_serve(lines: list[str], said: str | None) -> None:
    clock = START.replace(".000000", "") if ":01 " in lines[0] else START
    findings = found([clock, *(f"{line}\n" for line in lines)])
    assert [said in finding.title for finding in findings] == ([True] if said else [])
