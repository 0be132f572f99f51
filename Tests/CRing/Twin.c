#include "CRingTwin.h"

#ifdef LIBXEN
#include "Barriers.h"
#include <sched.h>
#include <xen/xen.h>
#include <xen/io/blkif.h>

static blkif_request_t template(void) {
    blkif_request_t request;
    memset(&request, 0, sizeof request);
    request.operation = BLKIF_OP_READ;
    request.nr_segments = 11;
    for (int i = 0; i < 11; i++) {
        request.seg[i].gref = 100 + i;
        request.seg[i].last_sect = 7;
    }
    return request;
}

static void push(blkif_front_ring_t *front, const blkif_request_t *request, uint64_t number) {
    blkif_request_t *slot = RING_GET_REQUEST(front, front->req_prod_pvt);
    *slot = *request;
    slot->id = number;
    slot->sector_number = 8 * number;
    front->req_prod_pvt++;
}

// Serves what there is, up to the final check, as a back does that answers at once. Returns -1 for a bad index.
static int serve(blkif_back_ring_t *back, uint64_t *sum) {
    int more, notify;
    do {
        RING_IDX producer = back->sring->req_prod;
        xen_rmb();
        if (RING_REQUEST_PROD_OVERFLOW(back, producer)) return -1;
        while (back->req_cons != producer) {
            blkif_request_t request;
            RING_COPY_REQUEST(back, back->req_cons, &request);
            back->req_cons++;
            *sum += request.sector_number + request.seg[10].gref;
            blkif_response_t *response = RING_GET_RESPONSE(back, back->rsp_prod_pvt);
            response->id = request.id;
            response->operation = request.operation;
            response->status = BLKIF_RSP_OKAY;
            back->rsp_prod_pvt++;
        }
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
            blkif_response_t response;
            RING_COPY_RESPONSE(front, front->rsp_cons, &response);
            front->rsp_cons++;
            *sum += response.id + response.operation;
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

#endif
