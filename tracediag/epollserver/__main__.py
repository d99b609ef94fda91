"""Starts the server: `python3 -m tracediag.epollserver`, or by path where tracediag cannot be imported."""

import sys
from importlib import import_module
from pathlib import Path

if not __package__:
    # Run by path (`python3 tracediag/epollserver`): then the folder is a package of its own.
    sys.path.append(str(Path(__file__).resolve().parents[1]))

if __name__ == "__main__":
    sys.exit(import_module(".serving", __package__ or "epollserver").main())
