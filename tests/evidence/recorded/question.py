"""Records question.*.strace in /srv/tracediag/question: strace and the program in a terminal of their own.

strace is killed while the program waits. The third recording begins after the question.
"""

import os
import pty
import signal
import subprocess
import time

HOME = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}


def terminal(*command: str) -> tuple[int, int]:
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(f"/usr/bin/{command[0]}" if "/" not in command[0] else command[0], command, HOME)
    time.sleep(0.7)
    return pid, fd


def end(pid: int, fd: int) -> None:
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)
    os.close(fd)


end(*terminal("strace", "-f", "-o", "question.whole.strace", "./question"))
end(
    *terminal(
        "strace",
        "-f",
        "-e",
        "trace=process,read,write,openat,close,dup2,pipe2",
        "-o",
        "question.pipe.strace",
        "sh",
        "-c",
        "echo hello | ./question",
    )
)
end(
    *terminal(
        "strace",
        "-f",
        "-ttt",
        "-o",
        "question.bash.strace",
        "-e",
        "trace=execve,read,write,ioctl",
        "bash",
        "-c",
        'read -p "First? " x; read -p "Overwrite all 12 files? (yes/no) " y',
    )
)
pid, fd = terminal("./question")
tracer = subprocess.Popen(["strace", "-y", "-o", "question.late.strace", "-p", str(pid)], env=HOME)
time.sleep(0.7)
tracer.kill()
end(pid, fd)
