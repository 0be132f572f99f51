#pragma once
#include <stddef.h>
#include <stdint.h>

// C's own rings of bytes, from DEFINE_XEN_FLEX_RING of <xen/io/ring.h> as <xen/io/9pfs.h> and <xen/io/pvcalls.h> use
// it: the other end in tests. Without the trait LibXen these are declared, but not defined.

// What either end knows: the page with the indices, and where the bytes of each direction lie.
struct cring_flex_end {
    void *interface;
    unsigned char *in, *out;
    uint32_t ring_size;
};

// One protocol. Bytes are copied to and from private memory; each function returns how many moved.
struct cring_flex_kind {
    // Makes two empty rings with 1 << order references.
    void (*front_init)(struct cring_flex_end *front, void *interface, void *data, uint32_t order,
                       const uint32_t *references, uint32_t index);
    size_t (*front_write)(struct cring_flex_end *front, const void *bytes, size_t size);
    size_t (*front_read)(struct cring_flex_end *front, void *bytes, size_t size);

    // 0 if the order is none that the protocol allows.
    int (*back_attach)(struct cring_flex_end *back, void *interface, void *data);
    size_t (*back_write)(struct cring_flex_end *back, const void *bytes, size_t size);
    size_t (*back_read)(struct cring_flex_end *back, void *bytes, size_t size);

    // Where the fields are, in bytes; 0 for an error field that the protocol has not.
    size_t in_consumer, in_producer, in_error, out_consumer, out_producer, out_error, order, references;
};

const struct cring_flex_kind *cring_9pfs(void);
const struct cring_flex_kind *cring_pvcalls(void);
