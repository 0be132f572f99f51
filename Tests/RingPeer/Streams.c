#include "Peer.h"

#include <sched.h>

// Bytes of one direction: what is sent and what has to come is known by its place.
static uint64_t seed_of(struct peer *peer, int is_requests) {
    return is_requests ? peer->orders->seed : ~peer->orders->seed;
}

struct ends {
    uint32_t sent, received;
};

// One chunk, as long as what is free before the ring's end. Notifies for each, as xenstored does.
static int send_chunk(struct peer *peer, const struct stream_kind *kind, struct ends *ends) {
    struct cring_orders *orders = peer->orders;
    unsigned char bytes[4096];
    uint32_t size = up_to(peer, orders->batch);
    if (size > orders->total - ends->sent) size = orders->total - ends->sent;
    cring_stream(bytes, size, seed_of(peer, orders->is_front), ends->sent);
    size_t count = kind->write(peer, bytes, size);
    ends->sent += (uint32_t)count;
    notify(peer, count > 0);
    return count > 0;
}

static int receive_chunk(struct peer *peer, const struct stream_kind *kind, struct ends *ends) {
    unsigned char bytes[4096], expected[4096];
    uint32_t size = up_to(peer, peer->orders->batch);
    size_t count = kind->read(peer, bytes, size);
    if (count > peer->orders->total - ends->received) fail(peer, "too many bytes");
    cring_stream(expected, count, seed_of(peer, !peer->orders->is_front), ends->received);
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != expected[i]) fail(peer, "byte %u is wrong", ends->received + (uint32_t)i);
    ends->received += (uint32_t)count;
    notify(peer, count > 0);
    return count > 0;
}

void run_stream(struct peer *peer, const struct stream_kind *kind) {
    struct ends ends = {0};
    uint32_t total = peer->orders->total;
    kind->attach(peer);
    if (peer->orders->batch > 4096) fail(peer, "chunks of 4096 bytes at most");
    while (ends.sent < total || ends.received < total) {
        int has_moved = ends.sent < total && send_chunk(peer, kind, &ends);
        has_moved |= receive_chunk(peer, kind, &ends);
        if (up_to(peer, 16) == 1) sched_yield();
        // Nothing moved, after a look at both directions that came after all that did.
        if (!has_moved && (ends.sent < total || ends.received < total)) sleep_until_rung(peer);
    }
}
