/* Makes one kind of call fail, or with a second argument its twin succeed: ./fails CASE [fine]
 * The calls between getppid and exit are the excerpt; record.sh prepares the directory. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#define KEY 0x1234
static int fine;

static void put(const char *path, int flags) {
    int fd = open(path, flags, 0644);
    if (fd < 0) return;
    if (flags & O_WRONLY) (void)!write(fd, "ready\n", 6);
    close(fd);
}

static int inet(int kind, const char *host, int port, int binding) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, kind, 0);
    inet_pton(AF_INET, host, &at.sin_addr);
    int got = binding ? bind(fd, (void *)&at, sizeof at) : connect(fd, (void *)&at, sizeof at);
    if (got == 0 && binding) listen(fd, 8);
    return fd;
}

static void local(const char *path, int serve) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    strcpy(at.sun_path, path);
    int server = -1;
    if (serve) {
        server = socket(AF_UNIX, SOCK_STREAM, 0);
        unlink(path); bind(server, (void *)&at, sizeof at); listen(server, 8);
    }
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    connect(fd, (void *)&at, sizeof at);
    close(fd);
    close(server);
}

static void deny(int call, int error) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {4, code};
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

static void set(const char *path, const char *value) {
    int fd = open(path, O_WRONLY);
    (void)!write(fd, value, strlen(value));
    close(fd);
}

static void link_up(int on) {
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = on ? IFF_UP : 0};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    ioctl(fd, SIOCSIFFLAGS, &lo);
    close(fd);
}

/* int 0x80 is a call of a 32-bit program, also from a 64-bit one: open without O_LARGEFILE. */
static void open32(const char *path) {
    long got;
    asm volatile("int $0x80" : "=a"(got) : "a"(5), "b"(path), "c"(0), "d"(0) : "memory");
}

static int watch, terminal, filled[3];
static struct { struct file_handle head; char data[128]; } handle = {{128}};

/* What the excerpt does not show. */
static void prepare(const char *it) {
    char options[80];
#define BEFORE(text) if (!strcmp(it, text))
    BEFORE("stale-file-handle") { int mount; name_to_handle_at(AT_FDCWD, "upload.tmp", &handle.head, &mount, 0); }
    BEFORE("terminal-gone") {
        int master = posix_openpt(O_RDWR | O_NOCTTY);
        grantpt(master); unlockpt(master);
        dup2(open(ptsname(master), O_RDWR | O_NOCTTY), 1);
        if (!fine) close(master);
    }
    BEFORE("ports-exhausted") {
        unshare(CLONE_NEWNET); link_up(1);
        set("/proc/sys/net/ipv4/ip_local_port_range", "60000 60000");
        inet(SOCK_STREAM, "127.0.0.1", 6379, 1);
        if (!fine) inet(SOCK_STREAM, "127.0.0.1", 6379, 0);
    }
    BEFORE("connect-timeout") {
        unshare(CLONE_NEWNET); link_up(1);
        set("/proc/sys/net/ipv4/tcp_syn_retries", "1");
        listen(inet(SOCK_STREAM, "127.0.0.1", 3306, 1), 0);
        if (!fine) inet(SOCK_STREAM, "127.0.0.1", 3306, 0);
    }
    BEFORE("netlink-overrun") {
        struct sockaddr_nl at = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
        int least = 1;
        unshare(CLONE_NEWNET);
        watch = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
        setsockopt(watch, SOL_SOCKET, SO_RCVBUF, &least, sizeof least);
        bind(watch, (void *)&at, sizeof at);
        for (int turn = 0; turn < (fine ? 1 : 100); turn++) link_up(!(turn & 1));
    }
    BEFORE("dead-fuse-server") if (!fine) {
        int server = open("/dev/fuse", O_RDWR);
        sprintf(options, "fd=%d,rootmode=40000,user_id=0,group_id=0", server);
        mount("none", "archive", "fuse", 0, options);
        close(server);
    }
    BEFORE("stale-lock-file") if (!fine) mkdir("db.lock", 0755);
    BEFORE("proc-not-mounted") if (!fine) { chroot("archive"); chdir("/"); }
    BEFORE("missing-certificates") {
        mkdir("archive/etc", 0755); mkdir("archive/etc/ssl", 0755); mkdir("archive/etc/ssl/certs", 0755);
        if (fine) close(open("archive/etc/ssl/certs/ca-certificates.crt", O_WRONLY | O_CREAT, 0644));
        chroot("archive"); chdir("/");
    }
    BEFORE("immutable-file") {
        int fd = open("service.conf", O_RDONLY), flags = 0x10;
        if (!fine) ioctl(fd, _IOW('f', 2, long), &flags);
        close(fd);
    }
}

int main(int argc, char **argv) {
    const char *it = argc > 1 ? argv[1] : "";
    fine = argc > 2;
    char name[300];
    memset(name, 'n', sizeof name);
    name[fine ? 255 : 256] = 0;
    prepare(it);
    getppid();
#define CASE(text) if (!strcmp(it, text))
    CASE("missing-directory") { if (fine) mkdir("run", 0755); put("run/service.pid", O_WRONLY | O_CREAT | O_TRUNC); }
    CASE("permission-denied") { setresuid(fine ? 0 : 65534, fine ? 0 : 65534, fine ? 0 : 65534); put("private.key", O_RDONLY); }
    CASE("directory-denied") { if (!fine) setresuid(65534, 65534, 65534); put("report.txt", O_WRONLY | O_CREAT | O_TRUNC); }
    CASE("socket-denied") { if (!fine) setresuid(65534, 65534, 65534); local("service.sock", fine); }
    CASE("privileged-port") { if (!fine) setresuid(65534, 65534, 65534); inet(SOCK_STREAM, "127.0.0.1", fine ? 8081 : 81, 1); }
    CASE("wrong-path-kind") { put(fine ? "service.conf" : "service.conf/tls.conf", O_RDONLY); }
    CASE("is-directory") { put(fine ? "report.txt" : "archive", O_WRONLY | O_CREAT); }
    CASE("name-too-long") { put(name, O_WRONLY | O_CREAT); }
    CASE("symlink-loop") { put(fine ? "current" : "circle", O_RDONLY); }
    CASE("cross-device-link") { rename("upload.tmp", fine ? "upload" : "volume/upload"); }
    CASE("address-not-available") { inet(SOCK_STREAM, fine ? "127.0.0.1" : "192.0.2.7", 8082, 1); }
    CASE("address-family-missing") { close(socket(fine ? AF_INET : AF_DECnet, SOCK_STREAM, 0)); }
    CASE("address-in-use") { int one = inet(SOCK_STREAM, "127.0.0.1", 8083, 1); close(inet(SOCK_STREAM, "127.0.0.1", fine ? 8084 : 8083, 1)); close(one); }
    CASE("connection-refused") { int one = fine ? inet(SOCK_STREAM, "127.0.0.1", 8085, 1) : -1; close(inet(SOCK_STREAM, "127.0.0.1", 8085, 0)); close(one); }
    CASE("socket-refused") { local(fine ? "service.sock" : "stale.sock", fine); }
    CASE("no-space") { int fd = open(fine ? "report.txt" : "full/report.txt", O_WRONLY | O_CREAT, 0644); (void)!write(fd, name, 200); close(fd); }
    CASE("directory-not-empty") { if (fine) unlink("archive/old.txt"); rmdir("archive"); }
    CASE("text-file-busy") { put(fine ? "tool.new" : "tool", fine ? O_WRONLY | O_CREAT : O_WRONLY); if (fine) rename("tool.new", "tool"); }
    CASE("read-only-filesystem") { put(fine ? "report.txt" : "frozen/report.txt", O_WRONLY | O_CREAT); }
    CASE("exec-format") { char *args[] = {"./hook", 0}, *none[] = {0}; execve(fine ? "./hook-with-line" : "./hook", args, none); }
    CASE("sandbox-denied") { if (!fine) deny(__NR_faccessat2, EPERM); faccessat(AT_FDCWD, "service.conf", R_OK, AT_EACCESS); }
    CASE("namespace-denied") { if (!fine) setresuid(65534, 65534, 65534); unshare(CLONE_NEWNS); }
    CASE("limit-not-disk") { unshare(CLONE_NEWIPC); int fd = open("/proc/sys/kernel/shmmni", O_WRONLY); (void)!write(fd, fine ? "9" : "1", 1); close(fd); shmget(1, 4096, IPC_CREAT | 0600); shmget(2, 4096, IPC_CREAT | 0600); }
    CASE("resource-busy") { umount2(fine ? "frozen" : "volume", 0); }
    CASE("out-of-memory") { struct rlimit most = {64 << 20, 64 << 20}; setrlimit(RLIMIT_AS, &most); mmap(0, fine ? 1 << 20 : 256 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
    CASE("direct-io-alignment") { static char data[4096] __attribute__((aligned(4096))); int fd = open("/srv/tracediag/work/aligned", O_RDWR | O_CREAT | O_DIRECT, 0644); (void)!write(fd, data + !fine, 4096 - !fine); close(fd); }
    CASE("bad-pointer") { int fd = open("report.txt", O_WRONLY | O_CREAT, 0644); (void)!write(fd, fine ? name : (char *)64, 200); close(fd); }
    CASE("exec-arguments-too-long") { static char big[200000]; memset(big, 'x', fine ? 1000 : sizeof big - 1); char *args[] = {"true", big, 0}, *none[] = {0}; execve("/bin/true", args, none); }
    CASE("map-not-supported") { int fd = open(fine ? "service.conf" : "/proc/self/status", O_RDONLY); mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0); close(fd); }
    CASE("noexec-mount") { int fd = open(fine ? "tool" : "volume/tool", O_RDONLY); mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0); close(fd); }
    CASE("no-such-device") { mknod("disk", S_IFBLK | 0600, makedev(fine ? 7 : 250, 0)); open("disk", O_RDONLY); }
    CASE("host-unreachable") { if (!fine) unshare(CLONE_NEWNET); inet(SOCK_DGRAM, fine ? "127.0.0.1" : "192.0.2.9", 53, 0); }
    CASE("owner-only") { if (!fine) setresuid(65534, 65534, 65534); chmod("service.conf", 0600); }
    CASE("user-change-denied") { if (!fine) setresuid(65534, 65534, 65534); setuid(33); }
    CASE("raw-socket-denied") { if (!fine) setresuid(65534, 65534, 65534); close(socket(AF_INET, SOCK_RAW, 1)); }
    CASE("mount-denied") { if (!fine) setresuid(65534, 65534, 65534); mount("none", "archive", "tmpfs", 0, 0); }
    CASE("file-limit") { struct rlimit most = {4096, 4096}; signal(SIGXFSZ, SIG_IGN); if (!fine) setrlimit(RLIMIT_FSIZE, &most); int fd = open("report.txt", O_WRONLY | O_CREAT, 0644); (void)!pwrite(fd, name, 100, 8192); close(fd); }
    CASE("process-limit") { struct rlimit most = {0, 0}; if (!fine) { setrlimit(RLIMIT_NPROC, &most); setresuid(65534, 65534, 65534); } if (!fork()) _exit(0); }
    CASE("file-exists") { if (fine) unlink("service.conf"); put("service.conf", O_WRONLY | O_CREAT | O_EXCL); }
    CASE("not-implemented") { syscall(fine ? __NR_getpid : 999); }
    CASE("failed-call") { shmget(KEY, fine ? 4096 : 65536, 0600); }
    CASE("file-too-large") { int fd = open("report.txt", O_WRONLY | O_CREAT, 0644); (void)!pwrite(fd, name, 100, fine ? 0 : 1L << 44); close(fd); }
    CASE("send-refused") { int fd = inet(SOCK_DGRAM, "127.0.0.1", 8089, 0); send(fd, "ready\n", 6, 0); close(fd); }
    CASE("missing-file") { put(fine ? "service.conf" : "service.cfg", O_RDONLY); }
    CASE("proc-not-mounted") { readlink("/proc/self/exe", name, sizeof name); }
    CASE("missing-certificates") { put("/etc/ssl/certs/ca-certificates.crt", O_RDONLY); if (!fine) { put("/etc/pki/tls/certs/ca-bundle.crt", O_RDONLY); put("/etc/cert.pem", O_RDONLY); } }
    CASE("stale-file-handle") { int here = open(".", O_RDONLY | O_DIRECTORY); if (!fine) unlink("upload.tmp"); open_by_handle_at(here, &handle.head, O_RDONLY); }
    CASE("no-locks-available") { int fd = open("service.conf", O_RDWR); struct flock all = {.l_type = F_WRLCK}; fcntl(fd, F_SETLK, &all); close(fd); }
    CASE("value-overflow") { static char huge[] = "huge", small[] = "service.conf"; open32(fine ? small : huge); }
    CASE("terminal-gone") { (void)!write(1, "tick\n", 5); }
    CASE("io-error") { int fd = open(fine ? "service.conf" : getenv("BROKEN"), O_RDONLY); (void)!pread(fd, name, 200, fine ? 0 : 1 << 20); close(fd); }
    CASE("exec-failed") { char *args[] = {"./hook", 0}, *none[] = {0}; execve("./hook-with-line", fine ? args : (char **)64, none); }
    CASE("device-denied") { put("/dev/null", O_RDONLY); }
    CASE("own-signal-denied") { signal(SIGUSR1, SIG_IGN); tgkill(getpid(), gettid(), SIGUSR1); }
    CASE("filter-denied") { if (!fine) deny(__NR_socket, EPERM); socket(AF_INET, SOCK_STREAM, 0); }
    CASE("ports-exhausted") { close(inet(SOCK_STREAM, "127.0.0.1", 6379, 0)); }
    CASE("connect-timeout") { close(inet(SOCK_STREAM, "127.0.0.1", 3306, 0)); }
    CASE("quota-exceeded") { mkdir("new", 0777); }
    CASE("operation-not-supported") { setxattr(fine ? "service.conf" : "/proc/self/status", "user.origin", "web", 3, 0); }
    CASE("kernel-internal-errno") { int fd = socket(AF_INET, SOCK_DGRAM, 0); struct ifreq lo = {.ifr_name = "lo"}; ioctl(fd, SIOCGIFFLAGS, &lo); close(fd); }
    CASE("netlink-overrun") { (void)!recv(watch, name, 100, MSG_TRUNC); }
    CASE("dead-fuse-server") { struct stat at; lstat("archive", &at); }
    CASE("stale-lock-file") { mkdir("db.lock", 0777); }
    CASE("not-connected") { int one = inet(SOCK_STREAM, "127.0.0.1", 8086, 1), fd = socket(AF_INET, SOCK_STREAM, 0); if (fine) fd = inet(SOCK_STREAM, "127.0.0.1", 8086, 0); recv(fd, name, 100, MSG_DONTWAIT); close(one); }
    CASE("already-connected") { struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(8087), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}; inet(SOCK_STREAM, "127.0.0.1", 8087, 1); int fd = socket(AF_INET, SOCK_STREAM, 0); connect(fd, (void *)&at, sizeof at); if (!fine) connect(fd, (void *)&at, sizeof at); }
    CASE("not-a-socket") { int fd = fine ? inet(SOCK_DGRAM, "127.0.0.1", 9, 0) : open("report.txt", O_WRONLY | O_CREAT, 0644); send(fd, "ready\n", 6, 0); close(fd); }
    CASE("message-too-long") { static char big[70000]; int fd = inet(SOCK_DGRAM, "127.0.0.1", 8088, 0); send(fd, big, fine ? 1000 : sizeof big, 0); close(fd); }
    CASE("protocol-not-supported") { socket(AF_INET, SOCK_STREAM, fine ? IPPROTO_TCP : 99); }
    CASE("invalid-argument") { mkdir("volume/upper", 0755); mkdir("volume/work", 0755); mount("overlay", "archive", "overlay", 0, fine ? "lowerdir=archive,upperdir=volume/upper,workdir=volume/work" : "lowerdir=archive,upperdir=volume/upper"); }
    CASE("invalid-option") { int fd = socket(AF_INET, SOCK_STREAM, 0), idle = fine ? 60 : 0; setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle); close(fd); }
    CASE("invalid-mapping") { mmap(0, fine ? 4096 : 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
    CASE("immutable-file") { geteuid(); unlink("service.conf"); }
    CASE("signal-denied") { if (!fine) setresuid(65534, 65534, 65534); kill(getppid(), 0); }
    exit(0);
}
