/* holdback: records what a program does to the files below one directory, so that a power cut can be
 * played afterwards.
 *
 * Preloaded into the unchanged program (LD_PRELOAD). The program's own view stays the kernel's: every
 * call is carried out at once. Beside it, in the order of execution, a journal of writes, truncations,
 * creations, renames, removals and syncs is kept. When the program has been killed, the journal tells
 * what a disk would be sure to have (what was synced) and what it might have lost, torn or stored in
 * part (the rest); tests/powerloss/disk.rs rebuilds the directory from that.
 *
 *   HOLDBACK_DIR   absolute path of the directory, without symbolic links in it
 *   HOLDBACK_LOG   the journal, outside that directory; appended to
 *
 * Faults, for as long as a file of that name exists beside the journal:
 *
 *   HOLDBACK_LOG.full   writes to files below the directory fail with ENOSPC, some of them half-way
 *   HOLDBACK_LOG.broken syncs of files below the directory fail with EIO, and so have stored nothing
 *
 * A call is journalled after it was carried out and before it returns, under one lock: a sync covers
 * the calls that had returned when it began, and nothing else. Files named *-shm are left alone: SQLite
 * maps them, and rebuilds them after a crash.
 *
 * A journal record, little endian: u32 magic, u32 kind, u64 node, u64 a, u32 bytes of name, u32 bytes
 * of data, name, data. Kinds are the enum below. A record cut off at the end is none.
 *
 * Not followed: stdio (it does not call through here), mappings, a second process (the first counts
 * the records). fallocate, pwritev, sendfile and copy_file_range are refused for the files concerned,
 * so that programs fall back to plain writes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind {
    OPEN = 1,     /* node, name: a file that was there before */
    CREATE = 2,   /* node, name */
    WRITE = 3,    /* node, a = offset, data */
    TRUNCATE = 4, /* node, a = length */
    RENAME = 5,   /* name, data = new name */
    UNLINK = 6,   /* name */
    LINK = 7,     /* name, data = second name */
    MKDIR = 8,    /* name */
    RMDIR = 9,    /* name */
    SYNC = 10,    /* node, a = how many records it covers */
    SYNC_DIR = 11 /* name, a = how many records it covers */
};

#define MAGIC 0x4b424c48u /* "HLBK" */

struct header {
    uint32_t magic, kind;
    uint64_t node, a;
    uint32_t name_bytes, data_bytes;
};

/* A file below the directory: which node stands for which inode. */
struct node {
    dev_t device;
    ino_t inode;
    uint64_t id;
    struct node *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static char root[PATH_MAX], full[PATH_MAX], broken[PATH_MAX];
static size_t root_bytes;
static int journal = -1;
static uint64_t records, nodes_made;
static struct node *nodes[1024];

static int (*real_openat)(int, const char *, int, ...);
static int (*real_fsync)(int), (*real_fdatasync)(int);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static int (*real_ftruncate)(int, off_t);
static int (*real_fallocate)(int, int, off_t, off_t);
static int (*real_renameat2)(int, const char *, int, const char *, unsigned);
static int (*real_unlinkat)(int, const char *, int);
static int (*real_linkat)(int, const char *, int, const char *, int);
static int (*real_mkdirat)(int, const char *, mode_t);

static void die(const char *what) {
    dprintf(2, "holdback: %s: %s\n", what, strerror(errno));
    abort();
}

static void begin(void) {
    real_openat = dlsym(RTLD_NEXT, "openat");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_writev = dlsym(RTLD_NEXT, "writev");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_fallocate = dlsym(RTLD_NEXT, "fallocate64");
    real_renameat2 = dlsym(RTLD_NEXT, "renameat2");
    real_unlinkat = dlsym(RTLD_NEXT, "unlinkat");
    real_linkat = dlsym(RTLD_NEXT, "linkat");
    real_mkdirat = dlsym(RTLD_NEXT, "mkdirat");
    const char *directory = getenv("HOLDBACK_DIR"), *log = getenv("HOLDBACK_LOG");
    if (!directory || !log) return;
    root_bytes = strlen(directory);
    if (root_bytes >= sizeof root) {
        errno = ENAMETOOLONG;
        die("HOLDBACK_DIR");
    }
    memcpy(root, directory, root_bytes + 1);
    if (snprintf(full, sizeof full, "%s.full", log) >= (int)sizeof full ||
        snprintf(broken, sizeof broken, "%s.broken", log) >= (int)sizeof broken) {
        errno = ENAMETOOLONG;
        die("HOLDBACK_LOG");
    }
    journal = real_openat(AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (journal < 0) die(log);
}

static int active(void) {
    pthread_once(&once, begin);
    return journal >= 0;
}

static int is_below(const char *path) {
    size_t bytes = strlen(path);
    if (strncmp(path, root, root_bytes) || (path[root_bytes] && path[root_bytes] != '/')) return 0;
    return bytes < 4 || strcmp(path + bytes - 4, "-shm") != 0;
}

/* The path of an open file, without links; 0 if it has none or lies elsewhere. */
static int path_of(int fd, char *path) {
    char name[40];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t bytes = readlink(name, path, PATH_MAX - 1);
    if (bytes <= 0) return 0;
    path[bytes] = 0;
    return is_below(path);
}

/* The path a name stands for, which need not exist; 0 if it lies elsewhere. */
static int path_at(int at, const char *name, char *path) {
    char joined[2 * PATH_MAX], directory[PATH_MAX];
    if (name[0] == '/' || at == AT_FDCWD) {
        snprintf(joined, sizeof joined, "%s", name);
    } else {
        char link[40];
        snprintf(link, sizeof link, "/proc/self/fd/%d", at);
        ssize_t bytes = readlink(link, joined, PATH_MAX - 1);
        if (bytes <= 0) return 0;
        snprintf(joined + bytes, sizeof joined - (size_t)bytes, "/%s", name);
    }
    size_t end = strlen(joined);
    while (end > 1 && joined[end - 1] == '/') joined[--end] = 0;
    char *slash = strrchr(joined, '/'), *base = slash ? slash + 1 : joined;
    const char *parent = !slash ? "." : slash == joined ? "/" : (*slash = 0, joined);
    if (!realpath(parent, directory)) return 0;
    int bytes = snprintf(path, PATH_MAX, "%s/%s", strcmp(directory, "/") ? directory : "", base);
    return bytes > 0 && bytes < PATH_MAX && is_below(path);
}

static void record(enum kind kind, uint64_t node, uint64_t a, const char *name,
                   const struct iovec *data, int count, size_t data_bytes) {
    struct header header = {MAGIC, kind, node, a, name ? (uint32_t)strlen(name) : 0,
                            (uint32_t)data_bytes};
    struct iovec parts[2 + 64] = {{&header, sizeof header}, {(void *)name, header.name_bytes}};
    int used = 2;
    size_t left = data_bytes, whole = sizeof header + header.name_bytes + data_bytes;
    for (int i = 0; i < count && left && used < 66; i++) {
        size_t bytes = data[i].iov_len < left ? data[i].iov_len : left;
        parts[used++] = (struct iovec){data[i].iov_base, bytes};
        left -= bytes;
    }
    if (left || real_writev(journal, parts, used) != (ssize_t)whole) die("the journal");
    records++;
}

static void record_names(enum kind kind, const char *name, const char *second) {
    struct iovec data = {(void *)second, second ? strlen(second) : 0};
    record(kind, 0, 0, name, &data, 1, data.iov_len);
}

static struct node **slot(const struct stat *file) {
    struct node **at = &nodes[file->st_ino % 1024];
    while (*at && ((*at)->inode != file->st_ino || (*at)->device != file->st_dev)) at = &(*at)->next;
    return at;
}

/* The node of an open file, 0 if it is none of ours. */
static uint64_t node_of(int fd) {
    struct stat file;
    if (fstat(fd, &file) || !S_ISREG(file.st_mode)) return 0;
    struct node *found = *slot(&file);
    return found ? found->id : 0;
}

static void forget(const struct stat *file) {
    struct node **at = slot(file), *gone = *at;
    if (gone) {
        *at = gone->next;
        free(gone);
    }
}

/* Below: the lock is held from before a call until it has been journalled. */

static int do_open(int at, const char *name, int flags, mode_t mode) {
    if (!active()) return real_openat(at, name, flags, mode);
    char path[PATH_MAX];
    struct stat file;
    pthread_mutex_lock(&lock);
    int created = (flags & O_CREAT) && fstatat(at, name, &file, 0) != 0;
    int fd = real_openat(at, name, flags, mode), error = errno;
    if (fd >= 0 && !fstat(fd, &file) && S_ISREG(file.st_mode) && path_of(fd, path)) {
        if (created) forget(&file);
        struct node **found = slot(&file);
        if (!*found) {
            *found = calloc(1, sizeof **found);
            if (!*found) die("memory");
            (*found)->device = file.st_dev;
            (*found)->inode = file.st_ino;
            (*found)->id = ++nodes_made;
            record(created ? CREATE : OPEN, (*found)->id, 0, path, NULL, 0, 0);
        }
        if ((flags & O_TRUNC) && !created) record(TRUNCATE, (*found)->id, 0, NULL, NULL, 0, 0);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return fd;
}

static mode_t mode_argument(int flags, va_list arguments) {
    return (flags & (O_CREAT | O_TMPFILE)) ? va_arg(arguments, mode_t) : 0;
}

#define OPEN_BODY(at)                                                                              \
    va_list arguments;                                                                             \
    va_start(arguments, flags);                                                                    \
    mode_t mode = mode_argument(flags, arguments);                                                 \
    va_end(arguments);                                                                             \
    return do_open(at, name, flags, mode);

int open(const char *name, int flags, ...) { OPEN_BODY(AT_FDCWD) }
int open64(const char *name, int flags, ...) { OPEN_BODY(AT_FDCWD) }
int openat(int at, const char *name, int flags, ...) { OPEN_BODY(at) }
int openat64(int at, const char *name, int flags, ...) { OPEN_BODY(at) }
int creat(const char *name, mode_t mode) {
    return do_open(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* offset < 0: at the file's position, which an appending file has moved to its end. */
static void wrote(uint64_t node, int fd, const struct iovec *data, int count, ssize_t done,
                  off_t offset) {
    if (offset < 0) offset = lseek(fd, 0, SEEK_CUR) - done;
    record(WRITE, node, (uint64_t)offset, NULL, data, count, (size_t)done);
}

/* Sockets and pipes never take the lock: a signal handler may write to one while it is held. */
static int is_file(int fd) {
    struct stat file;
    return !fstat(fd, &file) && S_ISREG(file.st_mode);
}

static int has_fault(const char *path) { return access(path, F_OK) == 0; }

/* Every second refusal has written half of the first part: a disk fills up in the middle of a call. */
static ssize_t no_space(int fd, const struct iovec *data, off_t offset) {
    static int refusals;
    if (refusals++ % 2 && data->iov_len > 1) {
        size_t half = data->iov_len / 2;
        return offset < 0 ? real_write(fd, data->iov_base, half)
                          : real_pwrite(fd, data->iov_base, half, offset);
    }
    errno = ENOSPC;
    return -1;
}

#define WRITE_BODY(call, data, count, offset)                                                      \
    if (!active() || !is_file(fd)) return call;                                                    \
    pthread_mutex_lock(&lock);                                                                     \
    uint64_t node = node_of(fd);                                                                   \
    if (!node) {                                                                                   \
        pthread_mutex_unlock(&lock);                                                               \
        return call;                                                                               \
    }                                                                                              \
    ssize_t done = has_fault(full) ? no_space(fd, data, offset) : call;                            \
    int error = errno;                                                                             \
    if (done > 0) wrote(node, fd, data, count, done, offset);                                      \
    pthread_mutex_unlock(&lock);                                                                   \
    errno = error;                                                                                 \
    return done;

ssize_t write(int fd, const void *bytes, size_t count) {
    struct iovec data = {(void *)bytes, count};
    WRITE_BODY(real_write(fd, bytes, count), &data, 1, -1)
}
ssize_t writev(int fd, const struct iovec *data, int count) {
    WRITE_BODY(real_writev(fd, data, count), data, count, -1)
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    struct iovec data = {(void *)bytes, count};
    WRITE_BODY(real_pwrite(fd, bytes, count, offset), &data, 1, offset)
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t offset) {
    return pwrite(fd, bytes, count, offset);
}

static int do_truncate(int fd, off_t length) {
    if (!active()) return real_ftruncate(fd, length);
    pthread_mutex_lock(&lock);
    uint64_t node = node_of(fd);
    int result = real_ftruncate(fd, length), error = errno;
    if (!result && node) record(TRUNCATE, node, (uint64_t)length, NULL, NULL, 0, 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
int ftruncate(int fd, off_t length) { return do_truncate(fd, length); }
int ftruncate64(int fd, off_t length) { return do_truncate(fd, length); }

/* What is not followed is refused for our files, so that a program takes the plain way instead. */
#define REFUSE(fd, call)                                                                           \
    if (!active()) return call;                                                                    \
    pthread_mutex_lock(&lock);                                                                     \
    uint64_t node = node_of(fd);                                                                   \
    pthread_mutex_unlock(&lock);                                                                   \
    if (!node) return call;                                                                        \
    errno = EOPNOTSUPP;                                                                            \
    return -1;

int fallocate(int fd, int mode, off_t offset, off_t length) {
    REFUSE(fd, real_fallocate(fd, mode, offset, length))
}
int fallocate64(int fd, int mode, off_t offset, off_t length) {
    REFUSE(fd, real_fallocate(fd, mode, offset, length))
}
ssize_t pwritev(int fd, const struct iovec *data, int count, off_t offset) {
    ssize_t (*real)(int, const struct iovec *, int, off_t) = dlsym(RTLD_NEXT, "pwritev64");
    REFUSE(fd, real(fd, data, count, offset))
}
ssize_t pwritev64(int fd, const struct iovec *data, int count, off_t offset) {
    return pwritev(fd, data, count, offset);
}
ssize_t sendfile(int fd, int from, off_t *offset, size_t count) {
    ssize_t (*real)(int, int, off_t *, size_t) = dlsym(RTLD_NEXT, "sendfile64");
    REFUSE(fd, real(fd, from, offset, count))
}
ssize_t sendfile64(int fd, int from, off_t *offset, size_t count) {
    return sendfile(fd, from, offset, count);
}
ssize_t copy_file_range(int from, off_t *from_offset, int fd, off_t *offset, size_t count,
                        unsigned flags) {
    ssize_t (*real)(int, off_t *, int, off_t *, size_t, unsigned) =
        dlsym(RTLD_NEXT, "copy_file_range");
    REFUSE(fd, real(from, from_offset, fd, offset, count, flags))
}

/* The lock is not held while the disk works: others go on writing, and that is not covered. */
static int do_sync(int fd, int (*real)(int)) {
    struct stat file;
    char path[PATH_MAX];
    pthread_mutex_lock(&lock);
    uint64_t node = node_of(fd), covered = records;
    pthread_mutex_unlock(&lock);
    int is_directory =
        !node && !fstat(fd, &file) && S_ISDIR(file.st_mode) && path_of(fd, path);
    int result = -1, error = EIO;
    if (!(node || is_directory) || !has_fault(broken)) {
        result = real(fd);
        error = errno;
    }
    if (!result && (node || is_directory)) {
        pthread_mutex_lock(&lock);
        record(node ? SYNC : SYNC_DIR, node, covered, node ? NULL : path, NULL, 0, 0);
        pthread_mutex_unlock(&lock);
    }
    errno = error;
    return result;
}
int fsync(int fd) { return active() ? do_sync(fd, real_fsync) : real_fsync(fd); }
int fdatasync(int fd) { return active() ? do_sync(fd, real_fdatasync) : real_fdatasync(fd); }

static int do_rename(int at, const char *name, int to_at, const char *to, unsigned flags) {
    if (!active()) return real_renameat2(at, name, to_at, to, flags);
    char path[PATH_MAX], to_path[PATH_MAX];
    struct stat replaced;
    pthread_mutex_lock(&lock);
    int below = path_at(at, name, path), to_below = path_at(to_at, to, to_path);
    int replaces = to_below && !fstatat(to_at, to, &replaced, AT_SYMLINK_NOFOLLOW);
    int result, error;
    if (below != to_below || (below && (flags & 2 /* RENAME_EXCHANGE */))) {
        result = -1; /* in or out of the directory, or in a way that is not followed */
        error = EXDEV;
    } else {
        result = real_renameat2(at, name, to_at, to, flags);
        error = errno;
    }
    if (!result && below) {
        if (replaces && replaced.st_nlink <= 1) forget(&replaced);
        record_names(RENAME, path, to_path);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
int rename(const char *name, const char *to) {
    return do_rename(AT_FDCWD, name, AT_FDCWD, to, 0);
}
int renameat(int at, const char *name, int to_at, const char *to) {
    return do_rename(at, name, to_at, to, 0);
}
int renameat2(int at, const char *name, int to_at, const char *to, unsigned flags) {
    return do_rename(at, name, to_at, to, flags);
}

static int do_unlink(int at, const char *name, int flags) {
    if (!active()) return real_unlinkat(at, name, flags);
    char path[PATH_MAX];
    struct stat file;
    pthread_mutex_lock(&lock);
    int below = path_at(at, name, path) && !fstatat(at, name, &file, AT_SYMLINK_NOFOLLOW);
    int result = real_unlinkat(at, name, flags), error = errno;
    if (!result && below) {
        if (file.st_nlink <= 1) forget(&file);
        record_names(flags & AT_REMOVEDIR ? RMDIR : UNLINK, path, NULL);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
int unlink(const char *name) { return do_unlink(AT_FDCWD, name, 0); }
int unlinkat(int at, const char *name, int flags) { return do_unlink(at, name, flags); }
int rmdir(const char *name) { return do_unlink(AT_FDCWD, name, AT_REMOVEDIR); }

static int do_link(int at, const char *name, int to_at, const char *to, int flags) {
    if (!active()) return real_linkat(at, name, to_at, to, flags);
    char path[PATH_MAX], to_path[PATH_MAX];
    pthread_mutex_lock(&lock);
    int below = path_at(at, name, path), to_below = path_at(to_at, to, to_path);
    int result = below == to_below ? real_linkat(at, name, to_at, to, flags) : -1;
    int error = below == to_below ? errno : EXDEV;
    if (!result && below) record_names(LINK, path, to_path);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
int link(const char *name, const char *to) { return do_link(AT_FDCWD, name, AT_FDCWD, to, 0); }
int linkat(int at, const char *name, int to_at, const char *to, int flags) {
    return do_link(at, name, to_at, to, flags);
}

static int do_mkdir(int at, const char *name, mode_t mode) {
    if (!active()) return real_mkdirat(at, name, mode);
    char path[PATH_MAX];
    pthread_mutex_lock(&lock);
    int result = real_mkdirat(at, name, mode), error = errno;
    if (!result && path_at(at, name, path)) record_names(MKDIR, path, NULL);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
int mkdir(const char *name, mode_t mode) { return do_mkdir(AT_FDCWD, name, mode); }
int mkdirat(int at, const char *name, mode_t mode) { return do_mkdir(at, name, mode); }
