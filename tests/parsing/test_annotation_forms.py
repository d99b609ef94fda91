import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracediag.trace.annotations import Annotation, parse_annotation

FORMS = {
    "/etc/passwd": Annotation("path", path="/etc/passwd"),
    "/tmp/foo-": Annotation("path", path="/tmp/foo-"),
    "/a, b) = 3 ->": Annotation("path", path="/a, b) = 3 ->"),
    r"/a\76b\303\251\"": Annotation("path", path='/a>bé"'),
    r"/a\x0ab\n": Annotation("path", path="/a\nb\n"),
    "/tmp/x (deleted)": Annotation("path", path="/tmp/x", deleted=True),  # before 5.10
    "/dev/null<char 1:3>": Annotation("device", path="/dev/null", device="char 1:3"),
    "/dev/ptmx<char 5:2 @/dev/pts/0>": Annotation("device", path="/dev/ptmx", device="char 5:2", peer="/dev/pts/0"),
    "/dev/vda<block 254:0>": Annotation("device", path="/dev/vda", device="block 254:0"),
    "pipe:[7]": Annotation("pipe", inode=7),
    "socket:[7]": Annotation("socket", inode=7),
    "(null):[7->8]": Annotation("socket", inode=7, peer="8"),  # 4.8
    "TCP:[7]": Annotation("socket", protocol="TCP", inode=7),
    "TCP:[127.0.0.1:80]": Annotation("socket", protocol="TCP", local="127.0.0.1:80"),
    "TCP:[127.0.0.1:80->10.0.0.1:5]": Annotation("socket", protocol="TCP", local="127.0.0.1:80", peer="10.0.0.1:5"),
    "TCPv6:[[::1]:80->[::1]:5]": Annotation("socket", protocol="TCPv6", local="[::1]:80", peer="[::1]:5"),
    "UNIX-STREAM:[1->2]": Annotation("socket", protocol="UNIX-STREAM", inode=1, peer="2"),
    'UNIX-STREAM:[1->2, "/r\\"]x"]': Annotation("socket", protocol="UNIX-STREAM", inode=1, peer="2", path='/r"]x'),
    'UNIX-DGRAM:[1,@"abs"]': Annotation("socket", protocol="UNIX-DGRAM", inode=1, path="@abs"),
    "NETLINK:[ROUTE:7]": Annotation("socket", protocol="NETLINK", local="ROUTE:7"),
    "anon_inode:[eventpoll]": Annotation("eventpoll"),
    "anon_inode:inotify": Annotation("inotify"),
    "anon_inode:[eventfd]": Annotation("eventfd"),
    "{eventfd-count=0x1, eventfd-id=1, eventfd-semaphore=0}": Annotation("eventfd"),  # 6.10
    "signalfd:[INT QUIT]": Annotation("signalfd", local="INT QUIT"),
    "pid:21": Annotation("pidfd", local="21"),
    "pid:21<procs>": Annotation("pidfd", local="21", path="procs"),
    "pidfd:[7]": Annotation("pidfd", inode=7),
    "mnt:[4026531841]": Annotation("namespace", protocol="mnt", inode=4026531841),
    "python3": Annotation("name", path="python3"),
    "": Annotation("name"),
}


@pytest.mark.parametrize("note", FORMS)
def test_each_form(note):
    assert parse_annotation(note) == FORMS[note]


def test_deleted_is_handed_on():
    assert parse_annotation("/x", True).deleted


@given(st.text('/[]{}<>:->"@\\, 0aT.', max_size=40) | st.text())
def test_any_text_gives_an_annotation(note):
    assert isinstance(parse_annotation(note), Annotation)


@pytest.mark.parametrize("unit", ["/<", "->", '"', "[", "\\", "TCP:[", "<char 1:3>", "1->", "pid:1<", '1,"', "[["])
def test_long_notes_return(unit):
    for head in ("", "/", "TCP:[", "pid:1<", 'UNIX:[1,"'):
        parse_annotation(head + unit * (200_000 // len(unit)))
