"""Runs a server, with or without a fault, until a signal ends it; and its command line."""

import os
import signal
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from functools import partial

from .faults import FAULTS
from .server import Server

STOPPING = (signal.SIGINT, signal.SIGTERM)


def serve(port: int = 0, fault: str | None = None, log: str = os.devnull) -> None:
    """Serve on 127.0.0.1 until SIGTERM or SIGINT; call it in the main thread.

    Port 0 lets the kernel choose; one line on stdout names the port: `listening on 127.0.0.1:PORT`.
    """
    server = create(port, fault, log)
    try:
        stop_on_signals(server)
        print(f"listening on 127.0.0.1:{server.port}", flush=True)  # noqa: T201 - what drivers wait for
        server.run()
    finally:
        signal.set_wakeup_fd(-1)
        server.close()


def create(port: int, fault: str | None, log: str) -> Server:
    """Return a server with `fault`, or the correct one."""
    kind = Server if fault is None else FAULTS[fault].server
    return kind(port, log)


def stop_on_signals(server: Server) -> None:
    """Let SIGTERM and SIGINT wake the loop; a handler alone would not, because Python restarts the wait (PEP 475)."""
    signal.set_wakeup_fd(server.wakeup, warn_on_full_buffer=False)
    for number in STOPPING:
        signal.signal(number, lambda *_: None)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server from the command line."""
    options = parse(arguments)
    serve(options.port, options.fault, options.log)
    return 0


def parse(arguments: Sequence[str] | None) -> Namespace:
    """Parse the command line."""
    parser = ArgumentParser(
        prog="epollserver",
        description="A small HTTP server on epoll, with faults to be found in its trace.",
        epilog="faults:\n" + "\n".join(f"  {fault.name:16} {fault.summary}" for fault in FAULTS.values()),
        # A fixed width avoids importing the modules that query the terminal, and their lines in the trace.
        formatter_class=partial(RawDescriptionHelpFormatter, width=100),
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: any free one)")
    parser.add_argument("--fault", choices=FAULTS, metavar="NAME", help="the fault to inject (default: none)")
    parser.add_argument("--log", default=os.devnull, metavar="FILE", help="append a line per answer to FILE")
    return parser.parse_args(arguments)
