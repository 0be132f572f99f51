#include "CRingTwin.h"

#ifdef LIBXEN
#include "BlockRing.h"
#include <sched.h>

// Serves what there is, up to the final check, as a back does that answers at once. Returns -1 for a bad index.
static int serve(blkif_back_ring_t *back, uint64_t *sum) {
    int more, notify;
    do {
        RING_IDX producer = back->sring->req_prod;
        xen_rmb();
        if (RING_REQUEST_PROD_OVERFLOW(back, producer)) return -1;
        while (back->req_cons != producer) answer(back, sum);
        RING_FINAL_CHECK_FOR_REQUESTS(back, more);
    } while (more);
    RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(back, notify);
    return notify;
}

// Reaps what there is, up to the final check.
static uint64_t reap(blkif_front_ring_t *front, uint64_t *sum) {
    int more;
    uint64_t count = 0;
    do {
        RING_IDX producer = front->sring->rsp_prod;
        xen_rmb();
        if (RING_RESPONSE_PROD_OVERFLOW(front, producer)) return count;
        while (front->rsp_cons != producer) {
            take(front, sum);
            count++;
        }
        RING_FINAL_CHECK_FOR_RESPONSES(front, more);
    } while (more);
    return count;
}

uint64_t cring_twin_single_thread(void *memory, size_t size, uint64_t batch, uint64_t total) {
    blkif_front_ring_t front;
    blkif_back_ring_t back;
    blkif_request_t request = template();
    uint64_t sum = 0, sent = 0;
    int notify;
    cring_twin_init(memory, size);
    FRONT_RING_INIT(&front, (blkif_sring_t *)memory, size);
    BACK_RING_INIT(&back, (blkif_sring_t *)memory, size);
    while (sent < total) {
        for (uint64_t i = 0; i < batch && !RING_FULL(&front); i++) push(&front, &request, sent++);
        RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&front, notify);
        sum += notify;
        sum += serve(&back, &sum);
        reap(&front, &sum);
    }
    return sum;
}

void cring_twin_init(void *memory, size_t size) {
    blkif_sring_t *shared = memory;
    memset(memory, 0, size);
    SHARED_RING_INIT(shared);
}

// After this many looks in vain, in which another thread may need this processor.
enum { patience = 1000 };

static void spin(int *idle) {
    if (++*idle < patience) return;
    sched_yield();
    *idle = 0;
}

uint64_t cring_twin_spinning_front(void *memory, size_t size, uint64_t batch, uint64_t total) {
    blkif_front_ring_t front;
    blkif_request_t request = template();
    uint64_t sum = 0, sent = 0, received = 0;
    int notify, idle = 0;
    FRONT_RING_INIT(&front, (blkif_sring_t *)memory, size);
    while (received < total) {
        uint64_t staged = 0;
        while (staged < batch && sent < total && !RING_FULL(&front)) {
            push(&front, &request, sent++);
            staged++;
        }
        if (staged) RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&front, notify);
        uint64_t reaped = reap(&front, &sum);
        received += reaped;
        if (staged || reaped) idle = 0;
        else spin(&idle);
    }
    return sum;
}

uint64_t cring_twin_spinning_back(void *memory, size_t size, uint64_t total) {
    blkif_back_ring_t back;
    uint64_t sum = 0;
    int idle = 0;
    BACK_RING_INIT(&back, (blkif_sring_t *)memory, size);
    while (back.rsp_prod_pvt != (RING_IDX)total) {
        RING_IDX before = back.rsp_prod_pvt;
        if (serve(&back, &sum) < 0) break;
        if (back.rsp_prod_pvt != before) idle = 0;
        else spin(&idle);
    }
    return sum;
}

#if defined(__x86_64__)
#define relax() __asm__ __volatile__("pause" ::: "memory")
#else
#define relax() xen_rmb()
#endif

// A spinning end looks at the producer index alone: it does not sleep, so it asks for no notification.
#define SPIN_UNTIL(condition) for (int idle = 0; !(condition); spin(&idle)) relax()

uint64_t cring_twin_round_trips(void *memory, size_t size, uint64_t total) {
    blkif_front_ring_t front;
    blkif_request_t request = template();
    uint64_t sum = 0;
    int notify;
    FRONT_RING_INIT(&front, (blkif_sring_t *)memory, size);
    for (uint64_t number = 0; number < total; number++) {
        push(&front, &request, number);
        RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&front, notify);
        (void)notify;
        SPIN_UNTIL(RING_HAS_UNCONSUMED_RESPONSES(&front));
        xen_rmb();
        take(&front, &sum);
    }
    return sum;
}

uint64_t cring_twin_answers(void *memory, size_t size, uint64_t total) {
    blkif_back_ring_t back;
    uint64_t sum = 0;
    int notify;
    BACK_RING_INIT(&back, (blkif_sring_t *)memory, size);
    for (uint64_t number = 0; number < total; number++) {
        SPIN_UNTIL(RING_HAS_UNCONSUMED_REQUESTS(&back));
        xen_rmb();
        answer(&back, &sum);
        RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&back, notify);
        (void)notify;
    }
    return sum;
}

// The schedule's numbers (Marsaglia's xorshift).
static uint64_t next_number(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

struct sleeper {
    int asleep, rung;
};

// Whether an end may run; it wakes if it was notified.
static int may_run(struct sleeper *end, struct cring_twin_counts *counts) {
    if (!end->asleep) return 1;
    if (!end->rung) return 0;
    counts->wakes++;
    *end = (struct sleeper){0, 0};
    return 1;
}

struct cring_twin_counts cring_twin_notifications(void *memory, size_t size, uint64_t batch, uint64_t total) {
    blkif_front_ring_t front;
    blkif_back_ring_t back;
    blkif_request_t request = template();
    struct cring_twin_counts counts = {0, 0, 0};
    struct sleeper front_sleeper = {0, 0}, back_sleeper = {0, 0};
    uint64_t state = 1, sent = 0, received = 0;
    int notify;
    cring_twin_init(memory, size);
    FRONT_RING_INIT(&front, (blkif_sring_t *)memory, size);
    BACK_RING_INIT(&back, (blkif_sring_t *)memory, size);
    while (received < total) {
        uint64_t number = next_number(&state);
        if (front_sleeper.asleep && !front_sleeper.rung && back_sleeper.asleep && !back_sleeper.rung)
            return (struct cring_twin_counts){0, 0, 0};
        if (number & 1) {
            if (!may_run(&front_sleeper, &counts)) continue;
            for (uint64_t i = 0; i < batch && sent < total && !RING_FULL(&front); i++) push(&front, &request, sent++);
            RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&front, notify);
            counts.notifications += notify;
            back_sleeper.rung |= notify;
            received += reap(&front, &counts.sum);
            front_sleeper.asleep = sent == total || RING_FULL(&front);
        } else {
            if (!may_run(&back_sleeper, &counts)) continue;
            int more = 1;
            for (uint64_t share = 1 + (number >> 1) % batch; share && more; share--) {
                RING_FINAL_CHECK_FOR_REQUESTS(&back, more);
                if (more) answer(&back, &counts.sum);
            }
            RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&back, notify);
            counts.notifications += notify;
            front_sleeper.rung |= notify;
            back_sleeper.asleep = !more;
        }
    }
    return counts;
}

#endif
