import signal
import subprocess
import sys

import pytest
from command_line import environment, tracediag

from tracediag.epollserver.scenarios import drive


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_until_a_signal(number):
    command = [sys.executable, "-m", "tracediag", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as server:
        port = int(server.stdout.readline().removeprefix("listening on 127.0.0.1:"))
        assert not drive(port, None).complaints
        server.send_signal(number)
        assert server.wait(30) == 0


def test_a_port_that_cannot_be_had():
    done = tracediag("serve", "--port", "70000")
    assert done.returncode == 2
    assert done.stderr.startswith("tracediag: cannot serve on port 70000: ")
    assert len(done.stderr.splitlines()) == 1
