"""The files of a trace: on recordings of real programs, and against what the machine itself says."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from tracediag.overviews.files.listing import list_files
from tracediag.overviews.files.rows import MOST_FILES
from tracediag.overviews.files.selection import select_files
from tracediag.report.base import Look
from tracediag.report.document import dump
from tracediag.report.files import SCHEMA, document, picture

SAMPLES = Path(__file__).parents[2] / "samples"
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")


def files_of(*parts):
    found = list_files(str(SAMPLES.joinpath(*parts)))
    return found, {use.path: use for use in found.files}


def of_lines(*lines):
    found = list_files([f"{line}\n" for line in lines])
    return found, {use.path: use for use in found.files}


@pytest.mark.parametrize(
    ("sample", "root"), [("bug.f.strace", ""), ("bug.strace", "/srv/tracediag/replace-without-fsync/")]
)
def test_a_rename_hands_over_what_was_written(sample, root):
    _, uses = files_of("replace-without-fsync", sample)
    new, old = uses[f"{root}state.conf"], uses[f"{root}state.conf.tmp"]
    assert (new.group, new.renamed_from, new.bytes_written) == ("written", old.path, 60)
    assert (old.group, old.renamed_to) == ("temporary", new.path)
    assert "replaced" in new.uses


def test_a_search_is_one_thing_with_the_number_of_places():
    found, uses = files_of("shared-library-missing", "bug-plugin.strace")
    search = next(search for search in found.searches if search.name == "libreport.so.3")
    assert (search.found, search.tried, search.times) == (None, 36, 1)
    assert search.candidates[0] == "/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v4/libreport.so.3"
    assert all(uses[path].group == "not found" for path in search.candidates)
    text = picture(found, Look())
    assert text.count("libreport.so.3") == 1
    assert "glibc-hwcaps/x86-64-v4/libreport.so.3" in picture(found, Look(), complete=True)


def test_a_search_names_the_place_that_won():
    found, uses = of_lines(
        'openat(AT_FDCWD, "/home/u/.app.conf", O_RDONLY) = -1 ENOENT (No such file or directory)',
        'openat(AT_FDCWD, "/opt/app.conf", O_RDONLY) = -1 ENOENT (No such file or directory)',
        'access("/usr/local/etc/app.conf", R_OK) = -1 ENOENT (No such file or directory)',
        'openat(AT_FDCWD, "/etc/app.conf", O_RDONLY) = 3',
        'read(3, "x", 4096) = 1',
    )
    (search,) = found.searches
    assert (search.found, search.tried) == ("/etc/app.conf", 3)
    assert uses["/etc/app.conf"].bytes_read == 1
    assert uses["/home/u/.app.conf"].group == "not found"
    assert "/etc/app.conf   3rd candidate" in picture(found, Look())


def test_relative_paths_start_from_the_working_directory():
    _, uses = of_lines(
        'chdir("/srv/app") = 0',
        'openat(AT_FDCWD, "a.txt", O_RDONLY) = 3',
        'openat(AT_FDCWD, "../b/./c.txt", O_RDONLY) = -1 EACCES (Permission denied)',
        'openat(AT_FDCWD, "sub", O_RDONLY|O_DIRECTORY) = 4',
        'openat(4, "d.txt", O_WRONLY|O_CREAT|O_EXCL, 0600) = 5',
        'write(5, "hello", 5) = 5',
    )
    assert uses["/srv/app/a.txt"].group == "read"
    assert uses["/srv/app/sub/d.txt"].uses == ("created", "written")
    assert uses["/srv/app/sub/d.txt"].bytes_written == 5
    (refused,) = (use for use in uses.values() if use.group == "refused")
    assert refused.errors == {"EACCES": 1}
    assert refused.path.startswith("/srv/app/..")  # /srv/app may be a symbolic link


def test_unknown_directories_stay_unknown():
    _, uses = of_lines('openat(AT_FDCWD, "./x", O_RDONLY) = 3', 'openat(7, "y", O_RDONLY) = 4')
    assert set(uses) == {"./x", "y"}


def test_whether_a_file_was_created_is_only_said_where_it_is_seen():
    _, uses = of_lines(
        'openat(AT_FDCWD, "/a", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3',
        'stat("/b", {st_mode=S_IFREG|0644, st_size=1, ...}) = 0',
        'openat(AT_FDCWD, "/b", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 4',
        'stat("/c", 0x7ffd) = -1 ENOENT (No such file or directory)',
        'openat(AT_FDCWD, "/c", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 5',
        'unlink("/c") = 0',
    )
    assert uses["/a"].uses == ("created or replaced",)
    assert uses["/b"].uses == ("replaced",)
    assert (uses["/c"].uses, uses["/c"].group) == (("created", "deleted"), "temporary")


def test_a_crowd_of_headers_is_one_row():
    lines = [f'openat(AT_FDCWD, "/usr/include/h{number}.h", O_RDONLY) = 3' for number in range(2000)]
    found, _ = of_lines(*lines, 'openat(AT_FDCWD, "/srv/app/main.c", O_RDONLY) = 3')
    assert len(found.files) == 2001
    text = picture(found, Look())
    assert "/usr/include/   2,000 paths: h0.h, …" in text
    assert len(text.splitlines()) < 8
    assert text.index("main.c") < text.index("/usr/include/")
    assert len(picture(found, Look(), complete=True).splitlines()) > 2000


def test_selections():
    found, _ = files_of("replace-without-fsync", "bug.strace")
    written = select_files(found, written=True)
    assert {use.group for use in written.files} == {"written", "temporary"}
    assert not written.searches
    assert {use.path for use in select_files(found, under="/etc/").files} == {"/etc/ld.so.cache", "/etc/ld.so.preload"}
    assert [use.path for use in select_files(found, not_found=True).files] == ["/etc/ld.so.preload"]


def test_paths_beyond_the_bound_are_counted():
    found = list_files(
        f'openat(AT_FDCWD, "/d/{number}", O_RDONLY) = -1 ENOENT (No such file or directory)\n'
        for number in range(MOST_FILES + 5)
    )
    assert len(found.files) == MOST_FILES
    assert found.left_out == 5


@needs_strace
@pytest.mark.parametrize("notes", [(), ("-yy",)])
def test_bytes_and_fates_are_those_of_the_real_files(tmp_path, notes):
    script = "printf hello >a; cat a a >b; mv b c; mkdir d; cp c d/e; rm a; cat missing; cat d/e"
    trace = tmp_path / "trace"
    work = tmp_path / "work"
    work.mkdir()
    done = subprocess.run(
        ["strace", "-f", *notes, "-o", trace, "sh", "-c", f"cd {work}; {script}"], check=False, capture_output=True
    )
    if not trace.exists() or b"hellohello" not in done.stdout:
        pytest.skip("strace cannot trace here")
    uses = {use.path: use for use in list_files(str(trace)).files}
    left = {str(path): path.stat().st_size for path in work.rglob("*") if path.is_file()}
    written = {
        path: use.bytes_written
        for path, use in uses.items()
        if path.startswith(f"{work}/") and use.group == "written" and use.bytes_written and "deleted" not in use.uses
    }
    assert written == left == {f"{work}/c": 10, f"{work}/d/e": 10}
    assert uses[f"{work}/a"].uses == ("created or replaced", "deleted", "written", "read")
    assert (uses[f"{work}/b"].group, uses[f"{work}/b"].renamed_to) == ("temporary", f"{work}/c")
    assert uses[f"{work}/missing"].group == "not found"
    assert uses[f"{work}/d"].uses == ("created",)


def test_devices_are_no_files_that_were_written():
    found, uses = of_lines(
        'openat(AT_FDCWD, "/dev/null", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3',
        'write(3, "x", 1) = 1',
        'openat(AT_FDCWD, "/dev/tty", O_RDWR) = 4',
        'write(4, "password: ", 10) = 10',
        'openat(AT_FDCWD, "/dev/sda", O_WRONLY) = 5',
        'write(5, "x", 1) = 1',
        'openat(AT_FDCWD, "/dev/shm/a", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 6',
        'chmod("/dev/pts/3", 0600) = 0',
        'write(6, "x", 1) = 1',
        'unlink("/dev/log") = 0',
    )
    groups = {path: use.group for path, use in uses.items()}
    assert groups == {
        "/dev/null": "devices",
        "/dev/tty": "devices",
        "/dev/sda": "written",
        "/dev/shm/a": "written",
        "/dev/pts/3": "written",
        "/dev/log": "written",
    }
    assert uses["/dev/null"].uses == ("written",)
    assert "/dev/null" not in {use.path for use in select_files(found, written=True).files}


def test_the_suffixes_of_a_python_package_are_one_search():
    lines = []
    for package in ("json", "email"):
        lines += [
            f'stat("/usr/lib/python3.11/{package}/__init__.{suffix}", 0x1) = -1 ENOENT (No such file or directory)'
            for suffix in ("cpython-311-x86_64-linux-gnu.so", "abi3.so", "so")
        ]
        if package == "json":
            lines.append(f'stat("/usr/lib/python3.11/{package}/__init__.py", {{st_mode=S_IFREG|0644, ...}}) = 0')
    found, _ = of_lines(*lines)
    searches = {search.name: (search.tried, search.found) for search in found.searches}
    assert searches == {
        "json/__init__": (4, "/usr/lib/python3.11/json/__init__.py"),
        "email/__init__": (3, None),
    }


@pytest.mark.parametrize("number", [0, 1, 600])
def test_the_document_in_pieces_is_the_document(number):
    lines = [f'open("/f\\303{count}", O_RDONLY) = -1 ENOENT (No such file or directory)' for count in range(number)]
    found, _ = of_lines(*lines)
    pieces = list(document(found))
    assert "".join(pieces) == dump({"schema": SCHEMA} | msgspec.to_builtins(found))
    assert len(json.loads("".join(pieces))["files"]) == number
    assert max(map(len, pieces)) <= 100_000


def test_notes_tell_what_the_tables_of_descriptors_would():
    """A trace from a file is read by its notes alone, one from a stream by the whole model: every ninth sample."""
    for path in sorted(SAMPLES.rglob("*.strace"))[::9]:
        by_notes = list_files(str(path))
        with path.open(encoding="utf-8", errors="surrogateescape") as lines:
            by_tables = list_files(lines)
        assert (by_notes.files, by_notes.searches) == (by_tables.files, by_tables.searches), path


def test_a_trace_in_which_notes_end_is_read_by_numbers(tmp_path):
    trace = tmp_path / "mixed.strace"
    trace.write_text(
        'openat(AT_FDCWD</srv>, "/srv/a", O_RDONLY) = 3</srv/a>\n'
        "close(3</srv/a>) = 0\n"
        'openat(AT_FDCWD, "/srv/b", O_RDONLY) = 3\n'
        'read(3, "xy", 4096) = 2\n'
        "close(3) = 0\n"
        "+++ exited with 0 +++\n"
    )
    uses = {use.path: use for use in list_files(str(trace)).files}
    assert (uses["/srv/a"].bytes_read, uses["/srv/b"].bytes_read) == (0, 2)


def test_directories_are_listed_and_devices_written_without_notes():
    _, uses = of_lines(
        'openat(AT_FDCWD, "/srv/d", O_RDONLY|O_DIRECTORY) = 3',
        "getdents64(3, 0x55 /* 4 entries */, 32768) = 112",
        'openat(AT_FDCWD, "/dev/null", O_WRONLY) = 4</dev/null<char 1:3>>',
        'write(4</dev/null<char 1:3>>, "x", 1) = 1',
    )
    assert uses["/srv/d"].uses == ("listed",)
    assert (uses["/dev/null"].group, uses["/dev/null"].bytes_written) == ("devices", 1)
