#include "CRing.h"

#ifdef LIBXEN
#include "Barriers.h"
#include <xen/io/ring.h>

#define DEFINE_KIND(name, req_t, rsp_t)                                                            \
    DEFINE_RING_TYPES(name, req_t, rsp_t);                                                         \
    static void name##_front_init(struct cring_end *end, void *memory, size_t size, uint32_t index) { \
        struct name##_sring *s = memory;                                                           \
        memset(memory, 0, size);                                                                   \
        SHARED_RING_INIT(s);                                                                       \
        s->req_prod = s->rsp_prod = index;                                                         \
        s->req_event = s->rsp_event = index + 1;                                                   \
        FRONT_RING_ATTACH((struct name##_front_ring *)end, s, index, size);                        \
    }                                                                                              \
    static void name##_front_push(struct cring_end *end, const void *request) {                    \
        struct name##_front_ring *r = (struct name##_front_ring *)end;                             \
        memcpy(RING_GET_REQUEST(r, r->req_prod_pvt), request, sizeof(req_t));                      \
        r->req_prod_pvt++;                                                                         \
    }                                                                                              \
    static int name##_front_publish(struct cring_end *end) {                                       \
        struct name##_front_ring *r = (struct name##_front_ring *)end;                             \
        int notify;                                                                                \
        RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(r, notify);                                            \
        return notify;                                                                             \
    }                                                                                              \
    static int name##_front_next(struct cring_end *end, void *response) {                          \
        struct name##_front_ring *r = (struct name##_front_ring *)end;                             \
        int more;                                                                                  \
        RING_FINAL_CHECK_FOR_RESPONSES(r, more);                                                   \
        if (!more) return 0;                                                                       \
        xen_rmb();                                                                                 \
        RING_COPY_RESPONSE(r, r->rsp_cons, (rsp_t *)response);                                     \
        r->rsp_cons++;                                                                             \
        return 1;                                                                                  \
    }                                                                                              \
    static void name##_back_attach(struct cring_end *end, void *memory, size_t size, uint32_t index) { \
        struct name##_sring *s = memory;                                                           \
        BACK_RING_ATTACH((struct name##_back_ring *)end, s, index, size);                          \
    }                                                                                              \
    static void name##_back_push(struct cring_end *end, const void *response) {                    \
        struct name##_back_ring *r = (struct name##_back_ring *)end;                               \
        memcpy(RING_GET_RESPONSE(r, r->rsp_prod_pvt), response, sizeof(rsp_t));                    \
        r->rsp_prod_pvt++;                                                                         \
    }                                                                                              \
    static int name##_back_publish(struct cring_end *end) {                                        \
        struct name##_back_ring *r = (struct name##_back_ring *)end;                               \
        int notify;                                                                                \
        RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(r, notify);                                           \
        return notify;                                                                             \
    }                                                                                              \
    static int name##_back_next(struct cring_end *end, void *request) {                            \
        struct name##_back_ring *r = (struct name##_back_ring *)end;                               \
        int more;                                                                                  \
        RING_FINAL_CHECK_FOR_REQUESTS(r, more);                                                    \
        if (!more) return 0;                                                                       \
        xen_rmb();                                                                                 \
        RING_COPY_REQUEST(r, r->req_cons, (req_t *)request);                                       \
        r->req_cons++;                                                                             \
        return 1;                                                                                  \
    }                                                                                              \
    const struct cring_kind *c##name(void) {                                                  \
        static const struct cring_kind kind = {                                                    \
            sizeof(req_t), sizeof(rsp_t), sizeof(union name##_sring_entry),                        \
            name##_front_init, name##_front_push, name##_front_publish, name##_front_next,         \
            name##_back_attach, name##_back_push, name##_back_publish, name##_back_next,           \
        };                                                                                         \
        return &kind;                                                                              \
    }                                                                                              \
    _Static_assert(sizeof(struct name##_front_ring) == sizeof(struct cring_end), "same private variables"); \
    _Static_assert(sizeof(struct name##_back_ring) == sizeof(struct cring_end), "same private variables")

struct narrow_1 { uint32_t words[1]; };
struct narrow_3 { uint32_t words[3]; };
struct wide_1 { uint64_t words[1]; };
struct wide_2 { uint64_t words[2]; };
struct wide_3 { uint64_t words[3]; };
struct wide_14 { uint64_t words[14]; };
struct wide_126 { uint64_t words[126]; };
struct wide_504 { uint64_t words[504]; };

DEFINE_KIND(ring_4_4_aligned_4, struct narrow_1, struct narrow_1);
DEFINE_KIND(ring_12_aligned_4_8, struct narrow_3, struct wide_1);
DEFINE_KIND(ring_8_24, struct wide_1, struct wide_3);
DEFINE_KIND(ring_112_16, struct wide_14, struct wide_2);
DEFINE_KIND(ring_1008_8, struct wide_126, struct wide_1);
DEFINE_KIND(ring_4032_8, struct wide_504, struct wide_1);

#endif
