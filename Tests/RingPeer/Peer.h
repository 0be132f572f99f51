#pragma once
#include "CRing.h"
#include "CRingTraffic.h"

// The other end of a ring, in a process of its own.
struct peer {
    struct cring_orders *orders;
    void *memory;
    uint64_t random;
    struct cring_flex_end flex;
};

// Ends the process with a sentence for the test.
_Noreturn void fail(struct peer *peer, const char *format, ...);

// Wakes the other process, if `needed`.
void notify(struct peer *peer, int needed);

// Sleeps until the other process rings, and fails if that takes too long.
void sleep_until_rung(struct peer *peer);

// 1 to `limit`.
uint32_t up_to(struct peer *peer, uint32_t limit);

void run_front(struct peer *peer, const struct cring_kind *kind);
void run_back(struct peer *peer, const struct cring_kind *kind);

// C's end of a ring of bytes: each moves what it can at once, and returns how much that was.
struct stream_kind {
    void (*attach)(struct peer *peer);
    size_t (*write)(struct peer *peer, const void *bytes, size_t size);
    size_t (*read)(struct peer *peer, void *bytes, size_t size);
};

// The test has set the indices.
void run_stream(struct peer *peer, const struct stream_kind *kind);
