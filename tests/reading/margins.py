"""What stands around the lines of a trace once a logger, a pager, a page or a person has shown it.

`MARGINS` maps a name to a function from the lines of a bare trace to the lines that a user pastes. Each is damage of
the margin only: the reader must see the calls of the bare trace. Loggers, numbers, marks and encodings have a table
each; `WRAPS` also breaks lines, so that the numbers of lines differ as well.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable
from quopri import encodestring
from textwrap import wrap

Margin = Callable[[list[str]], list[str]]


def before(form: str) -> Margin:
    """Write a form before each line: {n} is its number, {s} a second, {us} microseconds, all rising."""

    def show(lines: list[str]) -> list[str]:
        return [
            form.format(n=n, s=f"{n // 7 % 60:02}", us=f"{n * 137 % 1_000_000:06}", pid=4321) + line
            for n, line in enumerate(lines, 1)
        ]

    return show


def around(left: str, right: str) -> Margin:
    def show(lines: list[str]) -> list[str]:
        return [left + line + right for line in lines]

    return show


def each(change: Callable[[str], str]) -> Margin:
    def show(lines: list[str]) -> list[str]:
        return [change(line) for line in lines]

    return show


def over(*margins: Margin) -> Margin:
    """Apply several margins, the innermost first."""

    def show(lines: list[str]) -> list[str]:
        for margin in margins:
            lines = margin(lines)
        return lines

    return show


def _in_a_box(sides: str) -> Margin:
    def show(lines: list[str]) -> list[str]:
        width = max(map(len, lines))
        return [f"{sides[0]} {line:<{width}} {sides[1]}" for line in lines]

    return show


def _partial(lines: list[str]) -> list[str]:
    """Cut long lines as a container runtime does."""
    shown = []
    for line in lines:
        parts = [line[at : at + 90] for at in range(0, len(line), 90)] or [""]
        shown += [f"2026-11-23T10:00:00.123456789Z stderr P {part}" for part in parts[:-1]]
        shown.append(f"2026-11-23T10:00:00.123456789Z stderr F {parts[-1]}")
    return shown


def _csv(*columns: str) -> Margin:
    def show(lines: list[str]) -> list[str]:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL if not columns else csv.QUOTE_MINIMAL)
        writer.writerows([*columns, line] for line in lines)
        return out.getvalue().splitlines()

    return show


def _object(key: str, **others: object) -> Margin:
    return each(lambda line: json.dumps({key: line, **others}))


def _html(line: str) -> str:
    return html.escape(line)


def _coloured(escape: str) -> Margin:
    def paint(line: str) -> str:
        line = re.sub(r"^((?:\[pid +\d+\] |\d+ +)?)([a-z_]\w*)\(", rf"\1{escape}[33m\2{escape}[0m(", line)
        return re.sub(r"= (-?\d+|\?)", rf"= {escape}[32m\1{escape}[0m", line)

    return each(paint)


def _typographic(line: str) -> str:
    return re.sub(r'"([^"]*)"', "\u201c\\1\u201d", line).replace("= -1 ", "= \u22121 ").replace("...", "\u2026")


def _markdown(line: str) -> str:
    return re.sub(r"([_()\[\]|*`<>#])", r"\\\1", line)


def _quoted_printable(lines: list[str]) -> list[str]:
    text = "\n".join(lines) + "\n"
    return encodestring(text.encode("utf-8", "surrogateescape")).decode("ascii").splitlines()


def hard(width: int) -> Margin:
    """Break lines as a terminal does: at the column, wherever that is."""

    def show(lines: list[str]) -> list[str]:
        return [line[at : at + width] for line in lines for at in range(0, max(len(line), 1), width)]

    return show


def soft(width: int) -> Margin:
    """Break lines as a mail program does: between words."""

    def show(lines: list[str]) -> list[str]:
        return [
            part
            for line in lines
            for part in wrap(line, width, break_long_words=False, break_on_hyphens=False, drop_whitespace=True)
        ]

    return show


LOGGERS: dict[str, Margin] = {
    "syslog": before("Nov 23 10:00:{s} web01 app[12]: "),
    "syslog day 3": before("Nov  3 10:00:{s} host app[12]: "),
    "syslog without a pid": before("Nov 23 10:00:{s} host app: "),
    "syslog tag strace": before("Nov 23 10:00:{s} web01 strace: "),
    "syslog 5424": before("<34>1 2026-11-23T10:00:{s}.003Z host app 12 ID47 - "),
    "syslog 5424 with data": before('<34>1 2026-11-23T10:00:{s}.003Z host app 12 - [a@1 k="v"] '),
    "syslog iso": before("2026-11-23T10:00:{s}.{us}+01:00 host app[12]: "),
    "journal precise": before("Nov 23 10:00:{s}.{us} db-1.example.com app.sh[12]: "),
    "journal iso": before("2026-11-23T10:00:{s}+0000 host app[12]: "),
    "cri": before("2026-11-23T10:00:{s}.{us}789Z stderr F "),
    "docker": lambda lines: [json.dumps({"log": line + "\n", "stream": "stderr"}) for line in lines],
    "kubectl prefix": before("[pod/web-5d4/app] "),
    "kubectl times": before("2026-11-23T10:00:{s}.{us}789Z "),
    "kubectl prefix and times": before("[pod/web-5d4/app] 2026-11-23T10:00:{s}.{us}789Z "),
    "compose": before("my_service-1  | "),
    "compose plain word": before("web | "),
    "github raw": before("2026-11-23T10:00:{s}.{us}7Z "),
    "github job and step": before("build\tRun make test\t2026-11-23T10:00:{s}.{us}7Z "),
    "gitlab": before("2026-11-23T10:00:{s}.{us}Z 01O "),
    "jenkins": before("[2026-11-23T10:00:{s}.123Z] "),
    "jenkins with a clock": before("10:00:{s}  "),
    "ts": before("Nov 23 10:00:{s} "),
    "ts in brackets": before("[10:00:{s}.{us}] "),
    "date and clock": before("2026-11-23 10:00:{s} "),
    "foreman": before("10:00:{s} web.1   | "),
    "honcho": before("10:00:{s} system | "),
    "logcat brief": before("I/strace  ( 1234): "),
    "logcat threadtime": before("11-23 10:00:{s}.123  1234  1234 I strace  : "),
    "log4j": before("2026-11-23 10:00:{s},123 [main] INFO  com.example.App - "),
    "python logging": before("2026-11-23 10:00:{s},123 - root - INFO - "),
    "python basic": before("INFO:root:"),
    "logfmt": each(lambda line: f"time=2026-11-23T10:00:00Z level=info msg={json.dumps(line)}"),
    "dmesg": before("[   12.{us}] "),
    "strace tag": before("strace: "),
    "stderr tag": before("[stderr] "),
    "stderr word": before("stderr | "),
    "loki": before('2026-11-23T10:00:{s}Z {{app="web"}} '),
}
NUMBERS: dict[str, Margin] = {
    "cat -n": before("{n:6}\t"),
    "cat -n with blanks": before("{n:6}  "),
    "less -N": before("{n:7} "),
    "less -N from 840": lambda lines: [f"{n:7} {line}" for n, line in enumerate(lines, 840)],
    "grep -n": before("{n}:"),
    "grep -n with a file": before("run.log:{n}:"),
    "grep with a file": before("run.log:"),
    "grep with a path": before("/var/log/app/run-1.log:{n}:"),
    "colon": before("{n}: "),
    "full stop": before("{n}. "),
    "parenthesis": before("{n}) "),
    "bar": before("{n}|"),
    "bar in columns": before("{n:4} | "),
    "L": before("L{n} "),
    "L with a colon": before("L{n}: "),
    "brackets": before("[{n}] "),
    "plain": before("{n} "),
    "padded with zeros": before("{n:04} "),
    "glued": before("{n}"),
}
MARKS: dict[str, Margin] = {
    "diff": before("+"),
    "xtrace": before("+ "),
    "quote": before("> "),
    "two quotes": before("> > "),
    "indent": before("    "),
    "tab": before("\t"),
    "comment": before("# "),
    "box": _in_a_box("││"),
    "ascii box": _in_a_box("||"),
    "table": around("| ", " |"),
    "numbered table": over(around("", " |"), before("| {n} | ")),
    "html table": over(each(_html), around("", "</td></tr>"), before("<tr><td>{n}</td><td>")),
    "bold": around("**", "**"),
    "code": around("`", "`"),
    "list": before("- "),
}
ENCODINGS: dict[str, Margin] = {
    "json message": _object("message", level="info"),
    "json nested": each(lambda line: json.dumps({"kubernetes": {"pod": "web"}, "log": {"message": line}})),
    "json list": lambda lines: ["[", *(f"  {json.dumps(line)}," for line in lines), "]"],
    "json go": each(lambda line: json.dumps({"log": line + "\n"}).replace("<", "\\u003c").replace(">", "\\u003e")),
    "repr list": lambda lines: ["[", *(f" {line!r}," for line in lines), "]"],
    "repr list in one line": lambda lines: [repr(lines)],
    "repr": lambda lines: [repr("\n".join(lines) + "\n")],
    "repr of bytes": lambda lines: [repr("\n".join(lines).encode())],
    "json string": lambda lines: [json.dumps("\n".join(lines) + "\n")],
    "json list in one line": lambda lines: [json.dumps(lines)],
    "c strings": each(lambda line: json.dumps(line + "\n")),
    "ansible json": lambda lines: [
        '    "stderr_lines": [',
        *(f"        {json.dumps(line)}," for line in lines),
        "    ]",
    ],
    "yaml list": lambda lines: ["stderr_lines:", *(f"- '{line.replace(chr(39), chr(39) * 2)}'" for line in lines)],
    "yaml block": lambda lines: ["stderr: |-", *(f"    {line}" for line in lines)],
    "csv": _csv(),
    "csv with columns": _csv("2026-11-23", "web01"),
    "html": each(_html),
    "html twice": each(lambda line: html.escape(html.escape(line))),
    "html breaks": over(each(_html), around("", "<br>")),
    "colours": _coloured("\x1b"),
    "colours as carets": _coloured("^["),
    "colours without escape": _coloured(""),
    "typographic": each(_typographic),
    "no-break spaces": each(lambda line: line.replace(" ", "\u00a0")),
    "en dash": each(lambda line: line.replace("= -1 ", "= \u20131 ")),
    "markdown": each(_markdown),
    "carriage returns": around("", "\r"),
    "quoted-printable": _quoted_printable,
}
WRAPS: dict[str, Margin] = {
    "terminal of 80": hard(80),
    "terminal of 100": hard(100),
    "mail of 72": soft(72),
    "mail of 80": soft(80),
    "quoted terminal of 80": over(hard(80), before("> ")),
    "quoted mail of 72": over(soft(72), before("> ")),
    "cri in parts": _partial,
}
MIXED: dict[str, Margin] = {
    "journal in a quote": over(before("Nov 23 10:00:{s} host app[12]: "), before("> ")),
    "numbered compose": over(before("web-1  | "), before("{n}: ")),
    "cri as json": over(before("2026-11-23T10:00:{s}.{us}Z stderr F "), _object("log")),
    "html in a numbered list": over(each(_html), before("{n}. ")),
    "coloured compose": over(_coloured("\x1b"), before("\x1b[36mweb-1  |\x1b[0m ")),
}
MARGINS: dict[str, Margin] = LOGGERS | NUMBERS | MARKS | ENCODINGS | WRAPS | MIXED
