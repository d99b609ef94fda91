"""Reports in files: no trace is overwritten, and a report is complete or the old one remains."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from command_line import environment, tracediag

from tracediag.commands.errors import UsageError
from tracediag.commands.outfiles import open_file

COMMANDS = ("analyze", "summary", "files", "lives", "peers", "tree", "state")
OLD = "the old report\n"


@pytest.fixture
def trace(tmp_path, quiet):
    return quiet.rename(tmp_path / "t.trace")


def links(trace):
    folder = trace.parent
    (folder / "symbolic").symlink_to(trace)
    (folder / "dangling").symlink_to("nothing")
    os.link(trace, folder / "hard")
    (folder / "folder").mkdir()
    return [trace, folder / "symbolic", folder / "hard", folder / "folder" / ".." / trace.name]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_report_does_not_replace_an_input(command, trace):
    before = trace.read_bytes()
    for path in links(trace):
        done = tracediag(command, trace, "-o", f"json:{path}")
        assert done.returncode == 2
        assert done.stderr == f"tracediag: {path}: this is a trace, not a place for a report\n"
        assert not done.stdout
    assert trace.read_bytes() == before


def test_no_input_of_several_and_no_member_of_a_set(tmp_path, trace, sample):
    before = trace.read_bytes()
    assert tracediag("analyze", sample, trace, "-o", f"json:{trace}").returncode == 2
    with trace.open() as stream:
        assert tracediag("analyze", "-", "-o", f"json:{trace}", stdin=stream).returncode == 2
    for pid in (7, 8):
        (tmp_path / f"set.{pid}").write_bytes(before)
    assert tracediag("analyze", tmp_path / "set", "-o", f"json:{tmp_path / 'set.8'}").returncode == 2
    assert tracediag("tree", tmp_path / "set", "-o", f"json:{tmp_path / 'set.7'}").returncode == 2
    assert {path.read_bytes() for path in (trace, tmp_path / "set.7", tmp_path / "set.8")} == {before}


def test_the_trace_that_is_kept_is_no_place_for_a_report(tmp_path):
    for path in ("kept", "./kept"):
        done = tracediag("run", "--keep", "kept", "-o", f"json:{path}", "--", "true", cwd=tmp_path)
        assert done.stderr == f"tracediag: {path}: this is a trace, not a place for a report\n"
    assert tracediag("run", "--keep", "", "--", "true", cwd=tmp_path).stderr == (
        "tracediag: --keep takes a file: its name is empty\n"
    )
    assert not list(tmp_path.iterdir())


def test_two_reports_for_one_file_are_refused(tmp_path, trace):
    report = tmp_path / "report"
    (tmp_path / "link").symlink_to("report")
    for second in ("report", "./report", "link"):
        done = tracediag("analyze", trace, "-o", "json:report", "-o", f"full:{second}", cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr == f"tracediag: {second}: two reports for one file\n"
    assert not report.exists()
    report.write_text(OLD)
    os.link(report, tmp_path / "hard")
    assert tracediag("analyze", trace, "-o", "json:report", "-o", "full:hard", cwd=tmp_path).returncode == 2
    assert report.read_text() == OLD


def test_standard_output_in_a_file_is_not_overwritten(tmp_path, trace):
    out = tmp_path / "out"
    with out.open("w") as stream:
        done = tracediag("analyze", trace, "-o", f"json:{out}", stdout=stream)
    assert done.returncode == 2
    with out.open("w") as stream:
        done = tracediag("analyze", trace, "-o", "json:/dev/stdout", stdout=stream)
    assert done.returncode == 0
    *head, first, second = out.read_text().splitlines()
    assert head[0].startswith("traced ")
    assert first == "no findings"
    assert json.loads(second)["findings"] == []


def test_a_report_replaces_the_old_one_and_keeps_its_permissions_and_link(tmp_path, trace):
    report, link = tmp_path / "report.json", tmp_path / "link.json"
    report.write_text(OLD)
    report.chmod(0o640)
    os.chown(report, os.getuid(), os.getgid())
    link.symlink_to(report)
    inode = report.stat().st_ino
    assert tracediag("analyze", trace, "-o", f"json:{link}").returncode == 0
    assert json.loads(report.read_text())["findings"] == []
    assert link.is_symlink()
    assert stat.S_IMODE(report.stat().st_mode) == 0o640
    assert report.stat().st_ino != inode, "written beside and renamed: a reader of the old one is not disturbed"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.json", "report.json", "t.trace"]


def test_a_report_gets_no_set_user_id_from_the_old_one(tmp_path, trace):
    report = tmp_path / "report"
    report.write_text(OLD)
    report.chmod(0o6755)
    assert tracediag("analyze", trace, "-o", f"json:{report}").returncode == 0
    assert stat.S_IMODE(report.stat().st_mode) == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a file of another user")
def test_a_file_that_a_sticky_folder_keeps_is_refused_before_the_analysis(tmp_path, monkeypatch):
    folder = tmp_path / "sticky"
    folder.mkdir()
    report = folder / "report"
    report.write_text(OLD)
    report.chmod(0o666)
    os.chown(report, 1, 1)
    os.chown(folder, 2, 2)
    folder.chmod(0o1777)
    for parent in (tmp_path, *(each for each in tmp_path.parents if each.name.startswith(("pytest", "popen")))):
        parent.chmod(0o755)
    monkeypatch.chdir(folder)
    process = os.fork()
    if process == 0:
        os.setresuid(3, 3, 3)
        try:
            open_file("report")
        except UsageError as error:
            os._exit(0 if "its folder is sticky" in str(error) else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    assert report.read_text() == OLD


def test_a_new_report_gets_the_permissions_of_any_new_file(tmp_path, trace):
    mask = os.umask(0o027)
    try:
        assert tracediag("analyze", trace, "-o", f"json:{tmp_path / 'new'}").returncode == 0
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


@pytest.mark.parametrize("command", COMMANDS)
def test_the_old_report_survives_a_failed_run(command, tmp_path):
    report, broken = tmp_path / "report", tmp_path / "broken"
    report.write_text(OLD)
    broken.write_bytes(bytes(range(256)) * 64)
    assert tracediag(command, broken, "-o", f"full:{report}").returncode == 3
    assert report.read_text() == OLD
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken", "report"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_the_old_report_survives_a_signal(number, tmp_path, trace):
    report = tmp_path / "report"
    report.write_text(OLD)
    command = [sys.executable, "-m", "tracediag", "analyze", str(trace), "-", "-o", f"json:{report}"]
    with subprocess.Popen(
        command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.readline()  # the first trace is reported, the second is waited for
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == -number
    assert "Traceback" not in err
    assert report.read_text() == OLD
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report", "t.trace"]


def test_a_wrong_place_is_refused_before_the_analysis(tmp_path):
    for path in ("/nowhere/at/all", str(tmp_path), f"{tmp_path}/new/"):
        done = tracediag("analyze", "/not/read/at/all", "-o", f"json:{path}")
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
        assert done.stderr.startswith(f"tracediag: {path}: ")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
def test_a_full_device_costs_no_other_report(tmp_path, sample):
    kept = tmp_path / "kept"
    done = tracediag("analyze", sample, "-o", "json:/dev/full", "-o", f"concise:{kept}")
    assert done.returncode == 2
    assert done.stderr.endswith("tracediag: /dev/full: No space left on device\n")
    assert "edge-triggered-accept-once" in kept.read_text()
    assert "edge-triggered-accept-once" in done.stdout


def test_a_fifo_is_written_directly(tmp_path, trace):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    got = []
    reader = threading.Thread(target=lambda: got.append(fifo.read_text()))
    reader.start()
    assert tracediag("analyze", trace, "-o", f"json:{fifo}").returncode == 0
    reader.join(60)
    assert json.loads(got[0])["findings"] == []
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_the_same_option_in_every_command(tmp_path, sample):
    for command in ("summary", "tree", "state"):
        report = tmp_path / command
        done = tracediag(command, sample, "-o", f"json:{report}")
        assert report.read_text() == tracediag(command, sample, "-o", "json").stdout
        assert json.loads(report.read_text())["schema"] == f"tracediag-{command}/1"
        assert done.stdout == tracediag(command, sample).stdout


@pytest.mark.parametrize(
    "command",
    ["analyze", "run", "summary", "files", "lives", "peers", "tree", "state", "follow", "explain", "why", "demo"],
)
def test_the_option_has_one_long_name(command):
    assert "-o, --report FORMAT[:FILE]" in tracediag(command, "--help").stdout


def test_a_format_alone_is_for_standard_output(trace):
    assert tracediag("analyze", trace, "-o", "json").stdout == tracediag("analyze", trace, "--format", "json").stdout
    for wrong in (("-o", "json", "-o", "full"), ("--format", "full", "-o", "json")):
        done = tracediag("analyze", trace, *wrong)
        assert done.returncode == 2
        assert "two formats for standard output: " in done.stderr


def test_no_regular_file_is_made_among_devices(trace):
    done = tracediag("analyze", trace, "-o", "json:/dev/tracediag-report.json")
    assert done.returncode == 2
    assert "/dev/tracediag-report.json: files cannot be created there" in done.stderr
    assert not Path("/dev/tracediag-report.json").exists()
