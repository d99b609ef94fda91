"""The lines of source code of stacks, from the debug information of the programs on this host: `--symbols`.

elf         what of a file is where in memory: the address of a frame as the debug information has it
tools       addr2line or eu-addr2line, asked for many addresses of a file at a time
lookup      which files may be asked: those that are there, and unchanged as far as that can be known
findings    findings with the source files and lines of their frames

Nothing is executed but these tools, and nothing is downloaded.
"""

from tracediag.here.symbols.findings import Symbols
from tracediag.here.symbols.tools import MISSING, REMEDY, find_tool

__all__ = ["MISSING", "REMEDY", "Symbols", "find_tool"]
