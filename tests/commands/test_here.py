"""`analyze --here` on living hosts: what it shows of paths, listeners, locks and limits, and that it only reads."""

import contextlib
import fcntl
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import needs_strace, tracediag

from tracediag.here.directories import directory_at

pytestmark = needs_strace
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@contextlib.contextmanager
def mounted(folder, options):
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=False, stderr=-3)
    if done.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def facts(tmp_path, *command, wanted, **options):
    """Record a command that fails, look here, and return what is said of the object."""
    trace = tmp_path / "t.strace"
    strace = ["strace", "-f", "-ttt", "-T", "-yy", "-s", "256", "-o", trace]
    subprocess.run([*strace, *command], capture_output=True, check=False, **options)
    done = tracediag("analyze", "--here", "--format", "json", trace)
    assert done.returncode in (0, 1), done.stderr
    looks = json.loads(done.stdout)["here"]["looks"]
    found = [fact for look in looks if look["object"] == str(wanted) for fact in look["facts"]]
    assert found, looks
    return "\n".join(found)


def python(script):
    return (sys.executable, "-c", script)


def test_the_first_component_that_is_missing(tmp_path):
    (tmp_path / "etc").mkdir()
    said = facts(tmp_path, "cat", tmp_path / "etc/App/conf", wanted=tmp_path / "etc/App/conf")
    assert f"{tmp_path}/etc/App does not exist, nor what is below it; {tmp_path}/etc does" in said


def test_a_name_in_another_case(tmp_path):
    (tmp_path / "Config").touch()
    said = facts(tmp_path, "cat", tmp_path / "config", wanted=tmp_path / "config")
    assert f"{tmp_path}/config does not exist; {tmp_path} does; {tmp_path} has Config" in said


def test_a_file_where_a_directory_should_be(tmp_path):
    (tmp_path / "file").touch()
    said = facts(tmp_path, "cat", tmp_path / "file/x", wanted=tmp_path / "file/x")
    assert f"{tmp_path}/file is a regular file, not a directory" in said


def test_links_in_a_circle(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    said = facts(tmp_path, "cat", tmp_path / "a", wanted=tmp_path / "a")
    assert f"{tmp_path}/a leads back to itself: a circle" in said
    assert said.count("symbolic link") == 2


@needs_root
def test_a_directory_that_is_closed_to_the_user():
    place = Path("/tmp/tracediag-closed")  # the folders of pytest are closed to others, too
    subprocess.run(["rm", "-rf", place], check=True)
    (place / "in").mkdir(parents=True)
    (place / "in" / "file").touch()
    (place / "in").chmod(0o700)
    command = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "/bin/cat", place / "in/file")
    try:
        said = facts(place, *command, wanted=place / "in/file")
    finally:
        subprocess.run(["rm", "-rf", place], check=True)
    assert f"{place}/in is mode 0700, owner root, group root: only user root may pass through it" in said


def test_the_process_that_has_the_port(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        script = f"import socket; socket.socket().bind(('127.0.0.1', {port}))"
        said = facts(tmp_path, *python(script), wanted=f"127.0.0.1:{port}")
    assert f"TCP 127.0.0.1:{port} is open in " in said
    assert f"(pid {os.getpid()})" in said


def test_no_process_listens(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    said = facts(
        tmp_path, *python(f"import socket; socket.create_connection(('127.0.0.1', {port}))"), wanted=f"127.0.0.1:{port}"
    )
    assert said.splitlines()[0] == f"no socket listens on port {port}"


def test_a_sysctl_is_read(tmp_path):
    """The kernel refuses to read one by 4 MiB at once, with ENOMEM."""
    script = "import os, socket; os.getuid() or os.setuid(65534); socket.socket().bind(('127.0.0.1', 1))"
    start = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text(encoding="ascii").strip()
    if int(start) < 2:
        pytest.skip("every port may be bound here")
    said = facts(tmp_path, *python(script), wanted="127.0.0.1:1")
    assert said.count(f"net.ipv4.ip_unprivileged_port_start is {start}") == 1
    assert f"is {start}: below it a port needs CAP_NET_BIND_SERVICE" in said


def test_an_address_of_another_host(tmp_path):
    script = "import socket; socket.socket().bind(('203.0.113.7', 8080))"
    said = facts(tmp_path, *python(script), wanted="203.0.113.7:8080")
    assert said.startswith("203.0.113.7 is no address of this host: it has ")


@needs_root
def test_space_and_inodes(tmp_path):
    with mounted(tmp_path / "m", "size=64k") as place:
        said = facts(tmp_path, "dd", "if=/dev/zero", f"of={place}/f", "bs=4k", "count=40", wanted=place / "f")
    assert "free: 0 KiB of 64 KiB; " in said
    assert f"lies on tmpfs tmpfs on {place}, rw" in said


@needs_root
def test_a_mount_that_forbids_to_execute(tmp_path):
    with mounted(tmp_path / "m", "size=1m,noexec") as place:
        (place / "job").write_text("#!/bin/nowhere\n")
        (place / "job").chmod(0o755)
        said = facts(tmp_path, "sh", "-c", f"exec {place}/job", wanted=place / "job")
    assert "noexec forbids to execute a file there" in said
    assert "its first line names '/bin/nowhere', which does not exist" in said


def test_the_process_that_holds_the_lock(tmp_path):
    script = f"import fcntl; fcntl.flock(open('{tmp_path}/lock'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    with open(tmp_path / "lock", "w") as file:  # noqa: PTH123
        fcntl.flock(file, fcntl.LOCK_EX)
        said = facts(tmp_path, *python(script), wanted=tmp_path / "lock")
    assert f"(pid {os.getpid()}) holds a write lock of it (FLOCK)" in said


def test_a_lock_file_of_a_process_that_has_ended(tmp_path):
    with subprocess.Popen(["true"]) as gone:
        pass
    (tmp_path / "app.pid").write_text(f"{gone.pid}\n")
    script = f"import os; os.open('{tmp_path}/app.pid', os.O_CREAT | os.O_EXCL)"
    said = facts(tmp_path, *python(script), wanted=tmp_path / "app.pid")
    assert f"it holds the pid {gone.pid}, which does not run: the file is stale" in said


@pytest.fixture
def missing(tmp_path):
    """A recorded failure."""
    trace = tmp_path / "t.strace"
    subprocess.run(["strace", "-f", "-ttt", "-T", "-yy", "-o", trace, "cat", tmp_path / "none"], check=False, stderr=-3)
    return trace


def test_the_full_report_keeps_it_apart_from_the_evidence(missing):
    plain = tracediag("analyze", missing).stdout
    full = tracediag("analyze", "--here", missing).stdout
    assert full.startswith(plain)
    assert "now, on this host (" in full.removeprefix(plain)
    assert json.loads(tracediag("analyze", "--format", "json", missing).stdout)["here"] is None


def test_it_only_reads(missing, tmp_path):
    log = tmp_path / "log"
    command = ["strace", "-f", "-qq", "-e", "trace=%file,%process,ftruncate", "-o", log, sys.executable, "-B", "-m"]
    subprocess.run([*command, "tracediag", "analyze", "--here", missing], check=False, capture_output=True)
    lines = [line for line in log.read_text(errors="replace").splitlines() if "= -1" not in line]
    assert sum("execve(" in line for line in lines) == 1
    near = [line for line in lines if str(tmp_path) in line or '"/proc' in line]
    assert near
    changing = ("O_WRONLY", "O_RDWR", "O_CREAT", "unlink", "rename", "mkdir", "chmod", "truncate")
    assert [line for line in near if any(word in line for word in changing)] == []


def test_a_relative_path_starts_where_an_earlier_line_shows(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / ".hidden").touch()
    said = facts(tmp_path, "rmdir", "old", wanted=tmp_path / "old", cwd=tmp_path)
    assert "it holds '.hidden'" in said


@needs_root
def test_a_process_that_may_not_be_signalled_is_named(tmp_path):
    tmp_path.chmod(0o755)
    other = f"import os; os.setuid(65534); os.kill({os.getpid()}, 15)"
    said = facts(tmp_path, "/usr/bin/python3", "-c", other, wanted=f"process {os.getpid()}")
    assert f"process {os.getpid()} is " in said
    assert "of user root, state " in said


def test_the_directory_is_not_known_after_a_change(tmp_path):
    trace = tmp_path / "t.strace"
    noted = '7 openat(AT_FDCWD</srv>, "a", O_RDONLY) = 3\n'
    trace.write_text(
        f'{noted}8 openat(AT_FDCWD</tmp>, "a", O_RDONLY) = 3\n7 chdir("b") = 0\n7 rmdir("c") = -1 ENOENT (?)\n'
    )
    assert [directory_at(str(trace), line, 7) for line in (1, 3, 4)] == ["", "/srv", ""]


@pytest.mark.parametrize("options", ["-y", "-f"])
def test_the_holder_of_a_lock_that_a_call_waits_for(tmp_path, options):
    file, trace = tmp_path / "x.lock", tmp_path / "t.strace"
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        command = ["timeout", "-s", "KILL", "0.5", "strace", options, "-o", trace, "flock", file, "true"]
        subprocess.run(command, check=False)
        looks = json.loads(tracediag("analyze", "--here", "--format", "json", trace).stdout)["here"]["looks"]
    assert [(look["call"], look["errno"], look["object"]) for look in looks] == [("flock", "", str(file))]
    assert any(f"(pid {os.getpid()}) holds a write lock of it" in fact for fact in looks[0]["facts"])
    assert f"flock {file} (it waits)" in tracediag("analyze", "--here", trace).stdout
    assert "no process holds a lock of it" in tracediag("analyze", "--here", trace).stdout
