"""The rules of `outcome/` beyond their pages: other programs, other calls, and what looks alike and is right."""

from __future__ import annotations

import pytest

from tracediag.api import analyze
from tracediag.results.findings import Finding, Severity

_SCRIPT = r"""
18567 execve("/usr/bin/bash", ["bash"], 0x7fff8750fb08 /* 1 var */) = 0
18567 read(0, "echo one\ncat >/dev/null\necho two"..., 33) = 33
18567 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7fc0d9c0ea10) = 18568
18568 execve("/usr/bin/cat", ["cat"], 0x55f5a2378440 /* 4 vars */) = 0
18568 read(0, "echo two\n", 131072)     = 9
18568 read(0, "", 131072)               = 0
18568 +++ exited with 0 +++
18567 read(0, "", 33)                   = 0
18567 +++ exited with 0 +++
"""
"""A script on standard input: `bash < script`."""
_ONCE = r"""
3218  execve("./ino", ["./ino", "f", "0x80000002"], 0x7ffdc7c52518 /* 36 vars */) = 0
3218  inotify_init1(IN_CLOEXEC)         = 3
3218  inotify_add_watch(3, "f", IN_MODIFY|IN_ONESHOT) = 1
3218  read(3, "\1\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\200\0\0\0\0\0\0\0\0\0\0", 4096) = 32
3218  read(3, 0x7fffc5a19a30, 4096)     = ? ERESTARTSYS (To be restarted if SA_RESTART is set)
3218  +++ killed by SIGTERM +++
"""
_REFUSED_LATER = r"""
22404 execve("/usr/bin/python3", ["python3", "server.py"], 0x7fff2d2bcfb0 /* 35 vars */) = 0
22404 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 3
22404 bind(3, {sa_family=AF_INET, sin_port=htons(8099), sin_addr=inet_addr("127.0.0.1")}, 16) = 0
22404 listen(3, 5)                      = 0
22404 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f3bd94f7310) = 22419
22419 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_TCP) = 7
22419 connect(7, {sa_family=AF_INET, sin_port=htons(8099), sin_addr=inet_addr("192.0.2.2")}, 16) = -1 EINPROGRESS
22419 getsockopt(7, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0
22419 exit_group(1)                     = ?
22419 +++ exited with 1 +++
22404 +++ exited with 0 +++
"""
_TIMERS = r"""
2740  execve("./t1", ["./t1"], 0x7ffe138fd4d8 /* 35 vars */) = 0
2740  setitimer(ITIMER_REAL, {it_interval={tv_sec=1, tv_usec=0}, it_value={tv_sec=0, tv_usec=0}}, NULL) = 0
2740  timer_create(CLOCK_MONOTONIC, {sigev_signo=0, sigev_notify=SIGEV_NONE}, [0]) = 0
2740  timer_settime(0, 0, {it_interval={tv_sec=1, tv_nsec=0}, it_value={tv_sec=0, tv_nsec=0}}, NULL) = 0
2740  +++ exited with 0 +++
"""
_KEY_ERROR = r"""
7 execve("/usr/bin/python3", ["python3", "main.py"], 0x7ffe138fd4d8 /* 2 vars */) = 0
7 openat(AT_FDCWD, "/srv/app/main.py", O_RDONLY|O_CLOEXEC) = 3
7 openat(AT_FDCWD, "/srv/app/random.py", O_RDONLY|O_CLOEXEC) = 3
7 write(2, "KeyError: 'port'\n", 17) = 17
7 +++ exited with 1 +++
"""


def _found(text: str, rule: str) -> tuple[Finding, ...]:
    return analyze([f"{line}\n" for line in text.strip().splitlines()], select=[rule]).findings


def _without(text: str, *parts: str) -> str:
    return "\n".join(line for line in text.splitlines() if not any(part in line for part in parts))


def test_a_command_takes_the_rest_of_a_script() -> None:
    (finding,) = _found(_SCRIPT, "loop-input-eaten")
    assert finding.title.startswith("cat (pid 18568) consumes the rest of the standard input of bash (pid 18567)")


def test_a_command_that_finds_nothing_has_taken_nothing() -> None:
    assert _found(_without(_SCRIPT, '"echo two'), "loop-input-eaten") == ()


def test_a_shell_that_does_not_read_again_has_given_its_input_away() -> None:
    assert _found(_without(_SCRIPT, '18567 read(0, ""'), "loop-input-eaten") == ()


def test_a_shell_that_reads_on_has_lost_no_end() -> None:
    more = _SCRIPT.replace('18567 read(0, "", 33)                   = 0', r'18567 read(0, "exit\n", 33) = 5')
    assert _found(more, "loop-input-eaten") == ()


def test_a_watch_for_one_event() -> None:
    (finding,) = _found(_ONCE, "watch-cannot-match")
    assert "ended with the first event" in finding.title
    assert "IN_ONESHOT" in finding.fix


def test_a_watch_that_is_added_again() -> None:
    again = _ONCE.replace(
        "3218  read(3, 0x", '3218  inotify_add_watch(3, "f", IN_MODIFY|IN_ONESHOT) = 2\n3218  read(3, 0x'
    )
    assert _found(again, "watch-cannot-match") == ()


def test_a_program_that_waits_for_something_else_does_not_wait_for_the_watch() -> None:
    assert _found(_ONCE.replace("read(3, 0x7fffc5a19a30", "read(0, 0x7fffc5a19a30"), "watch-cannot-match") == ()


def test_a_connect_that_is_refused_later() -> None:
    (finding,) = _found(_REFUSED_LATER, "listens-on-loopback-only")
    assert finding.title.endswith("asks for 192.0.2.2:8099, if that is this host")
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize("port", [8098, 0])
def test_a_listener_on_another_port_refuses_nothing(port: int) -> None:
    other = _REFUSED_LATER.replace('htons(8099), sin_addr=inet_addr("127', f'htons({port}), sin_addr=inet_addr("127')
    assert [finding.severity for finding in _found(other, "listens-on-loopback-only")] == []


def test_a_listener_that_is_closed_is_not_to_blame() -> None:
    closed = _REFUSED_LATER.replace("22404 clone", "22404 close(3) = 0\n22404 clone")
    assert _found(closed, "listens-on-loopback-only") == ()


def test_a_worker_that_is_not_followed_may_accept() -> None:
    alone = _without(_REFUSED_LATER, "22419 ", "exited")
    assert _found(alone, "listens-on-loopback-only") == ()
    (finding,) = _found(_without(alone, "clone"), "listens-on-loopback-only")
    assert finding.severity is Severity.NOTE


def test_timers_that_are_no_descriptors() -> None:
    titles = [finding.title for finding in _found(_TIMERS, "timer-disarmed")]
    assert [title.partition(" never")[0] for title in titles] == [
        "the timer of setitimer",
        "the timer of timer_settime",
    ]


def test_a_timer_that_is_armed_later() -> None:
    armed = (
        "2740  setitimer(ITIMER_REAL, {it_interval={tv_sec=1, tv_usec=0}, it_value={tv_sec=1, tv_usec=0}}, NULL) = 0\n"
    )
    last = "2740  +++ exited"
    assert len(_found(_TIMERS.replace(last, armed + last), "timer-disarmed")) == 1


def test_a_message_about_something_else_blames_no_module() -> None:
    assert _found(_KEY_ERROR, "shadowed-module") == ()


def test_a_package_of_the_program_shadows_nothing() -> None:
    said = "AttributeError: module 'random' has no attribute 'randint'"
    text = _KEY_ERROR.replace("KeyError: 'port'", said)
    assert len(_found(text, "shadowed-module")) == 1
    assert _found(text.replace("app/random", "app/tools/random"), "shadowed-module") == ()
    assert _found(text.replace("/srv/app/random", "/usr/lib/python3.11/random"), "shadowed-module") == ()


_PARSED = r"""
7 execve("/usr/bin/app", ["app"], 0x7ffe138fd4d8 /* 2 vars */) = 0
7 openat(AT_FDCWD, "/etc/app/app.json", O_RDONLY|O_CLOEXEC) = 3
7 read(3, "{\"a\": 1", 4096) = 7
7 openat(AT_FDCWD, "/etc/app/words.yaml", O_RDONLY|O_CLOEXEC) = 4
7 read(4, "a: 1\n", 4096) = 5
7 openat(AT_FDCWD, "/srv/app/package.json", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file or directory)
7 write(2, "{0}\n", 99) = 99
7 +++ exited with 1 +++
"""


@pytest.mark.parametrize(
    ("said", "path", "confidence"),
    [
        ("app.json: parse error at line 1", "/etc/app/app.json", "likely"),
        ("yaml: line 3: mapping values are not allowed in this context", "/etc/app/words.yaml", "likely"),
        ("syntax error", "/etc/app/words.yaml", "possible"),
        ("unknown key at line 2", "/etc/app/words.yaml", "possible"),
        ("cannot parse argument --foo", None, None),
        ("app: started", None, None),
        ("app: /srv/app/package.json: No such file or directory: failed to parse", None, None),
    ],
)
def test_a_malformed_file_is_the_one_that_the_message_names(
    said: str, path: str | None, confidence: str | None
) -> None:
    found = _found(_PARSED.replace("{0}", said), "malformed-file")
    assert [(one.object, one.confidence) for one in found] == ([(path, confidence)] if path else [])


def test_a_file_whose_text_is_well_formed_is_not_meant() -> None:
    said = "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"
    lines = _PARSED.replace("words.yaml", "nsswitch.conf").replace("/etc/app/nss", "/etc/nss").replace("{0}", said)
    (found,) = _found(lines, "malformed-file")
    assert (found.object, found.confidence) == ("/etc/app/app.json", "likely")
    assert _found(lines.replace(r'"{\"a\": 1"', r'"{\"a\": 1}"'), "malformed-file") == ()


def test_a_missing_file_that_no_message_names_does_not_explain_a_text_that_is_malformed() -> None:
    lines = [f"{line}\n" for line in _PARSED.replace("{0}", "app.json: parse error at line 1").strip().splitlines()]
    (finding,) = analyze(lines).findings
    assert finding.name == "malformed-file"
    assert finding.fix.startswith("look at line 1 of /etc/app/app.json and the line above; python3 -m json.tool")


SCRIPT = (
    '7 execve("/usr/bin/perl", ["perl", "main.pl"], 0x7ff /* 9 vars */) = 0\n',
    '7 openat(AT_FDCWD, "main.pl", O_RDONLY|O_CLOEXEC) = 3\n',
)


@pytest.mark.parametrize(
    ("path", "words", "confidence"),
    [
        ("lib/List/Util.pm", "Undefined subroutine &List::Util::sum called at main.pl line 3.", "likely"),
        ("lib/List/Util.pm", "Undefined subroutine &main::sum called at main.pl line 3.", "possible"),
        ("POSIX.pm", 'Can\'t locate object method "new" via package "POSIX" at main.pl line 2.', "likely"),
        ("./Carp.pm", "Carp.pm did not return a true value at main.pl line 1.", "likely"),
        ("lib/List/Util.pm", "Undefined subroutine &My::Tool::sum called at main.pl line 3.", None),
        ("lib/My/Tool.pm", "Undefined subroutine &My::Tool::sum called at main.pl line 3.", None),
        ("/usr/share/perl/5.36/Carp.pm", "Undefined subroutine &Carp::sum called at main.pl line 3.", None),
        ("set.rb", "main.rb:1:in `<main>': uninitialized constant Set (NameError)", "likely"),
        ("lib/yaml.rb", "main.rb:2:in `<main>': undefined method `load' for YAML:Module (NoMethodError)", "likely"),
        ("lib/yaml.rb", "main.rb:2:in `<main>': undefined method `load' for nil:NilClass (NoMethodError)", None),
    ],
)
def test_files_in_place_of_modules_of_perl_and_ruby(path: str, words: str, confidence: str | None) -> None:
    data = words.replace('"', '\\"')
    report = analyze(
        (
            *SCRIPT,
            f'7 openat(AT_FDCWD, "{path}", O_RDONLY|O_CLOEXEC) = 4\n',
            f'7 write(2, "{data}\\n", {len(words) + 1}) = {len(words) + 1}\n',
            "7 exit_group(255) = ?\n",
            "7 +++ exited with 255 +++\n",
        )
    )
    found = [str(finding.confidence) for finding in report.findings if finding.name == "shadowed-module"]
    assert found == ([] if confidence is None else [confidence])
