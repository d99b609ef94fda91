"""`--symbols` on real programs: the line of each call, or in one sentence why there is none."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from command_line import needs_strace, tracediag

pytestmark = [
    needs_strace,
    pytest.mark.skipif(shutil.which("gcc") is None or shutil.which("addr2line") is None, reason="needs gcc, binutils"),
]
SOURCE = """\
#include <stdlib.h>
#include <unistd.h>
static inline __attribute__((always_inline)) void lost(int fd) {
    write(fd, "x", 1);  /* inlined */
}
static __attribute__((noinline)) void busy(int fd) {
    for (int k = 0; k < 20; k++)
        lost(fd);
    volatile int *nowhere = 0;
    *nowhere = 1;  /* crash */
}
int main(void) {
    close(9);
    busy(9);
    abort();
}
"""


def line_of(words):
    return next(number for number, line in enumerate(SOURCE.splitlines(), 1) if words in line)


def built(folder, *options):
    (folder / "net.c").write_text(SOURCE, encoding="utf-8")
    subprocess.run(["gcc", "-O1", *options, "-o", "net", "net.c"], cwd=folder, check=True, capture_output=True)
    return folder


def recorded(folder):
    """Record the program as a kept trace; return where it is."""
    done = subprocess.run(
        ["strace", "-f", "-k", "-ttt", "-e", "trace=write,close", "-o", "net.strace", "./net"],
        cwd=folder, env={"PATH": os.environ["PATH"]}, capture_output=True, check=False,
    )  # fmt: skip
    assert "(busy+0x" in (folder / "net.strace").read_text(encoding="utf-8"), done.stderr
    return folder / "net.strace"


@pytest.fixture(scope="module")
def pie(tmp_path_factory):
    folder = built(tmp_path_factory.mktemp("pie"), "-g", "-pie", "-fPIE")
    recorded(folder)
    return folder


def copied(pie, folder):
    """Copy program and trace, as if both had been made in another folder; return the trace."""
    shutil.copy2(pie / "net", folder)
    trace = folder / "net.strace"
    trace.write_text(
        (pie / "net.strace").read_text(encoding="utf-8").replace(f"{pie}/", f"{folder}/"), encoding="utf-8"
    )
    return trace


def shown(folder, *options, **variables):
    done = tracediag("analyze", "net.strace", "--symbols", "--exit-zero", *options, cwd=folder, env=variables)
    assert done.returncode == 0, done.stderr
    return done


def lines_of(text):
    return set(re.findall(r"(\w+)(?:\+0x[0-9a-f]+)? \((net\.c:\d+)\)", text))


TRUTH = {
    ("lost", f"net.c:{line_of('inlined')}"),
    ("busy", f"net.c:{line_of('lost(fd);')}"),
    ("busy", f"net.c:{line_of('crash')}"),
    ("main", f"net.c:{line_of('busy(9)')}"),
}


def test_the_lines_of_a_program_that_is_loaded_anywhere(pie):
    assert lines_of(shown(pie).stdout) == TRUTH


def test_the_lines_of_a_program_at_a_fixed_address(tmp_path):
    recorded(built(tmp_path, "-g", "-no-pie"))
    assert lines_of(shown(tmp_path).stdout) >= TRUTH


@pytest.mark.skipif(shutil.which("eu-addr2line") is None, reason="needs elfutils")
def test_eu_addr2line_finds_the_same(pie, tmp_path):
    (tmp_path / "eu-addr2line").symlink_to(shutil.which("eu-addr2line"))
    assert lines_of(shown(pie, PATH=str(tmp_path)).stdout) == lines_of(shown(pie).stdout)


def test_without_a_tool_that_is_said_once(pie, tmp_path):
    done = shown(pie, PATH=str(tmp_path))
    assert not lines_of(done.stdout)
    assert done.stderr.count("neither addr2line nor eu-addr2line is installed") == 1


def test_a_program_without_debug_information(tmp_path):
    recorded(built(tmp_path))
    done = shown(tmp_path)
    assert "at busy+0x" in done.stdout
    assert done.stderr.count(f"--symbols: {tmp_path}/net has no debug information: build it with -g\n") == 1


def test_a_program_that_was_built_again_is_not_asked(pie, tmp_path):
    trace = copied(pie, tmp_path)
    later = trace.stat().st_mtime + 60
    os.utime(tmp_path / "net", (later, later))
    done = shown(tmp_path)
    assert not lines_of(done.stdout)
    assert f"{tmp_path}/net has changed since it was traced" in done.stderr


def test_a_program_that_was_built_from_another_source_is_not_asked(pie, tmp_path):
    trace = copied(pie, tmp_path)
    assert lines_of(shown(tmp_path).stdout)
    earlier = trace.stat().st_mtime - 60
    with (tmp_path / "net.c").open("w", encoding="utf-8") as source:
        source.write("#include <unistd.h>\nint more(int k) { return close(k) + getpid(); }\n" + SOURCE)
    subprocess.run(["gcc", "-O1", "-g", "-o", "net", "net.c"], cwd=tmp_path, check=True, capture_output=True)
    os.utime(tmp_path / "net", (earlier, earlier))
    done = shown(tmp_path)
    assert not lines_of(done.stdout)
    assert "is not the file that was traced: its functions are others, or elsewhere" in done.stderr


def test_a_program_whose_debug_information_is_beside_it(tmp_path):
    built(tmp_path, "-g")
    for command in (
        ["objcopy", "--only-keep-debug", "net", "net.debug"],
        ["strip", "--strip-all", "net"],
        ["objcopy", "--add-gnu-debuglink=net.debug", "net"],
    ):
        subprocess.run(command, cwd=tmp_path, check=True)
    subprocess.run(
        ["strace", "-k", "-ttt", "-o", "net.strace", "./net"], cwd=tmp_path, check=False, capture_output=True
    )
    assert lines_of(shown(tmp_path).stdout) >= {("lost", f"net.c:{line_of('inlined')}")}


def test_a_program_with_other_functions_is_not_the_one_that_was_traced(pie, tmp_path):
    trace = copied(pie, tmp_path)
    text = trace.read_text(encoding="utf-8")
    trace.write_text(text.replace("(busy+", "(lazy+").replace("(main+", "(niam+"), encoding="utf-8")
    done = shown(tmp_path)
    assert not lines_of(done.stdout)
    assert "is not the file that was traced: its functions are others" in done.stderr


def test_a_file_with_absurd_headers_is_told(tmp_path):
    program = bytearray(Path("/proc/self/exe").resolve().read_bytes()[:4096])
    program[32:48] = b"\xff" * 16  # where the tables of segments and sections are
    (tmp_path / "net").write_bytes(program)
    frame = f" > {tmp_path}/net(main+0x1) [0x1]\n"
    text = f"close(9) = 0\n{frame}close(9) = -1 EBADF (Bad file descriptor)\n{frame}"
    (tmp_path / "net.strace").write_text(text, encoding="utf-8")
    assert f"--symbols: {tmp_path}/net " in shown(tmp_path).stderr


@pytest.mark.parametrize("kind", ["fifo", "folder", "text", "gone", "device"])
def test_a_module_that_is_no_program_is_not_waited_for(tmp_path, kind):
    module = tmp_path / "net"
    made = {"fifo": lambda: os.mkfifo(module), "folder": module.mkdir, "text": lambda: module.write_text("x")}
    made.get(kind, lambda: None)()
    module = Path("/dev/zero") if kind == "device" else module
    frame = f" > {module}(main+0x1) [0x1]\n"
    (tmp_path / "net.strace").write_text(
        "".join(f"{call}\n{frame}" for call in ("close(9) = 0", "close(9) = -1 EBADF (Bad file descriptor)")),
        encoding="utf-8",
    )
    done = shown(tmp_path)
    assert "at main+0x1" in done.stdout
    assert f"--symbols: {module} " in done.stderr


def test_a_trace_without_stacks_is_told_once(tmp_path):
    text = "close(9) = 0\nclose(9) = -1 EBADF (Bad file descriptor)\n"
    for name in ("net.strace", "other.strace"):
        (tmp_path / name).write_text(text, encoding="utf-8")
    said = shown(tmp_path, "other.strace").stderr
    assert said.count("--symbols: ") == 1
    assert "no step in net.strace has a stack: record with strace -k, or tracediag run -k" in said


def test_run_records_stacks_and_every_format_leads_to_the_line(tmp_path):
    built(tmp_path, "-g")
    done = tracediag(
        "run",
        "-k",
        "--symbols",
        "--exit-zero",
        "-o",
        "github:g",
        "-o",
        "sarif:s",
        "-o",
        "jsonl:l",
        "--",
        "./net",
        cwd=tmp_path,
    )
    assert lines_of(done.stdout) >= TRUTH
    assert f"file=net.c,line={line_of('crash')}," in (tmp_path / "g").read_text(encoding="utf-8")
    results = json.loads((tmp_path / "s").read_text(encoding="utf-8"))["runs"][0]["results"]
    places = [each["locations"][0]["physicalLocation"] for each in results]
    assert {"artifactLocation": {"uri": "net.c"}, "region": {"startLine": line_of("crash")}} in places
    assert '"source": "' in (tmp_path / "l").read_text(encoding="utf-8")


def test_run_with_symbols_needs_stacks(tmp_path):
    done = tracediag("run", "--symbols", "--", "true", cwd=tmp_path)
    assert done.returncode == 2
    assert "tracediag run -k --symbols" in done.stderr


def test_findings_that_are_written_as_they_come_have_their_lines(pie):
    text = (pie / "net.strace").read_text(encoding="utf-8")
    done = tracediag("analyze", "--symbols", "--exit-zero", "--redact", input=text, cwd=pie)
    assert lines_of(done.stdout) >= TRUTH
