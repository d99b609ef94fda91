"""Records the bundled server under strace, faultless and with each fault: `python3 record.py [NAME...]`.

Needs root or a writable /srv/tracediag, strace and, for `none-ab`, ab. Only the standard library is used.
"""

import compileall
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SERVER = HERE.parents[1] / "tracediag" / "epollserver"
HOME = Path("/srv/tracediag")
LOG = HOME / "access.log"
PYTHON = "/usr/bin/python3"
NEUTRAL = {"PATH": "/usr/bin:/bin", "HOME": str(HOME)}
# -E -s -S: the environment, the user and the site add nothing to the start-up.
COMMAND = [PYTHON, "-EsS", "-m", "epollserver", "--log", str(LOG)]
FORMS = {".strace": ["-f", "-ttt", "-T", "-yy"], ".f.strace": ["-f"]}
AB = ["ab", "-q", "-k", "-n", "100", "-c", "8"]


def main(names: list[str]) -> None:
    install()
    for name in names or ["none", "none-ab", *faults()]:
        for suffix, options in FORMS.items():
            if name != "none-ab" or suffix == ".strace":
                record(name, HERE / f"{name}{suffix}", options)
    shutil.rmtree(HOME / "epollserver")


def install() -> None:
    """Copy the server to a neutral place, so that the traces show no path of this checkout."""
    HOME.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(HOME / "epollserver", ignore_errors=True)
    shutil.copytree(SERVER, HOME / "epollserver", ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(HOME / "epollserver", quiet=1)


def faults() -> list[str]:
    """Ask the server for the names of its faults."""
    code = "import epollserver; print(*epollserver.FAULTS)"
    return subprocess.check_output([PYTHON, "-c", code], cwd=HOME, env=NEUTRAL, text=True).split()


def record(name: str, trace: Path, options: list[str]) -> None:
    """Start a server under strace, drive it, stop it."""
    fault = [] if name.startswith("none") else ["--fault", name]
    command = ["strace", *options, "-o", str(trace), *COMMAND, *fault]
    LOG.unlink(missing_ok=True)
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=HOME, env=NEUTRAL, text=True, **streams) as strace:
        port = strace.stdout.readline().rpartition(":")[2].strip()
        outcome = load(name, port, fault)
        stop(strace)
    LOG.unlink(missing_ok=True)
    print(f"{trace.name:28} {trace.stat().st_size // 1024:4} KB   {outcome}")


def load(name: str, port: str, fault: list[str]) -> str:
    """Send the server its clients; tell what they said last."""
    if name == "none-ab":
        driver = [*AB, f"http://127.0.0.1:{port}/"]
    else:
        driver = [PYTHON, "-m", "epollserver.scenarios", port, *fault]
    done = subprocess.run(driver, cwd=HOME, env=NEUTRAL, capture_output=True, text=True, timeout=60)
    lines = [line for line in done.stdout.splitlines() if "answered" in line or "requests:" in line]
    return "; ".join(" ".join(line.split()) for line in lines)


def stop(strace: subprocess.Popen) -> None:
    """End the traced server by SIGTERM (strace keeps that from itself), or by SIGKILL if it does not hear."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for child in Path(f"/proc/{strace.pid}/task/{strace.pid}/children").read_text().split():
            os.kill(int(child), number)
        try:
            strace.wait(timeout=5)
        except subprocess.TimeoutExpired:
            continue
        return


if __name__ == "__main__":
    main(sys.argv[1:])
