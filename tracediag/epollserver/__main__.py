"""Starts the server: `python3 -m tracediag.epollserver`, or by path where tracediag cannot be imported."""

import sys

if not __package__:
    # Run by path (`python3 tracediag/epollserver`): the folder is then a package of its own, as in PEP 366.
    from pathlib import Path

    sys.path.append(str(Path(__file__).resolve().parents[1]))
    __package__ = "epollserver"

from .serving import main

if __name__ == "__main__":
    sys.exit(main())
