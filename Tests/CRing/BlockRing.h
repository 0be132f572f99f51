#pragma once
// Block requests and responses through C's ring, as the benchmarks carry them.
#include "Barriers.h"
#include <xen/xen.h>
#include <xen/io/blkif.h>

static inline blkif_request_t template(void) {
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

static inline void push(blkif_front_ring_t *front, const blkif_request_t *request, uint64_t number) {
    blkif_request_t *slot = RING_GET_REQUEST(front, front->req_prod_pvt);
    *slot = *request;
    slot->id = number;
    slot->sector_number = 8 * number;
    front->req_prod_pvt++;
}

// Takes the next request, and stages its response.
static inline void answer(blkif_back_ring_t *back, uint64_t *sum) {
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

// Takes the next response.
static inline void take(blkif_front_ring_t *front, uint64_t *sum) {
    blkif_response_t response;
    RING_COPY_RESPONSE(front, front->rsp_cons, &response);
    front->rsp_cons++;
    *sum += response.id + response.operation;
}
