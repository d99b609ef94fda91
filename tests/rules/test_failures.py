"""Failed calls: the subject of an excerpt gets an answer, the most specific one, and healthy work gets none."""

from __future__ import annotations

import pytest

from tracediag.api import analyze
from tracediag.results.grades import Severity
from tracediag.rules.heads import parse_head
from tracediag.rules.readings import heads, meanings
from tracediag.trace.errnos import all_errors, find_errno

DENIED = 'openat(AT_FDCWD, "/etc/x", O_RDONLY) = -1 EACCES (Permission denied)\n'
CREATED = 'openat(AT_FDCWD, "/run/x/pid", O_WRONLY|O_CREAT, 0644) = -1 EACCES (Permission denied)\n'
INET = 'bind(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("0.0.0.0")}, 16) = -1 EACCES (x)\n'
UNIX = 'bind(3, {sa_family=AF_UNIX, sun_path="/run/x.sock"}, 110) = -1 EACCES (Permission denied)\n'
LOOKED = 'stat("/etc/a", 0x7ffe) = -1 ENOENT (No such file or directory)\n'

STARTED = (
    'connect(3, {sa_family=AF_INET, sin_port=htons(9), sin_addr=inet_addr("127.0.0.1")}, 16) = -1 EINPROGRESS (x)\n'
)
ASKED = "getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0\nclose(3) = 0\n"
BOUND = 'bind(3, {sa_family=AF_UNIX, sun_path="/run/x.sock"}, 110) = '
LIMITED = (
    "prlimit64(0, RLIMIT_NPROC, NULL, {rlim_cur=64, rlim_max=64}) = 0\n"
    "clone(child_stack=NULL, flags=SIGCHLD) = -1 EAGAIN (Resource temporarily unavailable)\n"
)
FILTERED = "prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, {len=4, filter=0x7ffe}) = 0\n"
BAD_END = [
    'execve("./a", ["./a"], 0x7ffe /* 0 vars */) = 0\n',
    INET,
    "exit_group(1) = ?\n",
    "+++ exited with 1 +++\n",
]


@pytest.mark.parametrize(
    ("excerpt", "name", "words"),
    [
        (DENIED, "permission-denied", "lacks permission for the file"),
        (CREATED, "permission-denied", "write permission on /run/x"),
        (INET, "privileged-port", "port 80 is privileged"),
        (INET.replace("(80)", "(8080)"), "permission-denied", "a security module or a policy forbids port 8080"),
        (f"{STARTED}{ASKED}", "connection-refused", "the connection to 127.0.0.1:9 fails"),
        (LOOKED.replace("/a", "/" + "n" * 400), "missing-file", "nnn…nnn"),
        (UNIX, "permission-denied", "the directory /run is not writable"),
        ("shmget(0x1, 65536, 0600) = -1 EINVAL (Invalid argument)\n", "failed-call", "shmget fails with EINVAL"),
        (LOOKED, "missing-file", "/etc/a does not exist"),
        ("geteuid() = 0\n" + DENIED, "permission-denied", "the process is root"),
        ('symlink("a/b", "/no/y") = -1 ENOENT (x)\n', "missing-directory", "symlink of /no/y"),
        ('symlink("a/b", "/no/y") = -1 ENOENT (x)\n', "missing-directory", "the directory /no does not exist"),
        (f'mkdir("/srv/{"n" * 256}", 0755) = -1 ENAMETOOLONG (x)\n', "name-too-long", "nnn has 256 bytes, and 255"),
        ('stat("/' + "\\303\\244" * 128 + '", 0x7f) = -1 ENAMETOOLONG (x)\n', "name-too-long", "ää has 256 bytes"),
        (
            f'access("{"/abc" * 1024}", 0) = -1 ENAMETOOLONG (x)\n',
            "name-too-long",
            "the path has 4,096 bytes, and 4,095",
        ),
        (f'symlink("{"a/" * 2048}", "/y") = -1 ENAMETOOLONG (x)\n', "name-too-long", "the text of the link has 4,096"),
        (f'symlink("{"n" * 300}", "{"y" * 299}") = -1 ENAMETOOLONG (x)\n', "name-too-long", "yyy has 299 bytes, and"),
        (f'creat("/e/{"n" * 200}", 0644) = -1 ENAMETOOLONG (x)\n', "name-too-long", "the file system permits less"),
        (f'creat("/e/{"n" * 30}"..., 0644) = -1 ENAMETOOLONG (x)\n', "name-too-long", "a component may have 255 bytes"),
        ('mkdir("/etc/passwd/x", 0755) = -1 ENOTDIR (x)\n', "wrong-path-kind", "/etc/passwd or a component above"),
        ('mkdir("notes/x", 0755) = -1 ENOTDIR (x)\n', "wrong-path-kind", ": notes is not a directory"),
        ('open("notes/x", O_RDONLY) = -1 ENOTDIR (x)\n', "wrong-path-kind", "or notes/x is a symbolic link that"),
        ('open("a/b", O_RDONLY|O_DIRECTORY) = -1 ENOTDIR (x)\n', "wrong-path-kind", "something other than a directory"),
        ('unlink("notes/") = -1 ENOTDIR (x)\n', "wrong-path-kind", "the slash at the end asks for a directory"),
        ('lstat("/a/b/c", 0x7f) = -1 ELOOP (x)\n', "symlink-loop", "/a/b leads through symbolic links"),
        ('stat("/a/b/c", 0x7f) = -1 ELOOP (x)\n', "symlink-loop", "/a/b/c is a symbolic link in a circle, or"),
        (
            'newfstatat(AT_FDCWD, "/a/b", 0x7f, AT_SYMLINK_NOFOLLOW) = -1 ELOOP (x)\n',
            "symlink-loop",
            "/a leads through",
        ),
        ('rename("/a/b", "/ro/c") = -1 EROFS (x)\n', "read-only-filesystem", "the file system of /ro/c is mounted"),
        ('symlink("a", "/ro/c") = -1 EROFS (x)\n', "read-only-filesystem", "the file system of /ro is mounted"),
        ("fsync(3) = -1 EROFS (x)\n", "read-only-filesystem", "became read-only while the file was open"),
        ("setresuid(33, 33, 33) = 0\n" + DENIED + "setresuid(0, 0, 0) = 0\n", "permission-denied", "the user of the"),
        ("geteuid() = 33\n" + DENIED, "permission-denied", "lacks permission for the file"),
        (LIMITED, "process-limit-reached", "the limit RLIMIT_NPROC of 64 (line 1) is reached"),
        (LIMITED.splitlines()[1], "process-limit-reached", "a limit on processes or threads is reached"),
        (
            FILTERED + "socket(AF_INET, SOCK_STREAM, 0) = -1 EPERM (x)\n",
            "sandbox-denied",
            "the seccomp filter of line 1",
        ),
        ("socket(AF_INET, SOCK_RAW, 1) = -1 EPERM (x)\n", "privilege-missing", "raw and packet sockets"),
        ("[pid 65] tgkill(65, 66, SIGRT_1) = -1 EPERM (x)\n", "sandbox-denied", "may always signal the threads"),
        ("[pid 65] tgkill(64, 66, SIGRT_1) = -1 EPERM (x)\n", "privilege-missing", "belongs to another user"),
        (LOOKED + DENIED + LOOKED.replace("/a", "/b"), "permission-denied", "openat of /etc/x"),
        (f"geteuid() = 0\n{CREATED}", "permission-denied", "a sticky directory"),
        ('access("/srv/x", W_OK) = -1 EACCES (x)\n', "permission-denied", "the permission that is asked for"),
        ('bind(3, {sa_family=AF_UNIX, sun_path=@"x"}, 4) = -1 EADDRINUSE (x)\n', "address-in-use", "abstract name"),
        ("clone3({flags=CLONE_VM, exit_signal=SIGCHLD}, 88) = -1 EPERM (x)\n", "sandbox-denied", "no permission is"),
        ("unshare(CLONE_NEWNS) = -1 EPERM (x)\n", "namespace-denied", "needs CAP_SYS_ADMIN"),
        (f"{FILTERED}unshare(CLONE_NEWNS) = -1 EPERM (x)\n", "sandbox-denied", "seccomp filter of line 1"),
        (
            "unshare(CLONE_NEWNS|CLONE_NEWUSER) = -1 EPERM (x)\n",
            "namespace-denied",
            "user namespaces are not permitted",
        ),
        (
            "mmap(NULL, 4096, PROT_WRITE|PROT_EXEC, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = -1 EPERM (x)\n",
            "noexec-mount",
            "writable and executable",
        ),
        ('write(3</proc/self/uid_map>, "0", 1) = -1 EPERM (x)\n', "privilege-missing", "write on fd 3 (/proc/self/uid"),
        ('write(3</sys/fs/cgroup/a/tasks>, "1", 1) = -1 ENOSPC (x)\n', "limit-not-disk", "the cgroup cannot take"),
        ("epoll_ctl(4, EPOLL_CTL_ADD, 5, {events=EPOLLIN}) = -1 ENOSPC (x)\n", "limit-not-disk", "no disk is full"),
        ('renameat2(3, "a", 3, "b", RENAME_NOREPLACE) = -1 EEXIST (x)\n', "file-exists", "b exists"),
        ('execve("/etc/passwd/x", ["x"], 0x7f /* 3 vars */) = -1 ENOTDIR (x)\n', "wrong-path-kind", "/etc/passwd or a"),
        ('openat(AT_FDCWD, "a", O_RDONLY|O_DIRECTORY) = -1 ENOTDIR (x)\n', "wrong-path-kind", "other than a directory"),
        (
            'openat(AT_FDCWD, "/usr/lib/ssl/certs/5ed36f99.0", O_RDONLY) = -1 ENOENT (x)\n',
            "missing-certificates",
            "the issuer of a certificate",
        ),
        (
            (
                "prlimit64(0, RLIMIT_AS, NULL, {rlim_cur=1024, rlim_max=1024}) = 0\n"
                "mmap(NULL, 8192, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = -1 ENOMEM (x)\n"
            ),
            "out-of-memory",
            "the limit RLIMIT_AS of 1,024 (line 1), in bytes, stops the mapping",
        ),
        (
            (
                'openat(AT_FDCWD, "v", O_RDONLY|O_DIRECTORY) = 3\nopenat(3, "b", O_WRONLY) = 4\n'
                'write(4, "x", 1) = -1 ENOSPC (x)\nclose(4) = 0\n'
            ),
            "no-space",
            "write on fd 4 (v/b) fails",
        ),
        ('mkdirat(3</srv/dst>, "src", 0755) = -1 EACCES (x)\n', "permission-denied", "the directory /srv/dst is not"),
    ],
)
def test_the_most_specific_reading_speaks(excerpt: str, name: str, words: str) -> None:
    (finding,) = analyze(excerpt.splitlines(keepends=True)).findings
    assert finding.name == name
    assert words in finding.title


@pytest.mark.parametrize(
    "excerpt",
    [
        LOOKED + LOOKED.replace("/a", "/b"),
        'access("/etc/ld.so.preload", R_OK) = -1 ENOENT (No such file or directory)\n',
        "ioctl(1, TCGETS, 0x7ffe) = -1 ENOTTY (Inappropriate ioctl for device)\n",
        "read(3, 0x7ffe, 10) = -1 EAGAIN (Resource temporarily unavailable)\n",
        DENIED + "getpid() = 1\n" * 100,
        CREATED.replace("EACCES", "ENOENT")
        + 'mkdir("/run/x", 0755) = 0\n'
        + CREATED.replace("-1 EACCES (Permission denied)", "3"),
        BOUND + '-1 EADDRINUSE (x)\nunlink("/run/x.sock") = 0\n' + BOUND + "0\n",
        'mkdir("/run/x", 0755) = -1 EEXIST (File exists)\ngetpid() = 1\n',
        'execve("./a", ["./a"], 0x7ffe /* 0 vars */) = 0\n' + DENIED + "exit_group(0) = ?\n+++ exited with 0 +++\n",
    ],
)
def test_what_is_part_of_normal_work_is_no_subject(excerpt: str) -> None:
    assert analyze(excerpt.splitlines(keepends=True)).findings == ()


def test_a_bad_end_begins_with_the_words_of_the_page() -> None:
    (finding,) = analyze(BAD_END).findings
    assert (finding.name, finding.severity) == ("privileged-port", "error")
    assert finding.title.startswith("bind of 0.0.0.0:80 fails with EACCES (permission denied): port 80 is privileged")
    assert finding.title.endswith("; a exits with status 1")
    assert "CAP_NET_BIND_SERVICE" in finding.fix


def test_every_head_is_whole() -> None:
    for path, head in heads().items():
        assert head.readings, path
        for reading in head.readings:
            query = reading.query
            assert query.is_condition, (path, reading.match)
            asked = reading.match.replace("fd.path", "")
            assert "fd." not in asked, (path, "of the descriptor only the path is known when the page is asked")
            assert not query.never, (path, reading.match)
            assert query.errnos == reading.errnos, (path, reading.match)


def test_the_table_knows_its_errors() -> None:
    for call, errno in meanings():
        assert find_errno(errno) is not None, (call, errno)


@pytest.mark.parametrize(
    "head", ["severity: warning", "severity: warning\nsummary: x\n\nmatch: errno == EIO", "no field"]
)
def test_a_malformed_head_is_refused(head: str) -> None:
    with pytest.raises(ValueError, match="the head of the page"):
        parse_head(head)


@pytest.mark.parametrize(
    ("select", "names"),
    [
        ("", ["privileged-port"]),
        ("TD7", ["privileged-port"]),
        ("privileged-port", ["privileged-port"]),
        ("process", ["failed-call-behind-exit"]),
        ("permission-denied", []),
        ("permission-denied,failed-call-behind-exit", []),
    ],
)
def test_a_page_gives_its_name_to_a_bad_end_where_it_is_selected(select: str, names: list[str]) -> None:
    assert [finding.name for finding in analyze(BAD_END, select=select).findings] == names


def test_an_ignored_page_is_not_reported_under_another_name() -> None:
    assert analyze(BAD_END, ignore="privileged-port").findings == ()


def test_every_error_of_linux_has_a_meaning() -> None:
    known = {errno for call, errno in meanings() if call == "*"}
    for head in heads().values():
        known |= {errno for reading in head.readings if reading.query.calls is None for errno in reading.errnos}
    assert {error.name for error in all_errors()} - known == set()


def test_a_crash_after_an_execve_that_failed_follows_from_it() -> None:
    lines = [
        'execve("//bin/sh", ["./code"], 0x7ffffffc8e10 /* 12 vars */) = -1 EFAULT (Bad address)\n',
        "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x47} ---\n",
        "+++ killed by SIGSEGV (core dumped) +++\n",
    ]
    found = {one.name: one for one in analyze(lines).findings}
    assert found["exec-failed"].primary.line == 1
    assert found["crashed"].explained_by is not None


def test_no_program_means_to_read_a_directory() -> None:
    lines = [
        'open("/home", O_RDONLY) = 3\n',
        "read(3, 0x7ffc33f76680, 280) = -1 EISDIR (Is a directory)\n",
        "close(3) = 0\n",
        "exit_group(0) = ?\n",
        "+++ exited with 0 +++\n",
    ]
    (found,) = analyze(lines).findings
    assert (found.name, found.severity, found.primary.line) == ("wrong-path-kind", Severity.NOTE, 2)
