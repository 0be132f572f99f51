// The other end of a ring, built from C's own headers, as a program of its own.
// Descriptors: 3 is the memory, with the orders in the page after the ring; 4 is our doorbell, 5 the test's.
#include "Peer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "CPeerProcess.h"

enum { memory_descriptor = 3, own_doorbell = 4, others_doorbell = 5, page_size = 4096 };

void fail(struct peer *peer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(peer->orders->fault, sizeof peer->orders->fault, format, arguments);
    va_end(arguments);
    exit(1);
}

void notify(struct peer *peer, int needed) {
    if (!needed || peer->orders->is_mute) return;
    if (peer_ring(others_doorbell) < 0) fail(peer, "the doorbell cannot be rung");
    peer->orders->notifications++;
}

void sleep_until_rung(struct peer *peer) {
    if (peer_sleep(own_doorbell, (int)peer->orders->patience) < 0)
        fail(peer, "a wake-up was lost, after %u notifications", peer->orders->notifications);
    peer->orders->sleeps++;
}

uint32_t up_to(struct peer *peer, uint32_t limit) {
    return 1 + (uint32_t)(cring_random(&peer->random) % limit);
}

#ifdef LIBXEN
static void xenstore_attach(struct peer *peer) { (void)peer; }

static size_t xenstore_write(struct peer *peer, const void *bytes, size_t size) {
    return cring_xenstore_write(peer->memory, peer->orders->is_front, bytes, size);
}

static size_t xenstore_read(struct peer *peer, void *bytes, size_t size) {
    return cring_xenstore_read(peer->memory, !peer->orders->is_front, bytes, size);
}

// The test has made the rings: the page with the indices, and then the data.
static void flex_attach(struct peer *peer, const struct cring_flex_kind *kind) {
    if (!kind->back_attach(&peer->flex, peer->memory, (char *)peer->memory + page_size))
        fail(peer, "an impossible order");
}

#define DEFINE_FLEX_STREAM(name, kind)                                                             \
    static void name##_attach(struct peer *peer) { flex_attach(peer, kind()); }                    \
    static size_t name##_write(struct peer *peer, const void *bytes, size_t size) {                \
        return (peer->orders->is_front ? kind()->front_write                                       \
                                       : kind()->back_write)(&peer->flex, bytes, size);            \
    }                                                                                              \
    static size_t name##_read(struct peer *peer, void *bytes, size_t size) {                       \
        return (peer->orders->is_front ? kind()->front_read                                        \
                                       : kind()->back_read)(&peer->flex, bytes, size);             \
    }

DEFINE_FLEX_STREAM(nine_pfs, cring_9pfs)
DEFINE_FLEX_STREAM(pvcalls, cring_pvcalls)
#endif

int main(void) {
#ifdef LIBXEN
    static const struct stream_kind streams[] = {
        {xenstore_attach, xenstore_write, xenstore_read},
        {nine_pfs_attach, nine_pfs_write, nine_pfs_read},
        {pvcalls_attach, pvcalls_write, pvcalls_read},
    };
    const struct cring_kind *(*const kinds[])(void) = {
        cring_4_4_aligned_4, cring_12_aligned_4_8, cring_8_24,
        cring_112_16, cring_1008_8, cring_4032_8,
    };
    struct stat memory;
    if (fstat(memory_descriptor, &memory) < 0) return 2;
    size_t size = (size_t)memory.st_size;
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory_descriptor, 0);
    if (base == MAP_FAILED) return 2;
    struct peer peer = {.orders = (void *)((char *)base + size - page_size), .memory = base};
    peer.random = peer.orders->seed ^ peer.orders->is_front;
    size_t kind_count = sizeof kinds / sizeof *kinds, number = peer.orders->kind;
    if (number >= kind_count + sizeof streams / sizeof *streams) fail(&peer, "an unknown kind");
    if (number >= kind_count) {
        run_stream(&peer, &streams[number - kind_count]);
        return 0;
    }
    const struct cring_kind *kind = kinds[number]();
    if (peer.orders->is_front) run_front(&peer, kind);
    else run_back(&peer, kind);
    return 0;
#else
    return 2;
#endif
}
