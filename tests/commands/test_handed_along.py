"""`--stacks` and `--fds`: what people print beside a trace is joined with it."""

import json
import os
import shutil
import signal
import subprocess
import time

import hung
import pytest
from command_line import needs_strace, tracediag

TRACE = "12 recvfrom(5,  <unfinished ...>\n13 futex(0x7f1234, FUTEX_WAIT_PRIVATE, 2, NULL <detached ...>\n"
GDB = """
Thread 2 (Thread 0x7f0a97c006c0 (LWP 13) "worker"):
#0  futex_wait (private=0, expected=2, futex_word=0x55) at ../sysdeps/nptl/futex-internal.h:146
#1  ___pthread_mutex_lock (mutex=0x55) at ./nptl/pthread_mutex_lock.c:93
#2  0x0000564a6f8d51f0 in transfer (unused=0x0) at bank.c:12
#3  0x0000000000645770 in ?? ()
#4  0x00000000006456ef in ?? ()

Thread 1 (Thread 0x7f0a97db1740 (LWP 12) "bank"):
#0  0x00007f0a97e5 in __libc_recv (fd=5) at ../sysdeps/unix/sysv/linux/recv.c:28
#1  0x0000564a6f8d5260 in main ()
"""
EU_STACK = """PID 12 - process
TID 12:
#0  0x00007f0a97e5 __libc_recv
#1  0x0000564a6f8d main
TID 13:
#0  0x00007f0a97 futex_wait
"""
PY_SPY = """Process 12: python3 app.py
Python v3.11.2 (/usr/bin/python3.11)

Thread 12 (idle): "MainThread"
    recv (app.py:7)
    <module> (app.py:30)
Thread 13 (idle): "worker"
    acquire (threading.py:320)
"""
JSTACK = """"main" #1 [12] prio=5 os_prio=0 cpu=50.00ms elapsed=6.00s tid=0x00007f8c nid=12 runnable  [0x00007f]
   java.lang.Thread.State: RUNNABLE
\tat java.net.SocketInputStream.socketRead0(java.base@17.0.1/Native Method)

"worker" #12 prio=5 os_prio=0 cpu=0.1ms elapsed=5.7s tid=0x00007f8d nid=0xd waiting for monitor entry  [0x00007f]
   java.lang.Thread.State: BLOCKED (on object monitor)
\tat Hang.main(Hang.java:3)
\t- waiting to lock <0x0000000711a1> (a java.lang.Object)
"""
GO = """SIGQUIT: quit
PC=0x46d4e1 m=0 sigcode=0

goroutine 1 [chan receive (nil chan), 5 minutes]:
main.worker(...)
\t/srv/hang.go:2
main.main()
\t/srv/hang.go:3 +0x45

goroutine 18 [semacquire]:
sync.runtime_Semacquire(0xc00001c0a8?)
\t/usr/lib/go/src/runtime/sema.go:62 +0x25
main.wait(0xc00001c0a0)
\t/srv/hang.go:9 +0x48
"""
JAVA_FRAME = "java.net.SocketInputStream.socketRead0(java.base@17.0.1/Native Method)"
FRAMES = {
    "gdb": (GDB, ["__libc_recv (../sysdeps/unix/sysv/linux/recv.c:28)", "main"], "transfer (bank.c:12)"),
    "eu-stack": (EU_STACK, ["__libc_recv", "main"], "futex_wait"),
    "py-spy": (PY_SPY, ["recv (app.py:7)", "<module> (app.py:30)"], "acquire (threading.py:320)"),
    "jstack": (
        JSTACK,
        ["java.net.SocketInputStream.socketRead0(java.base@17.0.1/Native Method)"],
        "Hang.main(Hang.java:3)",
    ),
}


def waiting(tmp_path, *options, trace=TRACE):
    path = tmp_path / "t.strace"
    path.write_text(trace)
    done = tracediag("analyze", "--format", "json", *options, path)
    assert done.returncode in (0, 1), done.stderr
    return {each["pid"]: each for each in json.loads(done.stdout)["waiting"]}


@pytest.mark.parametrize("form", FRAMES)
def test_each_thread_has_its_frames(tmp_path, form):
    text, first, other = FRAMES[form]
    (tmp_path / "stacks").write_text(text)
    found = waiting(tmp_path, "--stacks", tmp_path / "stacks")
    assert found[12]["stack"] == first
    assert other in found[13]["stack"]
    assert found[13]["stack"].count("??") < 2


def test_goroutines_stand_beside_one_thread(tmp_path):
    (tmp_path / "stacks").write_text(GO)
    found = waiting(tmp_path, "--stacks", tmp_path / "stacks")
    assert [each["stack"] for each in found.values() if each["stack"]] == [
        [
            "goroutine 1 [chan receive (nil chan), 5 minutes] in main.worker",
            "goroutine 18 [semacquire] in main.wait",
        ]
    ]


@pytest.mark.parametrize(("option", "said"), [("--stacks", "no stacks of gdb"), ("--fds", "no listing of ls")])
def test_a_file_of_another_form_is_told(tmp_path, option, said):
    (tmp_path / "t.strace").write_text(TRACE)
    (tmp_path / "other").write_text("nothing\n")
    done = tracediag("analyze", option, tmp_path / "other", tmp_path / "t.strace")
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


LS = """total 0
lr-x------ 1 root root 64 Nov 28 13:33 5 -> pipe:[2053622]
lrwx------ 1 root root 64 Nov 28 13:33 6 -> /dev/pts/0
"""
LSOF = (
    "COMMAND   PID USER   FD      TYPE  DEVICE SIZE/OFF    NODE NAME\n"
    "bank       12 root  mem       REG   254,0    27028  537862 /usr/lib/x.so\n"
    "bank       12 root    5u     IPv4 2052362      0t0     TCP 127.0.0.1:36607->127.0.0.1:52976 (ESTABLISHED)\n"
)
SS = (
    "State  Recv-Q Send-Q Local Address:Port  Peer Address:Port Process\n"
    'ESTAB  0      0          127.0.0.1:36607    127.0.0.1:52976 users:(("bank",pid=12,fd=5))\n'
)


@pytest.mark.parametrize("listing", [LSOF, SS], ids=["lsof", "ss"])
@pytest.mark.parametrize("pid", ["12 ", ""], ids=["pids", "no-pids"])
def test_a_socket_has_its_addresses(tmp_path, listing, pid):
    (tmp_path / "fds").write_text(listing)
    found = waiting(tmp_path, "--fds", tmp_path / "fds", trace=f"{pid}recvfrom(5,  <unfinished ...>\n")
    (each,) = found.values()
    assert each["object"] == "fd 5 (TCP 127.0.0.1:36607 -> 127.0.0.1:52976)"
    assert "the peer 127.0.0.1:52976 sends nothing" in each["reason"]


def test_ls_is_of_the_only_process(tmp_path):
    (tmp_path / "fds").write_text(LS)
    found = waiting(tmp_path, "--fds", tmp_path / "fds", trace="12 read(5,  <unfinished ...>\n")
    assert found[12]["object"] == "fd 5 (pipe, read end)"
    assert found[12]["reason"].startswith("it waits until data is written into the pipe")


@needs_strace
@pytest.mark.skipif(shutil.which("gdb") is None, reason="needs gdb")
def test_the_stacks_of_a_living_process(tmp_path):
    with hung.hanging(hung.DEADLOCK) as process:
        gdb = ("gdb", "-p", str(process.pid), "-batch", "-ex", "thread apply all bt")
        stacks = subprocess.run(gdb, capture_output=True, text=True, check=False).stdout
        (tmp_path / "stacks").write_text(stacks)
        trace = tmp_path / "t.strace"
        strace = subprocess.Popen(["strace", "-qfo", trace, "-p", str(process.pid)])
        limit = time.monotonic() + 60
        while not trace.exists() or trace.read_text().count("futex(") < 3:  # one thread is attached after the other
            assert time.monotonic() < limit
            time.sleep(0.02)
        os.kill(strace.pid, signal.SIGINT)
        strace.wait()
        found = waiting(tmp_path, "--stacks", tmp_path / "stacks", trace=trace.read_text())
    assert sum(any("pthread_mutex_lock" in frame for frame in each["stack"]) for each in found.values()) == 2
