"""Of which type the file system of a path is: what statfs and a snapshot of the mounts show of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracediag.api import analyze
from tracediag.engine import Engine
from tracediag.kernel import Kernel, apply
from tracediag.reading import read
from tracediag.recording.proc.mounts import parse, reduce_mounts
from tracediag.snapshot import Moment, Mount, Mounts, ProcessState, Snapshot, ThreadState

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
MOUNTINFO = """\
20 1 254:0 / / rw,relatime - ext4 /dev/vda rw
31 20 0:26 / /run rw,nosuid shared:5 - tmpfs tmpfs rw,size=10m
40 20 8:1 / /media/my\\040stick rw,relatime shared:9 master:2 - vfat /dev/sda1 rw,fmask=0022
41 20 0:40 / /srv rw - tmpfs none rw
42 41 0:41 / /srv rw - nfs4 files:/srv rw
"""


def snapshot(*pids: int, directory: str = "/run/app") -> Snapshot:
    states = tuple(ProcessState(pid, directory=directory, threads=(ThreadState(pid),)) for pid in pids)
    return Snapshot(before=Moment(1.0, states, mounts=(Mounts(pids, tuple(parse(MOUNTINFO))),)))


def kind_of(path: str, *lines: str, known: Snapshot | None = None) -> str:
    kernel = Kernel(known=known)
    for event in read([f"{line}\n" for line in ("71 getpid() = 71", *lines)]):
        apply(kernel, event)
    return kernel.file_systems.kind_of(path, kernel.processes[-1])


def test_the_rows_of_mountinfo() -> None:
    kinds = {mount.point: mount.kind for mount in parse(MOUNTINFO)}
    assert kinds == {"/": "ext4", "/run": "tmpfs", "/media/my stick": "vfat", "/srv": "nfs4"}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/etc/hosts", "ext4"),
        ("/run", "tmpfs"),
        ("/running", "ext4"),
        ("app.pid", "tmpfs"),
        ("../../etc/hosts", "ext4"),
        ("/srv/www/index.html", "nfs4"),
    ],
)
def test_the_mount_that_a_path_lies_on(path: str, kind: str) -> None:
    assert kind_of(path, known=snapshot(71)) == kind


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ('71 umount2("/srv", MNT_DETACH) = 0', ""),
        ('71 umount2("/srv", MNT_DETACH) = -1 EBUSY (Device or resource busy)', "nfs4"),
        ('71 mount("/home", "/srv/www", NULL, MS_BIND, NULL) = 0', ""),
        ('71 statfs("/srv/www", {f_type=FUSE_SUPER_MAGIC, f_bsize=4096}) = 0', "fuse"),
        ('71 chroot("/srv") = 0', ""),
    ],
)
def test_what_the_trace_shows_later(line: str, kind: str) -> None:
    assert kind_of("/srv/www/index.html", line, known=snapshot(71)) == kind


def test_a_process_of_which_the_mounts_were_not_seen() -> None:
    assert kind_of("/srv", known=snapshot(72)) == ""
    assert kind_of("/srv") == ""
    assert kind_of("/srv", "71 fork() = 75", "75 getpid() = 75", known=snapshot(71)) == "nfs4"


def test_of_the_mounts_those_are_kept_that_the_trace_names(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    trace.write_text('71 open("/srv/www", O_RDONLY) = 3\n')
    known = snapshot(71)
    reduce_mounts(known, lambda: trace)
    assert known.before is not None
    assert [mount.point for mount in known.before.mounts[0].mounts] == ["/", "/run", "/srv"]
    reduce_mounts(known, lambda: tmp_path / "missing")
    assert known.before.mounts == ()


CHMOD = '71 chmod("/media/my stick/a", 0600) = -1 EPERM (Operation not permitted)\n'


@pytest.mark.parametrize("kind", ["vfat", "ext4"])
def test_a_mode_that_fat_does_not_store(kind: str) -> None:
    mounts = Mounts((71,), (Mount("/", "ext4"), Mount("/media/my stick", kind)))
    process = ProcessState(71, directory="/", threads=(ThreadState(71),))
    known = Snapshot(before=Moment(1.0, (process,), mounts=(mounts,)))
    lines = [CHMOD, "71 exit_group(1) = ?\n", "71 +++ exited with 1 +++\n"]
    (finding,) = [found for found in analyze(lines, known=known).findings if found.name == "privilege-missing"]
    assert ("FAT stores no owner" in finding.title) is (kind == "vfat")


def test_the_type_that_only_the_mounts_show() -> None:
    trace = SAMPLES / "file-system-hang" / "attached.strace"
    (finding,) = analyze(trace).causes
    assert finding.title.endswith("the file system (FUSE) does not answer")
    alone = Engine([])
    assert not list(alone.run(read(trace)))
    assert alone.kernel.file_systems.kind_of("/srv/tracediag/file-system-hang/archive", alone.kernel.processes[0]) == ""
