#include "CRing.h"

#ifdef LIBXEN
#include "Barriers.h"
#include <xen/io/xs_wire.h>

#define OFFSET(field) offsetof(struct xenstore_domain_interface, field)

struct cring_xenstore_layout cring_xenstore_layout(void) {
    return (struct cring_xenstore_layout){
        .requests = OFFSET(req),
        .responses = OFFSET(rsp),
        .ring_size = XENSTORE_RING_SIZE,
        .request_consumer = OFFSET(req_cons),
        .request_producer = OFFSET(req_prod),
        .response_consumer = OFFSET(rsp_cons),
        .response_producer = OFFSET(rsp_prod),
    };
}

struct direction {
    char *bytes;
    volatile XENSTORE_RING_IDX *consumer, *producer;
};

static struct direction direction(struct xenstore_domain_interface *page, int is_request) {
    return is_request ? (struct direction){page->req, &page->req_cons, &page->req_prod}
                      : (struct direction){page->rsp, &page->rsp_cons, &page->rsp_prod};
}

static size_t least(size_t one, size_t other) { return one < other ? one : other; }

size_t cring_xenstore_write(void *page, int is_request, const void *bytes, size_t size) {
    struct direction way = direction(page, is_request);
    // The fence is between our last store of an index and this look.
    xen_mb();
    XENSTORE_RING_IDX consumer = *way.consumer, producer = *way.producer;
    size_t place = MASK_XENSTORE_IDX(producer);
    size = least(size, XENSTORE_RING_SIZE - place);
    size = least(size, XENSTORE_RING_SIZE - (producer - consumer));
    xen_mb();
    memcpy(way.bytes + place, bytes, size);
    xen_wmb();
    *way.producer = producer + (XENSTORE_RING_IDX)size;
    return size;
}

size_t cring_xenstore_read(void *page, int is_request, void *bytes, size_t size) {
    struct direction way = direction(page, is_request);
    xen_mb();
    XENSTORE_RING_IDX consumer = *way.consumer, producer = *way.producer;
    size_t place = MASK_XENSTORE_IDX(consumer);
    size = least(size, XENSTORE_RING_SIZE - place);
    size = least(size, producer - consumer);
    xen_rmb();
    memcpy(bytes, way.bytes + place, size);
    xen_mb();
    *way.consumer = consumer + (XENSTORE_RING_IDX)size;
    return size;
}
#endif
