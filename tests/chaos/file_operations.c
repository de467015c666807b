/* Stands between a process (LD_PRELOAD) and its C library: counts what changes files below one folder, writes
 * each operation down, and at the n-th kills the process or fails.
 *
 * strace can inject a kill too, but counts each thread's calls apart, and delta-rs writes from many.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum fault { NONE, KILL, TEAR, FULL, FAIL };

static char folder[PATH_MAX];
static size_t folder_length;
static int log_file = -1;
static long faulty;
static enum fault fault;
static long counted;

/* Begin to count. KILL: die instead of the n-th operation. TEAR: do half of that write and die. FULL: from the
 * n-th on there is no space. FAIL: only the n-th fails. */
void arm_file_operations(const char *below, const char *log, long at, int kind) {
    snprintf(folder, sizeof folder, "%s", below);
    log_file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    faulty = at;
    fault = kind;
    folder_length = strlen(folder);
}

static void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

static int is_below(const char *path) {
    return folder_length && path && !strncmp(path, folder, folder_length)
        && (path[folder_length] == '/' || path[folder_length] == '\0');
}

/* Count an operation; what is wrong with it. */
static enum fault meet(const char *name, const char *path, int takes_space) {
    if (!is_below(path)) return NONE;
    char line[PATH_MAX + 64];
    long number = __atomic_add_fetch(&counted, 1, __ATOMIC_SEQ_CST);
    int length = snprintf(line, sizeof line, "%s %s\n", name, path);
    syscall(SYS_write, log_file, line, length);
    if (fault == FULL && faulty && number >= faulty && takes_space) return FULL;
    if (number != faulty) return NONE;
    if (fault == KILL) die();
    return fault == FULL ? NONE : fault;
}

static int fails(enum fault met) {
    if (met == FULL) errno = ENOSPC;
    if (met == FAIL) errno = EIO;
    return met == FULL || met == FAIL;
}

static enum fault meet_file(const char *name, int file, int takes_space) {
    char link[64], path[PATH_MAX];
    if (!folder_length) return NONE;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = syscall(SYS_readlink, link, path, sizeof path - 1);
    if (length < 0) return NONE;
    path[length] = '\0';
    return meet(name, path, takes_space);
}

#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | __O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }
#define CHANGES(flags) ((flags) & (O_CREAT | O_WRONLY | O_RDWR | O_TRUNC))
#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        MODE(flags) \
        if (CHANGES(flags) && fails(meet("open", path, flags & O_CREAT))) return -1; \
        return REAL(name)(path, flags, mode); \
    }
#define OPENAT(name) \
    int name(int at, const char *path, int flags, ...) { \
        MODE(flags) \
        if (CHANGES(flags) && fails(meet("open", path, flags & O_CREAT))) return -1; \
        return REAL(name)(at, path, flags, mode); \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int file, const void *bytes, size_t length) {
    enum fault met = meet_file("write", file, 1);
    if (fails(met)) return -1;
    ssize_t written = REAL(write)(file, bytes, met == TEAR ? length / 2 : length);
    if (met == TEAR) die();
    return written;
}

#define CALL(kind, name, parameters, arguments, path, takes_space) \
    kind name parameters { \
        if (fails(meet(#name, path, takes_space))) return -1; \
        return REAL(name) arguments; \
    }
#define CALL_FILE(kind, name, parameters, arguments, takes_space) \
    kind name parameters { \
        if (fails(meet_file(#name, file, takes_space))) return -1; \
        return REAL(name) arguments; \
    }
CALL_FILE(ssize_t, writev, (int file, const struct iovec *parts, int count), (file, parts, count), 1)
CALL_FILE(ssize_t, pwrite64, (int file, const void *bytes, size_t length, off64_t at), (file, bytes, length, at), 1)
CALL_FILE(int, ftruncate64, (int file, off64_t length), (file, length), 1)
CALL_FILE(int, fsync, (int file), (file), 0)
CALL_FILE(int, fdatasync, (int file), (file), 0)
CALL(int, link, (const char *from, const char *to), (from, to), to, 1)
CALL(int, linkat, (int from_at, const char *from, int to_at, const char *to, int flags),
     (from_at, from, to_at, to, flags), to, 1)
CALL(int, rename, (const char *from, const char *to), (from, to), to, 1)
CALL(int, mkdir, (const char *path, mode_t mode), (path, mode), path, 1)
CALL(int, rmdir, (const char *path), (path), path, 0)
CALL(int, unlink, (const char *path), (path), path, 0)
CALL(int, unlinkat, (int at, const char *path, int flags), (at, path, flags), path, 0)
