#include "CRingFlex.h"

#ifdef LIBXEN
#include "Barriers.h"
#include <xen/xen.h>
#include <xen/io/9pfs.h>
#include <xen/io/pvcalls.h>

#define IN_ERROR_OF_xen_9pfs 0
#define OUT_ERROR_OF_xen_9pfs 0
#define IN_ERROR_OF_pvcalls offsetof(struct pvcalls_data_intf, in_error)
#define OUT_ERROR_OF_pvcalls offsetof(struct pvcalls_data_intf, out_error)

// A writer and a reader of one direction, as the documents of both protocols describe them.
#define DEFINE_DIRECTION(name, way)                                                                \
    static size_t name##_##way##_write(struct cring_flex_end *end, const void *bytes, size_t size) { \
        struct name##_data_intf *interface = end->interface;                                       \
        RING_IDX consumer = interface->way##_cons, producer = interface->way##_prod;               \
        xen_mb();                                                                                  \
        size_t room = end->ring_size - name##_queued(producer, consumer, end->ring_size);          \
        if (size > room) size = room;                                                              \
        RING_IDX masked = name##_mask(producer, end->ring_size);                                   \
        name##_write_packet(end->way, bytes, size, &masked,                                        \
                            name##_mask(consumer, end->ring_size), end->ring_size);                \
        xen_wmb();                                                                                 \
        interface->way##_prod = producer + (RING_IDX)size;                                         \
        return size;                                                                               \
    }                                                                                              \
    static size_t name##_##way##_read(struct cring_flex_end *end, void *bytes, size_t size) {      \
        struct name##_data_intf *interface = end->interface;                                       \
        RING_IDX consumer = interface->way##_cons, producer = interface->way##_prod;               \
        xen_rmb();                                                                                 \
        size_t queued = name##_queued(producer, consumer, end->ring_size);                         \
        if (size > queued) size = queued;                                                          \
        RING_IDX masked = name##_mask(consumer, end->ring_size);                                   \
        name##_read_packet(bytes, end->way, size, name##_mask(producer, end->ring_size), &masked,  \
                           end->ring_size);                                                        \
        xen_mb();                                                                                  \
        interface->way##_cons = consumer + (RING_IDX)size;                                         \
        return size;                                                                               \
    }

#define DEFINE_FLEX_KIND(name, function)                                                           \
    DEFINE_DIRECTION(name, in)                                                                     \
    DEFINE_DIRECTION(name, out)                                                                    \
    static void name##_place(struct cring_flex_end *end, void *interface, void *data, uint32_t order) { \
        end->interface = interface;                                                                \
        end->ring_size = XEN_FLEX_RING_SIZE(order);                                                \
        end->in = data;                                                                            \
        end->out = end->in + end->ring_size;                                                       \
    }                                                                                              \
    static void name##_init(struct cring_flex_end *end, void *interface, void *data, uint32_t order, \
                            const uint32_t *references, uint32_t index) {                          \
        struct name##_data_intf *shared = interface;                                               \
        memset(interface, 0, 1 << XEN_PAGE_SHIFT);                                                 \
        shared->in_cons = shared->in_prod = shared->out_cons = shared->out_prod = index;           \
        shared->ring_order = order;                                                                \
        for (uint32_t i = 0; i < 1u << order; i++) shared->ref[i] = references[i];                 \
        name##_place(end, interface, data, order);                                                 \
    }                                                                                              \
    static int name##_attach(struct cring_flex_end *end, void *interface, void *data) {            \
        uint32_t order = *(volatile RING_IDX *)&((struct name##_data_intf *)interface)->ring_order; \
        if (order < 1 || order > 9) return 0;                                                      \
        name##_place(end, interface, data, order);                                                 \
        return 1;                                                                                  \
    }                                                                                              \
    const struct cring_flex_kind *function(void) {                                                 \
        static const struct cring_flex_kind kind = {                                               \
            name##_init, name##_out_write, name##_in_read,                                         \
            name##_attach, name##_in_write, name##_out_read,                                       \
            offsetof(struct name##_data_intf, in_cons), offsetof(struct name##_data_intf, in_prod), \
            IN_ERROR_OF_##name,                                                                    \
            offsetof(struct name##_data_intf, out_cons), offsetof(struct name##_data_intf, out_prod), \
            OUT_ERROR_OF_##name,                                                                   \
            offsetof(struct name##_data_intf, ring_order), offsetof(struct name##_data_intf, ref), \
        };                                                                                         \
        return &kind;                                                                              \
    }                                                                                              \
    _Static_assert(1, "")

DEFINE_FLEX_KIND(xen_9pfs, cring_9pfs);
DEFINE_FLEX_KIND(pvcalls, cring_pvcalls);

#endif
