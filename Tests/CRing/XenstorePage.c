#include "CRing.h"

#ifdef LIBXEN
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
#endif
