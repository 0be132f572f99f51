#pragma once
#include <stddef.h>
#include <stdint.h>

#include "CRingTraffic.h"
#include "CRingFlex.h"
#include "CRingFleet.h"
#include "CRingTwin.h"
#include "CRingXenstore.h"

// C's own rings, from the macros of <xen/io/ring.h>: the other end in tests, and the twin in benchmarks.
// Without the trait LibXen these are declared, but not defined.

// Either end's private variables. `private_index` is req_prod_pvt or rsp_prod_pvt, `consumer` is rsp_cons or req_cons.
struct cring_end {
    uint32_t private_index, consumer, slot_count;
    void *shared;
};

// One kind of ring. Messages are copied to and from private memory.
struct cring_kind {
    size_t request_size, response_size, slot_size;

    void (*front_init)(struct cring_end *front, void *memory, size_t size, uint32_t index);
    void (*front_push)(struct cring_end *front, const void *request);
    // 1 if the peer has to be notified.
    int (*front_publish)(struct cring_end *front);
    // 0 if there is nothing, after RING_FINAL_CHECK_FOR_RESPONSES.
    int (*front_next)(struct cring_end *front, void *response);

    void (*back_attach)(struct cring_end *back, void *memory, size_t size, uint32_t index);
    void (*back_push)(struct cring_end *back, const void *response);
    int (*back_publish)(struct cring_end *back);
    int (*back_next)(struct cring_end *back, void *request);
};

// Named by the sizes of request and response and, after these, the alignment where it is not 8.
const struct cring_kind *cring_4_4_aligned_4(void);
const struct cring_kind *cring_12_aligned_4_8(void);
const struct cring_kind *cring_8_24(void);
const struct cring_kind *cring_112_16(void);
const struct cring_kind *cring_1008_8(void);
const struct cring_kind *cring_4032_8(void);

// Where struct xenstore_domain_interface of <xen/io/xs_wire.h> has its fields, in bytes.
struct cring_xenstore_layout {
    size_t requests, responses, ring_size;
    size_t request_consumer, request_producer, response_consumer, response_producer;
};

struct cring_xenstore_layout cring_xenstore_layout(void);

// Moves one chunk in one direction of such a page, up to the ring's end. Each returns how many bytes that was.
size_t cring_xenstore_write(void *page, int is_request, const void *bytes, size_t size);
size_t cring_xenstore_read(void *page, int is_request, void *bytes, size_t size);
