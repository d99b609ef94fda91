"""What counts as progress, as a complaint, as a cause: each of these small traces was misjudged once."""

from __future__ import annotations

import pytest

from tracediag.api import analyze

START = '7 execve("./meter", ["./meter"], 0x7ffe /* 9 vars */) = 0'
SET = """\
7 epoll_create1(0) = 5
7 pipe2([3, 4], 0) = 0
7 epoll_ctl(5, EPOLL_CTL_ADD, 3, {events=EPOLLIN|EPOLLRDHUP, data={u32=3, u64=3}}) = 0
7 read(3, "x", 8) = 1"""
HANGUP = "7 epoll_wait(5, [{events=EPOLLHUP, data={u32=3, u64=3}}], 8, -1) = 1\n"
HALF_CLOSED = "7 epoll_wait(5, [{events=EPOLLRDHUP, data={u32=3, u64=3}}], 8, -1) = 1\n"
AGAIN = "7 epoll_ctl(5, EPOLL_CTL_MOD, 3, {events=EPOLLIN|EPOLLRDHUP, data={u32=3, u64=3}}) = 0\n"
WITHOUT = "7 epoll_ctl(5, EPOLL_CTL_MOD, 3, {events=EPOLLIN, data={u32=3, u64=3}}) = 0\n"
READABLE = "7 epoll_wait(5, [{events=EPOLLIN, data={u32=3, u64=3}}], 8, -1) = 1\n"

INTERRUPTED = f"""\
{START}
7 rt_sigaction(SIGUSR2, {{sa_handler=0x55d5, sa_mask=[], sa_flags=0}}, NULL, 8) = 0
7 pipe2([3, 4], 0) = 0
7 read(3, 0x7fff, 8) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)
7 --- SIGUSR2 {{si_signo=SIGUSR2, si_code=SI_USER, si_pid=9, si_uid=0}} ---
7 rt_sigreturn({{mask=[]}}) = -1 EINTR (Interrupted system call)
7 close(3) = 0
"""
FAILS = "7 exit_group(1) = ?\n7 +++ exited with 1 +++"
ENDS = "7 exit_group(0) = ?\n7 +++ exited with 0 +++"
UNSEEN = f"""\
{START}
7 pipe2([3, 4], 0) = 0
7 read(3, 0x7fff, 8) = -1 EINTR (Interrupted system call)
7 close(3) = 0
"""

OPTIONAL = '7 openat(AT_FDCWD, "/etc/meter/override.ini", O_RDONLY) = -1 ENOENT (No such file or directory)\n'
DONE = '7 write(1, "item {} done\\n", 12) = 12\n'

FAULT = """\
7 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3
7 --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---
"""
WAITED = "7 clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=0, tv_nsec=1000}, NULL) = 0\n"
"""Shows that the recording would show a wait."""
HANDLED = "7 rt_sigreturn({mask=[]}) = 0\n"
"""Shows that the recording would show the return from a handler."""
WORK = "7 accept(3, NULL, NULL) = 4\n7 close(4) = 0\n"

NAMED_LIKE_IT = f"""\
{START}
7 mkdir("/var/run/meter", 0755) = -1 EEXIST (File exists)
7 openat(AT_FDCWD, "/etc/keys/signing", O_RDONLY) = -1 EACCES (Permission denied)
7 write(2, "meter: cannot start, giving up\\n", 31) = 31
{FAILS}"""
DAEMON = f"""\
{START}
7 openat(AT_FDCWD, "/dev/tty", O_RDWR) = -1 ENXIO (No such device or address)
7 read(0, "", 1) = 0
{FAILS}"""

NO_MEMORY = 'execve("/opt/probe", ["probe"], 0x7ffe /* 9 vars */) = -1 ENOMEM (Cannot allocate memory)\n'

SEARCHED = 'execve("/usr/{}/foo", ["foo"], 0x7ffe /* 9 vars */) = -1 ENOENT (No such file or directory)\n'
NOT_FOUND = "exit_group(127) = ?\n+++ exited with 127 +++"

WRITABLE = "7 epoll_wait(5, [{EPOLLOUT, {u32=3, u64=3}}], 8, 47) = 1\n"
FULL = '7 write(3, "message", 265245) = -1 EAGAIN (Resource temporarily unavailable)\n'
SENT = '7 write(3, "message", 265245) = 265245\n'

RAW = "7 ioctl(0, TCSETSW, {c_iflag=0, c_oflag=0x5, c_cflag=0xbf, c_lflag=ECHO|ISIG, ...}) = 0\n"
COOKED = RAW.replace("ECHO|ISIG", "ECHO|ICANON")
NOTHING = '7 read(0, "", 1) = 0\n'

LEFT = """\
7 socket(AF_INET, SOCK_DGRAM, IPPROTO_IP) = {0}
7 ioctl({0}, SIOCGIFMTU, {{ifr_name="lo", ifr_mtu=65536}}) = 0
7 getpid() = 7
7 openat(AT_FDCWD, "/proc/loadavg", O_RDONLY) = {1}
7 close({1}) = 0
"""

TOLD = """\
7 openat(AT_FDCWD, "/var/queue/new/msg", O_WRONLY|O_CREAT|O_EXCL, 0600) = -1 ENOENT (No such file or directory)
7 write({}, "mailer: cannot queue the message"..., 61) = 61
7 nanosleep({{1, 0}}, NULL) = 0
"""

REPLACES = """\
7 openat(AT_FDCWD, "/srv/app/state.tmp", O_WRONLY|O_CREAT|O_TRUNC, 0600) = 4
7 write(4, "state", 5) = 5
7 close(4) = 0
7 rename("/srv/app/state.tmp", "/srv/app/state") = 0
"""
THREAD = "7 clone(child_stack=0x7f2c, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD) = 8\n"
ONESHOT = "epoll_ctl(5, EPOLL_CTL_{}, 3, {{events=EPOLLIN|EPOLLONESHOT, data={{u32=3, u64=3}}}}) = 0\n"
POOL = START + "\n" + THREAD + "7 pipe2([3, 4], 0) = 0\n7 epoll_create1(0) = 5\n7 " + ONESHOT.format("ADD")
WOKEN = "7 epoll_wait(5,  <unfinished ...>\n{}8 " + ONESHOT.format("MOD").replace("{", "{{").replace("}", "}}")
WOKEN += "7 <... epoll_wait resumed>[{{events=EPOLLHUP, data={{u32=3, u64=3}}}}], 8, -1) = 1\n"
LABEL = """\
7 openat(AT_FDCWD, "/proc/{0}/attr/current", O_RDONLY|O_CLOEXEC) = 4
7 read(4, 0x55a3df2a19e0, 4095) = -1 EINVAL (Invalid argument)
7 close(4) = 0
"""
LISTED = """\
7 openat(AT_FDCWD, "/proc/self/{0}", O_RDONLY|O_NONBLOCK|O_CLOEXEC|O_DIRECTORY) = 3
7 getdents64(3, 0x55ced81c0300 /* 7 entries */, 32768) = 168
7 close(3) = 0
7 close(5) = 0
7 close(3) = -1 EBADF (Bad file descriptor)
"""
SAVED = """\
7 openat(AT_FDCWD, "/dev/null", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3
7 dup2(3, 2) = 2
7 close(3) = 0
7 fcntl(3, F_DUPFD, {0}) = -1 EBADF (Bad file descriptor)
7 dup2(0, 3) = 3
7 +++ exited with 0 +++
"""
REPAIRED = """\
7 rt_sigaction(SIGSEGV, {sa_handler=0x55a2, sa_mask=[], sa_flags=SA_SIGINFO}, NULL, 8) = 0
7 --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_ACCERR, si_addr=0x50141000} ---
7 mprotect(0x50141000, 4096, PROT_READ|PROT_WRITE) = 0
7 rt_sigreturn({mask=[]}) = 1342443520
"""
BARRIER = "7 --- SIGSEGV {{si_signo=SIGSEGV, si_code=SEGV_ACCERR, si_addr=0x{0}}} ---\n"
WINDOW = """\
7 socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3
7 connect(3, {sa_family=AF_UNIX, sun_path=@"/tmp/.X11-unix/X99"}, 20) = 0
7 writev(3, [{iov_base="l", iov_len=12}], 1) = 12
7 recvmsg(3, {msg_namelen=0, msg_iov=[{iov_base="1", iov_len=8}]}, 0) = 8
7 writev(3, [{iov_base="F1", iov_len=28}], 1) = 28
7 poll([{fd=3, events=POLLIN}], 1, 997) = 0 (Timeout)
"""
DRAWS = '7 writev(3, [{iov_base="F2", iov_len=28}], 1) = 28\n'
ENDED = """\
7 poll([{fd=3, events=POLLIN}], 1, 997) = ? ERESTART_RESTARTBLOCK (Interrupted by signal)
7 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=6, si_uid=0} ---
7 +++ killed by SIGTERM +++
"""
SHELL = """\
8 dup2(4, 1) = 1
8 execve("/bin/sh", ["sh", "-c", "date"], 0x7ffe /* 9 vars */) = 0
8 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f2c) = 9
9 execve("/bin/date", ["date"], 0x7ffe /* 9 vars */) = 0
9 openat(AT_FDCWD, "/etc/zone", O_RDONLY) = -1 EACCES (Permission denied)
9 write(2, "date: /etc/zone: Permission denied\\n", 35) = 35
9 exit_group(3) = ?
9 +++ exited with 3 +++
8 wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 9
8 exit_group(3) = ?
8 +++ exited with 3 +++
"""
PARENT = """\
7 wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 8
7 write(1, "42\\n", 3) = 3
7 exit_group(0) = ?
7 +++ exited with 0 +++
"""
SPELT = ("en_US.UTF-8", "en_US.utf8", "en_US", "en.UTF-8", "en.utf8", "en")
MISSING = (
    '{} openat(AT_FDCWD, "/usr/lib/locale/{}/LC_CTYPE", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file or directory)\n'
)
LOCALES = ["".join(MISSING.format(pid, name) for name in SPELT) + f"{pid} +++ exited with 0 +++\n" for pid in (7, 8)]
SUBSTITUTE = '7 openat(AT_FDCWD, "/usr/lib/locale/C.utf8/LC_{}", O_RDONLY|O_CLOEXEC) = 3\n'
LEFT_PIPE = "7 pipe2([{0}, {1}], O_CLOEXEC) = 0\n7 close({1}) = 0\n"
PIPES = START + "\n" + "".join((LEFT_PIPE + WORK * 3).format(n, n + 1) for n in range(10, 26, 2))
FIRST_TIME = '7 openat(AT_FDCWD, "/srv/app/state", O_RDONLY) = -1 ENOENT (No such file or directory)\n'


@pytest.mark.parametrize(
    ("trace", "name", "confidence"),
    [
        (f"{START}\n{SET}\n" + (HANGUP + AGAIN) * 12, "hangup-ignored-spin", "certain"),
        (f"{START}\n{SET}\n" + (HALF_CLOSED + WITHOUT) * 12, "hangup-ignored-spin", None),
        (POOL + WOKEN.format('8 read(6, "x", 64) = 1\n') * 50, "hangup-ignored-spin", "certain"),
        (POOL + WOKEN.format('8 read(3, "", 64) = 0\n') * 50, "hangup-ignored-spin", None),
        (f"{START}\n{SET}\n" + (READABLE + AGAIN) * 12, "ready-not-served-spin", "certain"),
        (INTERRUPTED + FAILS, "interrupted-call-not-retried", "likely"),
        (UNSEEN + FAILS, "interrupted-call-not-retried", "possible"),
        (INTERRUPTED + ENDS, "interrupted-call-not-retried", None),
        (
            NO_MEMORY + "+++ killed by SIGSEGV +++",
            "exec-broke-process",
            "likely",
        ),
        ("bind(0, NULL, 16) = -1 ENOTSOCK (Socket operation on non-socket)", "failed-open-not-checked", "possible"),
        ("getsockname(0, NULL, [16]) = -1 ENOTSOCK (Socket operation on non-socket)", "failed-open-not-checked", None),
        (START + "\n" + "".join(OPTIONAL + DONE.format(n % 10) for n in range(60)), "failing-call-spin", None),
        (START + "\n" + OPTIONAL * 60, "failing-call-spin", "certain"),
        (START + "\n" + "".join(LABEL.format(1) for _ in range(60)), "failing-call-spin", "certain"),
        (START + "\n" + "".join(LABEL.format(n) for n in range(60)), "failing-call-spin", None),
        (FAULT + WORK * 60 + "7 +++ exited with 1 +++", "crashed", None),
        (FAULT + WORK + "7 +++ exited with 143 +++", "crashed", None),
        (HANDLED + FAULT + WORK + "7 +++ exited with 1 +++", "crashed", "likely"),
        ("".join(map(SEARCHED.format, ("local/bin", "bin"))) + NOT_FOUND, "exec-interpreter-missing", None),
        ((WRITABLE + FULL) * 8, "eagain-spin", "possible"),
        ((WRITABLE + FULL) * 12, "eagain-spin", "likely"),
        ((WRITABLE + FULL) * 50, "eagain-spin", "likely"),
        ((WRITABLE + FULL + WRITABLE + SENT) * 50, "eagain-spin", None),
        (START + "\n" + WAITED + COOKED + NOTHING * 60, "reads-after-end", "likely"),
        (START + "\n" + RAW + NOTHING * 60, "reads-after-end", None),
        (START + "\n" + "".join(LEFT.format(n, n + 1) for n in range(3, 40)) + ENDS, "descriptor-leak", "likely"),
        (START + "\n" + (LEFT + "7 close({0}) = 0\n").format(3, 4) * 40 + ENDS, "descriptor-leak", None),
        (START + "\n" + LISTED.format("fd"), "double-close", None),
        (START + "\n" + LISTED.format("task"), "double-close", "certain"),
        (START + "\n" + SAVED.format(10), "use-after-close", None),
        (START + "\n" + SAVED.format(100), "use-after-close", "certain"),
        (START + "\n" + REPAIRED + BARRIER.format("50142000"), "crashed", None),
        (START + "\n" + REPAIRED + BARRIER.format("50141000"), "crashed", "likely"),
        (START + "\n" + BARRIER.format("50142000"), "crashed", "likely"),
        (START + "\n" + WINDOW + DRAWS + ENDED, "peer-not-responding", None),
        (START + "\n" + WINDOW + ENDED, "peer-not-responding", "certain"),
        (SHELL, "child-failure-behind", "certain"),
        (SHELL + PARENT, "child-failure-behind", None),
        ("".join(LOCALES), "zone-or-locale-missing", "likely"),
        (LOCALES[0].replace("7 +++", SUBSTITUTE.format("CTYPE") + "7 +++"), "zone-or-locale-missing", None),
        (LOCALES[0].replace("7 +++", SUBSTITUTE.format("TIME") + "7 +++"), "zone-or-locale-missing", "likely"),
        (PIPES + WORK, "descriptor-leak", "likely"),
        (PIPES + "7 read(24,  <unfinished ...>\n", "descriptor-leak", None),
        (TOLD.format(3), "missing-directory", "likely"),
        (TOLD.format(2), "missing-directory", "likely"),
        (TOLD.format(3).replace("cannot queue the", "queued no other"), "missing-directory", "likely"),
        (f"{START}\n{TOLD.format(3)}", "missing-directory", None),
        (DAEMON, "no-such-device", None),
        (START + "\n" + REPLACES + ENDS, "replace-without-fsync", "likely"),
        (START + "\n" + FIRST_TIME + REPLACES + ENDS, "replace-without-fsync", None),
        (START + "\n" + FIRST_TIME + REPLACES * 2 + ENDS, "replace-without-fsync", "likely"),
    ],
)
def test_what_is_said(trace: str, name: str, confidence: str | None) -> None:
    found = [
        finding.confidence for finding in analyze(trace.splitlines(keepends=True)).findings if finding.name == name
    ]
    assert found == ([] if confidence is None else [confidence])


def test_the_name_of_the_program_names_no_object() -> None:
    (finding,) = analyze(NAMED_LIKE_IT.splitlines(keepends=True)).findings
    assert (finding.name, finding.primary.line) == ("permission-denied", 3)
