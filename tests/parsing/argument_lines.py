"""One line per construct: the text between the parentheses, and its values.

These are typed, and as short as the construct allows: in the forms of strace 6.1, in OLDER and NEWER in those of the
version in the comment above. RECORDED are real bodies, recorded with strace 6.1 under its options.
"""

from pathlib import Path

from tracediag.trace.values import (
    Annotated,
    Array,
    Change,
    Commented,
    Elision,
    Flags,
    Macro,
    Operation,
    Structure,
    Symbol,
    Text,
    Value,
    Words,
)

Line = tuple[str, tuple[Value, ...]]

AT_FDCWD = Symbol("AT_FDCWD")
NULL = Symbol("NULL")
ELISION = Elision()


def struct(**fields: Value) -> Structure:
    return Structure(tuple(fields.items()))


def cut(structure: Structure) -> Structure:
    return Structure(structure.fields, complete=False)


def positional(*values: Value) -> Structure:
    return Structure(tuple(("", value) for value in values))


def flags(text: str, rest: int = 0) -> Flags:
    return Flags(tuple(text.split("|")), rest)


STRINGS: list[Line] = [
    ("", ()),
    (r'1, "he\"l\\o\n", 7', (1, Text(b'he"l\\o\n'), 7)),
    (
        r'3</tmp/rec/a) = 3>, "--- SIGPIPE ---\n+++ \"quoted\" \\ <"..., 56',
        (Annotated(3, "/tmp/rec/a) = 3"), Text(b'--- SIGPIPE ---\n+++ "quoted" \\ <', shortened=True), 56),
    ),
    ('3, "<unfinished ...>", 16', (3, Text(b"<unfinished ...>"), 16)),
    (r'3, "\177ELF\2\1\1\0\0019\33", 832', (3, Text(b"\x7fELF\x02\x01\x01\x00\x019\x1b"), 832)),
    (r'"\x2f\x64\x65\x76", 0', (Text(b"/dev"), 0)),
    (r'"a\x00\xc3\xa9\"\\", 0', (Text(b'a\0\xc3\xa9"\\'), 0)),
    ('""..., 8, GRND_NONBLOCK', (Text(b"", shortened=True), 8, Symbol("GRND_NONBLOCK"))),
    (
        r'7, {sa_family=AF_UNIX, sun_path=@"abs\"tract"}, 12',
        (7, struct(sa_family=Symbol("AF_UNIX"), sun_path=Text(b'abs"tract', abstract=True)), 12),
    ),
]

NUMBERS: list[Line] = [
    ("0, -1, 18446744073709551615, 0x7f3a, -0x1", (0, -1, 18446744073709551615, 0x7F3A, -1)),
    ('AT_FDCWD, "d", 0750', (AT_FDCWD, Text(b"d"), 0o750)),
    ('".", 000', (Text(b"."), 0)),
    (
        "0, RLIMIT_STACK, NULL, {rlim_cur=8192*1024, rlim_max=RLIM64_INFINITY}",
        (0, Symbol("RLIMIT_STACK"), NULL, struct(rlim_cur=8192 * 1024, rlim_max=Symbol("RLIM64_INFINITY"))),
    ),
    ("3, [16], 1<<16|0", (3, Array((16,)), 1 << 16)),
    (
        "{nlmsg_type=NFNL_SUBSYS_NFTABLES<<8|NFT_MSG_NEWTABLE, id=V4L2_CTRL_CLASS_USER+0}",
        (
            struct(
                nlmsg_type=Operation(
                    "|", Operation("<<", Symbol("NFNL_SUBSYS_NFTABLES"), 8), Symbol("NFT_MSG_NEWTABLE")
                ),
                id=Operation("+", Symbol("V4L2_CTRL_CLASS_USER"), 0),
            ),
        ),
    ),
    ("{nl_groups=00000010}", (struct(nl_groups=0x10),)),
    ("{nl_groups=0000008f}", (struct(nl_groups=0x8F),)),
]

FLAGS: list[Line] = [
    ("O_RDWR|O_CREAT|O_CLOEXEC", (flags("O_RDWR|O_CREAT|O_CLOEXEC"),)),
    ("S_IFCHR|0600, MAP_PRIVATE|0x40", (flags("S_IFCHR", 0o600), flags("MAP_PRIVATE", 0x40))),
    ("0x8000|O_CLOEXEC", (flags("O_CLOEXEC", 0x8000),)),
    ("0x301 /* NLM_F_REQUEST|NLM_F_DUMP */", (Commented(0x301, "NLM_F_REQUEST|NLM_F_DUMP"),)),
    ("0x1 /* SOCK_STREAM */|0x80000 /* SOCK_CLOEXEC */", (Commented(0x80001, "SOCK_STREAM|SOCK_CLOEXEC"),)),
    (
        "1<<CAP_CHOWN|1<<CAP_KILL",
        (Operation("|", *(Operation("<<", 1, Symbol(f"CAP_{x}")) for x in ("CHOWN", "KILL"))),),
    ),
    ("-100 /* AT_FDCWD */</tmp>", (Annotated(Commented(-100, "AT_FDCWD"), "/tmp"),)),
    ("!PR_TAGGED_ADDR_ENABLE|PR_MTE_TCF_SYNC", (flags("!PR_TAGGED_ADDR_ENABLE|PR_MTE_TCF_SYNC"),)),
    ("{val=0, error=-ENOSR}", (struct(val=0, error=Symbol("-ENOSR")),)),
    ("{c_iflag=, c_line=0}", (struct(c_iflag=Flags(()), c_line=0),)),
]

MACROS: list[Line] = [
    (
        '3, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("127.0.0.1")}, 16',
        (
            3,
            struct(
                sa_family=Symbol("AF_INET"),
                sin_port=Macro("htons", (0,)),
                sin_addr=Macro("inet_addr", (Text(b"127.0.0.1"),)),
            ),
            16,
        ),
    ),
    (
        '{sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}',
        (
            Structure(
                (
                    ("sin6_flowinfo", Macro("htonl", (0,))),
                    ("", Macro("inet_pton", (Symbol("AF_INET6"), Text(b"::1"), Symbol("&sin6_addr")))),
                    ("sin6_scope_id", 0),
                )
            ),
        ),
    ),
    ("0, _IOC(_IOC_NONE, 0x5a, 0x2c, 0), 0", (0, Macro("_IOC", (Symbol("_IOC_NONE"), 0x5A, 0x2C, 0)), 0)),
    ("{diacr='(', base='\\\\', result='\\''}", (struct(diacr=Text(b"("), base=Text(b"\\"), result=Text(b"'")),)),
    ("[BPF_STMT(BPF_LD|BPF_W|BPF_ABS, 0x4)]", (Array((Macro("BPF_STMT", (flags("BPF_LD|BPF_W|BPF_ABS"), 4)),)),)),
    ("ext=1<<(INET_DIAG_INFO-1)", (Operation("<<", 1, Symbol("INET_DIAG_INFO-1")),)),
    ("{pixelaspect=1/2}", (struct(pixelaspect=Operation("/", 1, 2)),)),
]

STRUCTURES: list[Line] = [
    (
        '"/etc/passwd", {st_mode=S_IFREG|0644, st_size=1221, ...}, 0',
        (Text(b"/etc/passwd"), cut(struct(st_mode=flags("S_IFREG", 0o644), st_size=1221)), 0),
    ),
    ('{ifr_name="lo", ???}', (cut(struct(ifr_name=Text(b"lo"))),)),
    ("{...}, {}", (Structure((), complete=False), Structure(()))),
    (
        "13, EPOLL_CTL_ADD, 5, {events=EPOLLIN|EPOLLRDHUP, data={u32=5, u64=140449725546501}}",
        (
            13,
            Symbol("EPOLL_CTL_ADD"),
            5,
            struct(events=flags("EPOLLIN|EPOLLRDHUP"), data=struct(u32=5, u64=140449725546501)),
        ),
    ),
    (
        "{flags=0, exit_signal=SIGCHLD} => {parent_tid=[1], pidfd=[3]}, 88",
        (
            Change(struct(flags=0, exit_signal=Symbol("SIGCHLD")), struct(parent_tid=Array((1,)), pidfd=Array((3,)))),
            88,
        ),
    ),
    (" => {parent_tid=[45]}, 88", (Change(None, struct(parent_tid=Array((45,)))), 88)),
    ("{len=80 => 40, buf=[]}", (struct(len=Change(80, 40), buf=Array(())),)),
    ("{features=0 => features=UFFD_A}", (struct(features=Change(0, Symbol("UFFD_A"))),)),
    (
        r'{nr=0, /* bytes 32..39 */ "\xa0\xa1"}',
        (Structure((("nr", 0), ("", Commented(Text(b"\xa0\xa1"), "bytes 32..39")))),),
    ),
    ("{m.userptr=0xdec0ded1, length=3}", (Structure((("m.userptr", 0xDEC0DED1), ("length", 3))),)),
    (
        "973, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}], 0, NULL",
        (
            973,
            Array(
                (
                    positional(
                        Operation(
                            "&&",
                            Macro("WIFSIGNALED", (Symbol("s"),)),
                            Operation("==", Macro("WTERMSIG", (Symbol("s"),)), Symbol("SIGKILL")),
                        )
                    ),
                )
            ),
            0,
            NULL,
        ),
    ),
]

ARRAYS: list[Line] = [
    (
        '["sh", "-c", ...], 0x7ffe /* 38 vars */',
        (Array((Text(b"sh"), Text(b"-c")), complete=False), Commented(0x7FFE, "38 vars")),
    ),
    ("[{fd=-1}, ... /* 0xf7f06000 */], 2", (Array((struct(fd=-1),), complete=False), 2)),
    ("3, [5 => 4], [...]", (3, Array((Change(5, 4),)), Array((), complete=False))),
    ("5, [4 6], [], [4 5], NULL", (5, Words((4, 6)), Array(()), Words((4, 5)), NULL)),
    (
        "SIG_BLOCK, ~[RTMIN RT_1], [INT CHLD], ~[], 8",
        (
            Symbol("SIG_BLOCK"),
            Words((Symbol("RTMIN"), Symbol("RT_1")), inverted=True),
            Words((Symbol("INT"), Symbol("CHLD"))),
            Words((), inverted=True),
            8,
        ),
    ),
    ("~[9 /* KILL */ 19 /* STOP */]", (Words((Commented(9, "KILL"), Commented(19, "STOP")), inverted=True),)),
    (
        "[{tv_sec=1, tv_nsec=0} /* 1970-01-01T00:00:01+0000 */, UTIME_NOW]",
        (Array((Commented(struct(tv_sec=1, tv_nsec=0), "1970-01-01T00:00:01+0000"), Symbol("UTIME_NOW"))),),
    ),
    (
        "c_cc=[[VINTR]=0x3, [2 /* X */]=4]",
        (Array((Operation("=", Symbol("VINTR"), 3), Operation("=", Commented(2, "X"), 4))),),
    ),
    (
        '[[{nla_len=10, nla_type=IFLA_ADDRESS}, 00:00:5e:00:53:01], [{nla_len=7}, "lo"]]',
        (
            Array(
                (
                    Array((struct(nla_len=10, nla_type=Symbol("IFLA_ADDRESS")), Symbol("00:00:5e:00:53:01"))),
                    Array((struct(nla_len=7), Text(b"lo"))),
                )
            ),
        ),
    ),
]

ANNOTATED: list[Line] = [
    ("3</tmp/rec/gone>(deleted)", (Annotated(3, "/tmp/rec/gone", deleted=True),)),
    ("3</tmp/rec/foo->, 1", (Annotated(3, "/tmp/rec/foo-"), 1)),
    (r"3</tmp/rec/a\76b>", (Annotated(3, r"/tmp/rec/a\76b"),)),
    ('3</tmp/rec/q"uo>, "x"', (Annotated(3, '/tmp/rec/q"uo'), Text(b"x"))),
    ("AT_FDCWD</tmp>, 1</dev/null<char 1:3>>", (Annotated(AT_FDCWD, "/tmp"), Annotated(1, "/dev/null<char 1:3>"))),
    ("3</dev/ptmx<char 5:2 @/dev/pts/3>>", (Annotated(3, "/dev/ptmx<char 5:2 @/dev/pts/3>"),)),
    (
        "5<TCP:[127.0.0.1:1->127.0.0.1:2]>, 6<UDPv6:[[::1]:4->[::1]:9]>",
        (
            Annotated(5, "TCP:[127.0.0.1:1->127.0.0.1:2]"),
            Annotated(6, "UDPv6:[[::1]:4->[::1]:9]"),
        ),
    ),
    (
        '4<UNIX-STREAM:[1->2, "/a>, b]"]>, 7<UNIX-STREAM:[1,@"abs\\"tract"]>',
        (
            Annotated(4, 'UNIX-STREAM:[1->2, "/a>, b]"]'),
            Annotated(7, 'UNIX-STREAM:[1,@"abs\\"tract"]'),
        ),
    ),
    ("3<pid:21<procs>>, 12<python3>", (Annotated(3, "pid:21<procs>"), Annotated(12, "python3"))),
    ("[7<pipe:[1]> 12</etc/x>]", (Words((Annotated(7, "pipe:[1]"), Annotated(12, "/etc/x"))),)),
    ("45 /* 22641 in strace's PID NS */", (Commented(45, "22641 in strace's PID NS"),)),
    ("<... resuming interrupted read ...>", (Commented(None, "resuming interrupted read"),)),
    (
        "16388 /* IOPRIO_PRIO_VALUE(0x2 /* IOPRIO_CLASS_BE */, 4) */",
        (Commented(16388, "IOPRIO_PRIO_VALUE(0x2 /* IOPRIO_CLASS_BE */, 4)"),),
    ),
]

RESULTS: list[Line] = [
    ("[{fd=5, revents=POLLOUT}]", (Array((struct(fd=5, revents=Symbol("POLLOUT")),)),)),
    ("in [5], left {tv_sec=1}", (Macro("in", (Array((5,)),)), Macro("left", (struct(tv_sec=1),)))),
    ("flags O_RDWR|O_NONBLOCK", (Macro("flags", (flags("O_RDWR|O_NONBLOCK"),)),)),
    ("mnt:[4026532177], pid:[7]", (Macro("mnt", (Array((4026532177,)),)), Macro("pid", (Array((7,)),)))),
    ("Timeout", (Symbol("Timeout"),)),
]

OLDER: list[Line] = [
    # 4.15: the environment
    ('["sh"], [/* 38 vars */]', (Array((Text(b"sh"),)), Array((Commented(None, "38 vars"),)))),
    ("4, /* 5 entries */, 8192", (4, Commented(None, "5 entries"), 8192)),
    # 4.10: fields without names
    ("SIGHUP, NULL, {SIG_IGN, [], 0}, 8", (Symbol("SIGHUP"), NULL, positional(Symbol("SIG_IGN"), Array(()), 0), 8)),
    ('[{"fds", 3}], 1', (Array((positional(Text(b"fds"), 3),)), 1)),
    # 4.8
    ("{msg_name(0)=NULL, msg_iov(1)=[]}", (struct(msg_name=NULL, msg_iov=Array(())),)),
    ("{entry_number:-1 -> 6, base_addr:0xb75}", (struct(entry_number=Change(-1, 6), base_addr=0xB75),)),
    ("4, {sa_family=AF_INET}, [128->16]", (4, struct(sa_family=Symbol("AF_INET")), Array((Change(128, 16),)))),
    (
        "TCGETS, {B38400 opost -isig ...}",
        (Symbol("TCGETS"), Words((Symbol("B38400"), Symbol("opost"), Symbol("-isig"), ELISION))),
    ),
    ("0x7f, FUTEX_WAIT, ffffffff", (0x7F, Symbol("FUTEX_WAIT"), 0xFFFFFFFF)),
    ("[BPF_STMT(BPF_LD | BPF_W, 0)]", (Array((Macro("BPF_STMT", (flags("BPF_LD|BPF_W"), 0)),)),)),
    ("2 * sizeof(struct ifreq)", (Operation("*", 2, Macro("sizeof", (Symbol("struct ifreq"),))),)),
    ("{st_atime=2026/11/23-02:35:38}", (struct(st_atime=Symbol("2026/11/23-02:35:38")),)),
    ("{ 0 }, {(nil)}", (positional(0), positional(NULL))),
    ("{if1, addr(0)={0, }, 20", (Structure((("", Symbol("if1")), ("addr", Symbol("{0, ")))), 20)),
    (
        "{up=1, loads=[1, 2] totalram=4, bufferram=5} totalswap=6, procs=7}",
        (struct(up=1, loads=Array((1, 2)), totalram=4, bufferram=5, totalswap=6, procs=7),),
    ),
    # 4.6: two drivers share a number; a comma is missing
    ("8, SNDCTL_TMR_TIMEBASE or TCGETS, 0x1", (8, Operation("or", Symbol("SNDCTL_TMR_TIMEBASE"), Symbol("TCGETS")), 1)),
    ("985f4f0, {}", (0x985F4F0, Structure(()))),
    ("{cmsg_type=SCM_CREDENTIALS{pid=7}}", (struct(cmsg_type=Macro("SCM_CREDENTIALS", (struct(pid=7),))),)),
    # 4.5
    (
        "{sa_family=AF_FILE, path=@/tmp/.X11-unix/X0}",
        (struct(sa_family=Symbol("AF_FILE"), path=Text(b"/tmp/.X11-unix/X0", abstract=True)),),
    ),
    # 3.x
    ("{sa_family=AF_INET , sin_port=1}", (struct(sa_family=Symbol("AF_INET"), sin_port=1),)),
    # up to 6.12, the first half of a call
    ("3, ", (3,)),
]

NEWER: list[Line] = [
    # 6.10
    ("3<{eventfd-count=0x1, eventfd-id=1}>, 8", (Annotated(3, "{eventfd-count=0x1, eventfd-id=1}"), 8)),
    ("5<signalfd:[INT QUIT]>", (Annotated(5, "signalfd:[INT QUIT]"),)),
    # 6.16, -N
    ("addr=NULL, length=39663, fd=3</x>", (NULL, 39663, Annotated(3, "/x"))),
    ("dirfd=-100 /* AT_FDCWD */, flags=0", (Commented(-100, "AT_FDCWD"), 0)),
    # --secontext
    ("3</x> [lib_t], 4 [lib_t!!other_t]", (Commented(Annotated(3, "/x"), "[lib_t]"), Commented(4, "[lib_t!!other_t]"))),
]

LINES = STRINGS + NUMBERS + FLAGS + MACROS + STRUCTURES + ARRAYS + ANNOTATED + RESULTS + OLDER + NEWER

RECORDED = (Path(__file__).parent / "recorded.txt").read_text(encoding="utf-8").splitlines()
