#include "CRingFleet.h"

#ifdef LIBXEN
#include "BlockRing.h"
#include <stdlib.h>

enum { budget = 32, event_credit = 8, lazy_credit = 32, lazy_credit_per_ring = 2, checks_per_turn = 16, nobody = -1 };
static const uint64_t check_period = 20000000000;

struct ring {
    blkif_front_ring_t front;
    blkif_back_ring_t back;
    // Under `cring_credit`: one of the two queues, its neighbours there, and when it is to be looked at.
    int credit, is_active, previous, next;
    uint64_t check_due;
};

struct queue {
    int first, last, count;
};

struct cring_fleet {
    uint32_t count;
    struct ring *rings;
    char *pages;
    // Under `cring_notified`.
    uint32_t *notified, notified_count;
    // Under `cring_credit`.
    struct queue active, idle;
    uint64_t now;
};

static void append(struct cring_fleet *fleet, struct queue *queue, int index) {
    struct ring *ring = &fleet->rings[index];
    ring->previous = queue->last;
    ring->next = nobody;
    if (queue->last == nobody) queue->first = index;
    else fleet->rings[queue->last].next = index;
    queue->last = index;
    queue->count++;
}

static void take_out(struct cring_fleet *fleet, struct queue *queue, int index) {
    struct ring *ring = &fleet->rings[index];
    if (ring->previous == nobody) queue->first = ring->next;
    else fleet->rings[ring->previous].next = ring->next;
    if (ring->next == nobody) queue->last = ring->previous;
    else fleet->rings[ring->next].previous = ring->previous;
    queue->count--;
}

// Puts a ring that is in no queue into the one where it belongs.
static void settle(struct cring_fleet *fleet, int index) {
    struct ring *ring = &fleet->rings[index];
    ring->is_active = ring->credit > 0;
    if (!ring->is_active) ring->check_due = fleet->now + check_period;
    append(fleet, ring->is_active ? &fleet->active : &fleet->idle, index);
}

static void add_credit(struct cring_fleet *fleet, int index) {
    struct ring *ring = &fleet->rings[index];
    if (ring->credit < event_credit) ring->credit++;
    if (ring->is_active) return;
    take_out(fleet, &fleet->idle, index);
    settle(fleet, index);
}

// At most `budget` requests. Returns whether there may be more.
static int serve_some(struct ring *ring, uint64_t *sum) {
    int more = 1, notify;
    RING_IDX before = ring->back.req_cons;
    for (int left = budget; left; left--) {
        RING_FINAL_CHECK_FOR_REQUESTS(&ring->back, more);
        if (!more) break;
        xen_rmb();
        answer(&ring->back, sum);
    }
    if (ring->back.req_cons == before) return more;
    RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&ring->back, notify);
    (void)notify;
    return more;
}

// One round for each ring that is active now.
static void serve_active(struct cring_fleet *fleet, uint64_t *sum) {
    for (int left = fleet->active.count; left; left--) {
        int index = fleet->active.first;
        struct ring *ring = &fleet->rings[index];
        take_out(fleet, &fleet->active, index);
        ring->credit--;
        if (serve_some(ring, sum) && ring->credit < 1) ring->credit = 1;
        settle(fleet, index);
    }
}

// A slice of the checks that are due.
static void check(struct cring_fleet *fleet) {
    for (int left = checks_per_turn; left; left--) {
        int index = fleet->idle.first, more;
        if (index == nobody || fleet->rings[index].check_due > fleet->now) return;
        struct ring *ring = &fleet->rings[index];
        take_out(fleet, &fleet->idle, index);
        RING_FINAL_CHECK_FOR_REQUESTS(&ring->back, more);
        if (more) ring->credit = lazy_credit + lazy_credit_per_ring * (int)fleet->count;
        settle(fleet, index);
    }
}

static void serve_all(struct cring_fleet *fleet, enum cring_search search, uint64_t *sum) {
    switch (search) {
    case cring_scan:
        for (uint32_t i = 0; i < fleet->count; i++) serve_some(&fleet->rings[i], sum);
        break;
    case cring_notified:
        for (uint32_t i = 0; i < fleet->notified_count; i++) serve_some(&fleet->rings[fleet->notified[i]], sum);
        fleet->notified_count = 0;
        break;
    case cring_credit:
        do {
            check(fleet);
            serve_active(fleet, sum);
        } while (fleet->active.count);
        break;
    }
}

// The ring that carries this request. Their count is a power of two.
static uint32_t ring_of(const struct cring_fleet *fleet, uint64_t number) {
    return (uint32_t)((number * 0x9E3779B1) >> 16) & (fleet->count - 1);
}

uint64_t cring_fleet_carry(struct cring_fleet *fleet, enum cring_search search, uint32_t active, uint64_t total) {
    blkif_request_t request = template();
    uint64_t sum = 0;
    for (uint64_t first = 0; first < total; first += active) {
        for (uint64_t number = first; number < first + active; number++) {
            int notify;
            uint32_t index = ring_of(fleet, number);
            struct ring *ring = &fleet->rings[index];
            push(&ring->front, &request, number);
            RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&ring->front, notify);
            if (!notify) continue;
            if (search == cring_notified) fleet->notified[fleet->notified_count++] = index;
            if (search == cring_credit) add_credit(fleet, (int)index);
        }
        serve_all(fleet, search, &sum);
        for (uint64_t number = first; number < first + active; number++) {
            struct ring *ring = &fleet->rings[ring_of(fleet, number)];
            int more;
            for (;;) {
                RING_FINAL_CHECK_FOR_RESPONSES(&ring->front, more);
                if (!more) break;
                xen_rmb();
                take(&ring->front, &sum);
            }
        }
    }
    return sum;
}

uint64_t cring_fleet_carry_silently(struct cring_fleet *fleet, uint64_t total) {
    blkif_request_t request = template();
    struct ring *ring = &fleet->rings[fleet->count / 2];
    uint64_t sum = 0;
    for (uint64_t number = 0; number < total; number++) {
        int notify, more = 0;
        push(&ring->front, &request, number);
        RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&ring->front, notify);
        (void)notify;
        while (!more) {
            check(fleet);
            serve_active(fleet, &sum);
            RING_FINAL_CHECK_FOR_RESPONSES(&ring->front, more);
            if (!more && !fleet->active.count) {
                uint64_t due = fleet->rings[fleet->idle.first].check_due;
                if (due > fleet->now) fleet->now = due;
            }
        }
        xen_rmb();
        take(&ring->front, &sum);
    }
    return sum;
}

struct cring_fleet *cring_fleet_create(uint32_t count) {
    struct cring_fleet *fleet = calloc(1, sizeof *fleet);
    if (!fleet) return NULL;
    fleet->count = count;
    fleet->active = fleet->idle = (struct queue){nobody, nobody, 0};
    fleet->rings = calloc(count, sizeof *fleet->rings);
    fleet->notified = calloc(count, sizeof *fleet->notified);
    fleet->pages = aligned_alloc(4096, (size_t)count * 4096);
    if (!fleet->rings || !fleet->notified || !fleet->pages) {
        cring_fleet_destroy(fleet);
        return NULL;
    }
    memset(fleet->pages, 0, (size_t)count * 4096);
    for (uint32_t i = 0; i < count; i++) {
        blkif_sring_t *shared = (blkif_sring_t *)(fleet->pages + (size_t)i * 4096);
        SHARED_RING_INIT(shared);
        FRONT_RING_INIT(&fleet->rings[i].front, shared, 4096);
        BACK_RING_INIT(&fleet->rings[i].back, shared, 4096);
        settle(fleet, (int)i);
    }
    return fleet;
}

void cring_fleet_destroy(struct cring_fleet *fleet) {
    free(fleet->rings);
    free(fleet->notified);
    free(fleet->pages);
    free(fleet);
}

#endif
