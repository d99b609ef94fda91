"""The call in which a thread stands at the end, and what would end it."""

import pytest

from tracediag import analyze

PIPES = [
    '7 execve("/bin/x", ["x"], 0x7ffe /* 1 var */) = 0',
    "7 pipe2([3, 4], 0) = 0",
    "7 clone(child_stack=NULL, flags=SIGCHLD) = 8",
    "8 close(4) = 0",
    "8 read(3,  <unfinished ...>",
]


def waiting(*lines):
    return {each.pid: each.reason for each in analyze([f"{line}\n" for line in lines]).waiting}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("7 flock(3</srv/x.lock>, LOCK_EX", "until another process releases its lock"),
        ("7 fcntl(3, F_SETLKW, {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=0, l_len=0}", "until another process rel"),
        ('7 openat(AT_FDCWD, "q", O_RDONLY', "opens its other end, for writing"),
        ('7 openat(AT_FDCWD, "q", O_WRONLY|O_CREAT, 0666', "opens its other end, for reading"),
        ("7 futex(0x7f00, FUTEX_WAIT_PRIVATE, 2, NULL", "until another thread wakes it"),
        ("7 futex(0x7f00, FUTEX_WAIT, 2, NULL", "or another process, wakes it"),
        ("7 futex(0x7f00, FUTEX_WAIT_PRIVATE, 2, {tv_sec=1, tv_nsec=0}", "the wait has a timeout"),
        ('7 connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("10.0.0.1")}, 16', "gets no answer"),
        ("7 semop(5, [{sem_num=0, sem_op=-1, sem_flg=0}], 1", "changes the semaphore"),
        ("7 recvfrom(3<TCP:[10.0.0.2:5000->10.0.0.1:80]>, ", "the peer 10.0.0.1:80 sends nothing"),
        ("7 wait4(-1, ", "until a child ends"),
    ],
)
def test_one_line_is_enough(line, words):
    assert words in waiting(line)[7]


@pytest.mark.parametrize("line", ['7 openat(AT_FDCWD, "q", O_RDWR', '7 unlink("q"'])
def test_a_call_on_a_file_waits_for_its_file_system(line):
    assert waiting(line)[7].startswith("it waits for the file system alone")
    assert "findmnt -T q " in waiting(line)[7]


@pytest.mark.parametrize("line", ["7 flock(3, LOCK_EX|LOCK_NB", "7 fcntl(3, F_GETFL"])
def test_what_need_not_wait_has_no_reason(line):
    assert waiting(line)[7] == ""


QUEUE = '7 mq_open("orders", O_RDWR|O_CREAT, 0600, {mq_flags=0, mq_maxmsg=2, mq_msgsize=16, mq_curmsgs=0}) = 3</orders>'


def test_a_queue_is_named_and_is_full_or_empty():
    full = waiting(QUEUE, '7 mq_timedsend(3</orders>, "x", 1, 0, NULL')[7]
    assert full.startswith("the queue orders is full (mq_open asked for room for 2 messages): it waits until another")
    assert waiting(QUEUE, "7 mq_timedreceive(3</orders>, ")[7].startswith("the queue orders is empty: it waits until")
    assert "takes a message from the queue" in waiting('7 msgsnd(5, {1, "x"}, 1, 0')[7]
    assert "sends a message to the queue" in waiting("7 msgrcv(5, ")[7]


CONNECTED = (
    "7 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3",
    '7 connect(3, {sa_family=AF_INET, sin_port=htons(6379), sin_addr=inet_addr("10.0.0.1")}, 16) = 0',
)


def test_a_terminal_is_known_by_its_path():
    tty = '7 openat(AT_FDCWD, "/dev/tty", O_RDWR) = 4'
    assert waiting(tty, "7 read(4, ")[7] == "it waits for input on the terminal"


def test_what_was_asked_of_a_server():
    pops = r'7 sendto(3, "*3\r\n$5\r\nBLPOP\r\n$4\r\njobs\r\n$1\r\n0\r\n", 37, 0, NULL, 0) = 37'
    assert waiting(*CONNECTED, pops, "7 recvfrom(3, ")[7].endswith(
        "to answer BLPOP jobs 0 (line 3), which waits until another client pushes to jobs"
    )
    other = '7 sendto(3, "\\1\\2\\3", 3, 0, NULL, 0) = 3'
    assert waiting(*CONNECTED, other, "7 recvfrom(3, ")[7].endswith("after the request at line 3")


def test_the_holder_of_the_other_end_is_named():
    assert "the other end is open in process 7" in waiting(*PIPES, "7 wait4(8, ")[8].replace("x (pid 7)", "process 7")


def test_a_wait_for_a_child_is_followed_to_what_the_child_stands_in():
    assert "stands in read since line 5" in waiting(*PIPES, "7 wait4(8, ")[7]


def test_threads_that_all_wait_are_counted():
    lines = [
        "strace: Process 7 attached with 2 threads",
        "[pid 8] futex(0x7f00, FUTEX_WAIT_PRIVATE, 2, NULL <unfinished ...>",
    ]
    assert "both threads" in next(iter(waiting(*lines, "[pid 7] futex(0x7f08, FUTEX_WAIT_PRIVATE, 2, NULL").values()))


@pytest.mark.parametrize(
    ("end", "stood"),
    [
        (["7 +++ killed by SIGINT +++"], True),
        (["7 close(3) = 0", "7 exit_group(130) = ?", "7 +++ exited with 130 +++"], True),
        (["7 exit_group(0) = ?", "7 +++ exited with 0 +++"], False),
    ],
)
def test_the_call_that_an_order_to_stop_interrupts_is_told(end, stood):
    lines = [
        '7 execve("/bin/x", ["x"], 0x7ffe /* 1 var */) = 0',
        "7 recvfrom(3<TCP:[10.0.0.2:5000->10.0.0.1:80]>, 0x55, 64, 0, NULL, NULL) = ? ERESTARTSYS (To be restarted)",
        "7 --- SIGINT {si_signo=SIGINT, si_code=SI_KERNEL} ---",
        *end,
    ]
    (fate,) = analyze([f"{line}\n" for line in lines]).ending
    assert ("the peer 10.0.0.1:80 sends nothing" in fate.stood) is stood
