# ruff: noqa: PTH102, PTH103, PTH109, PTH115, PTH211
"""Changes its working directory and root in every way, and writes each time what /proc/self/cwd says it is."""

import os
import shutil
import threading


def tell() -> None:
    os.write(1, f"cwd {os.readlink(b'/proc/self/cwd').decode()}\n".encode())


def child() -> None:
    os.chdir("b")
    tell()
    os.fchdir(there)
    tell()
    os.mkdir("jail")
    os.chroot("jail")
    os.chdir("/")
    os.write(1, b"cwd /srv/tracediag/places/jail\n")
    os._exit(0)


shutil.rmtree("/srv/tracediag/places", ignore_errors=True)
os.makedirs("/srv/tracediag/places/a/b")
os.chdir("/srv/tracediag/places")
tell()
there = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
os.symlink("a/b", "link")
os.chdir("a")
tell()
if not (pid := os.fork()):
    child()
os.waitpid(pid, 0)
tell()
os.chdir("../link")
os.getcwd()
tell()
os.chdir("..")
tell()
thread = threading.Thread(target=os.chdir, args=("/srv/tracediag",))
thread.start()
thread.join()
tell()
