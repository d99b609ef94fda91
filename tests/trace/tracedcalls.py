"""Turns a line of a trace into its call."""

import re

from tracediag.parsing import parser_for
from tracediag.trace.events import Syscall

LINE = re.compile(r"(\w+)\((.*)\) += .*")


def call(line: str) -> Syscall:
    name, body = LINE.fullmatch(line).groups()
    return Syscall(line=1, name=name, body=body, parser=parser_for(name))
