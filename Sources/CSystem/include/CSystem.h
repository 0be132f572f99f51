// Linux headers that the Glibc module map leaves out.
#pragma once
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

static inline int csystem_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline int csystem_memfd(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

// Unix stream sockets, non-blocking and close-on-exec; each returns a descriptor, or -1 with errno.
int csystem_unix_connect(const char *path);
int csystem_unix_listen(const char *path);
int csystem_unix_accept(int listener);
int csystem_unix_pair(int ends[2]);

static inline int csystem_punch_hole(int fd, off_t offset, off_t count) {
    return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, count);
}

// From now on the first SIGTERM, SIGINT or SIGHUP makes the eventfd readable instead of ending the process;
// a second one of the same kind ends it. Returns 0, or -1 with errno.
int csystem_signal_termination(int eventfd);
