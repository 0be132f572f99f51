// Linux headers that the Glibc module map leaves out.
#pragma once
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static inline int csystem_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline int csystem_memfd(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

// A set of descriptors that is readable while one of them is, level-triggered. Returns -1 with errno.
int csystem_epoll(void);

// What a wait found: the token of a descriptor, and its EPOLL... bits.
struct csystem_ready {
    uint64_t token;
    uint32_t events;
};

// Operation: EPOLL_CTL_ADD, _DEL or _MOD. Returns 0, or -1 with errno.
int csystem_epoll_change(int set, int operation, int descriptor, uint32_t events, uint64_t token);

// Waits for at most `milliseconds`, for ever if that is negative. Returns how many of `ready` it filled, or -1 with errno.
int csystem_epoll_wait(int set, struct csystem_ready *ready, int count, int milliseconds);

// Unix stream sockets, non-blocking and close-on-exec; each returns a descriptor, or -1 with errno.
int csystem_unix_connect(const char *path);
int csystem_unix_listen(const char *path);
int csystem_unix_accept(int listener);
int csystem_unix_pair(int ends[2]);

// The processors on which the calling thread may run. Each returns 0, or -1 with errno.
static inline int csystem_get_processors(cpu_set_t *set) { return sched_getaffinity(0, sizeof *set, set); }
static inline int csystem_set_processors(const cpu_set_t *set) { return sched_setaffinity(0, sizeof *set, set); }

// How many they are; 1 if that cannot be told.
static inline int csystem_processor_count(void) {
    cpu_set_t set;
    return csystem_get_processors(&set) == 0 ? CPU_COUNT(&set) : 1;
}

// Tells the processor that this thread is in a loop that waits for another processor's write. On 64-bit Arm `yield`
// does nothing on most processors; `isb` waits for a few tens of cycles.
static inline void csystem_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#elif defined(__arm__)
    __asm__ volatile("yield" ::: "memory");
#endif
}

static inline int csystem_punch_hole(int fd, off_t offset, off_t count) {
    return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, count);
}

// From now on the first SIGTERM, SIGINT or SIGHUP makes the eventfd readable instead of ending the process;
// a second one of the same kind ends it. Returns 0, or -1 with errno.
int csystem_signal_termination(int eventfd);

// Sends a state to the datagram socket of a service manager, as sd_notify(3) does. Returns 0, or -1 with errno.
int csystem_notify_service(const char *path, const char *state);

// Sleeps while the word has this value, until it is woken or the time (relative, or null) is over; may return early.
static inline void csystem_futex_wait(void *word, uint32_t value, const struct timespec *timeout) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, timeout, NULL, 0);
}

// Wakes all that sleep on the word.
static inline void csystem_futex_wake(void *word) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

// A number that no other living thread of this process has. One word with glibc (a number) and with musl (a pointer).
static inline uintptr_t csystem_current_thread(void) { return (uintptr_t)pthread_self(); }
