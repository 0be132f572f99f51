#include "Peer.h"

#include <sched.h>
#include <stdlib.h>

// Responses are told from requests by their seed.
static uint64_t response_seed(struct peer *peer) { return ~peer->orders->seed; }

// Lets the other side run at any point, since two processors are few.
static void yield_at_times(struct peer *peer) {
    if (up_to(peer, 16) == 1) sched_yield();
}

struct front {
    struct cring_end end;
    uint32_t sent, answered;
    // By number: whether a request waits for its answer.
    char *waits;
};

// Stages up to a batch of requests and publishes them.
static void send_batch(struct peer *peer, const struct cring_kind *kind, struct front *front) {
    struct cring_orders *orders = peer->orders;
    _Alignas(8) char request[4096];
    uint32_t count = up_to(peer, orders->batch), staged = 0;
    while (staged < count && front->sent < orders->total
           && front->sent - front->answered < front->end.slot_count) {
        cring_fill(request, kind->request_size, orders->seed, front->sent);
        orders->sent_sum += cring_sum(request, kind->request_size);
        front->waits[front->sent++] = 1;
        kind->front_push(&front->end, request);
        staged++;
    }
    if (staged) notify(peer, kind->front_publish(&front->end));
}

static void take_response(struct peer *peer, const struct cring_kind *kind, struct front *front,
                          const void *response) {
    int64_t number = cring_number(response, kind->response_size, response_seed(peer));
    if (number < 0) fail(peer, "response %u is torn", front->answered);
    if (number >= front->sent || !front->waits[number])
        fail(peer, "response %u answers %lld, which nobody waits for", front->answered,
             (long long)number);
    front->waits[number] = 0;
    front->answered++;
    peer->orders->received_sum += cring_sum(response, kind->response_size);
}

void run_front(struct peer *peer, const struct cring_kind *kind) {
    struct cring_orders *orders = peer->orders;
    struct front front = {.waits = calloc(orders->total, 1)};
    _Alignas(8) char response[4096];
    if (!front.waits) fail(peer, "no memory");
    kind->front_init(&front.end, peer->memory, orders->size, orders->start);
    // The back begins when the ring is made.
    notify(peer, 1);
    while (front.answered < orders->total) {
        send_batch(peer, kind, &front);
        yield_at_times(peer);
        while (kind->front_next(&front.end, response)) take_response(peer, kind, &front, response);
        // What came to an end with the final check may be followed by sleep, if nothing can be sent.
        int is_stuck = front.sent == orders->total
            || front.sent - front.answered == front.end.slot_count;
        if (is_stuck && front.answered < orders->total) sleep_until_rung(peer);
    }
    free(front.waits);
}

struct back {
    struct cring_end end;
    uint32_t taken, answered, held_count;
    // Taken and not answered.
    uint32_t *held;
};

// Answers a batch of what is held, in any order.
static void answer_batch(struct peer *peer, const struct cring_kind *kind, struct back *back) {
    _Alignas(8) char response[4096];
    uint32_t count = up_to(peer, peer->orders->batch);
    for (; count && back->held_count; count--) {
        uint32_t choice = up_to(peer, back->held_count) - 1;
        uint32_t number = back->held[choice];
        back->held[choice] = back->held[--back->held_count];
        cring_fill(response, kind->response_size, response_seed(peer), number);
        peer->orders->sent_sum += cring_sum(response, kind->response_size);
        kind->back_push(&back->end, response);
        back->answered++;
    }
    notify(peer, kind->back_publish(&back->end));
}

static void take_request(struct peer *peer, const struct cring_kind *kind, struct back *back,
                         const void *request) {
    int64_t number = cring_number(request, kind->request_size, peer->orders->seed);
    if (number != back->taken)
        fail(peer, "request %u is torn or out of order: %lld", back->taken, (long long)number);
    back->held[back->held_count++] = back->taken++;
    peer->orders->received_sum += cring_sum(request, kind->request_size);
}

void run_back(struct peer *peer, const struct cring_kind *kind) {
    struct cring_orders *orders = peer->orders;
    struct back back = {0};
    _Alignas(8) char request[4096];
    // The front rings when the ring is made.
    sleep_until_rung(peer);
    kind->back_attach(&back.end, peer->memory, orders->size, orders->start);
    back.held = calloc(back.end.slot_count, sizeof *back.held);
    if (!back.held) fail(peer, "no memory");
    while (back.answered < orders->total) {
        while (kind->back_next(&back.end, request)) {
            take_request(peer, kind, &back, request);
            if (back.held_count == back.end.slot_count || up_to(peer, 4) == 1)
                answer_batch(peer, kind, &back);
            yield_at_times(peer);
        }
        while (back.held_count) answer_batch(peer, kind, &back);
        if (back.answered < orders->total) sleep_until_rung(peer);
    }
    free(back.held);
}
