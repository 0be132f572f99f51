#include "CRingXenstore.h"

#ifdef LIBXEN
#include "Barriers.h"
#include <xen/io/xs_wire.h>

struct lane {
    char *bytes;
    volatile XENSTORE_RING_IDX *consumer, *producer;
};

static struct lane requests(struct xenstore_domain_interface *page) {
    return (struct lane){page->req, &page->req_cons, &page->req_prod};
}

static struct lane responses(struct xenstore_domain_interface *page) {
    return (struct lane){page->rsp, &page->rsp_cons, &page->rsp_prod};
}

// What fits before the ring's end goes at once. Returns how much that was.
static size_t write_chunk(struct lane lane, const char *bytes, size_t size) {
    XENSTORE_RING_IDX consumer = *lane.consumer, producer = *lane.producer;
    xen_mb();
    size_t room = XENSTORE_RING_SIZE - MASK_XENSTORE_IDX(producer);
    size_t free = XENSTORE_RING_SIZE - (producer - consumer);
    if (producer - consumer > XENSTORE_RING_SIZE) return 0;
    if (room > free) room = free;
    if (size > room) size = room;
    memcpy(lane.bytes + MASK_XENSTORE_IDX(producer), bytes, size);
    xen_mb();
    *lane.producer = producer + (XENSTORE_RING_IDX)size;
    return size;
}

static size_t read_chunk(struct lane lane, char *bytes, size_t size) {
    XENSTORE_RING_IDX consumer = *lane.consumer, producer = *lane.producer;
    xen_mb();
    size_t waiting = XENSTORE_RING_SIZE - MASK_XENSTORE_IDX(consumer);
    if (producer - consumer > XENSTORE_RING_SIZE) return 0;
    if (waiting > producer - consumer) waiting = producer - consumer;
    if (size > waiting) size = waiting;
    memcpy(bytes, lane.bytes + MASK_XENSTORE_IDX(consumer), size);
    xen_mb();
    *lane.consumer = consumer + (XENSTORE_RING_IDX)size;
    return size;
}

static void write_all(struct lane lane, const void *bytes, size_t size, uint64_t *notifications) {
    for (size_t done = 0; done < size; ++*notifications)
        done += write_chunk(lane, (const char *)bytes + done, size - done);
}

static void read_all(struct lane lane, void *bytes, size_t size, uint64_t *notifications) {
    for (size_t done = 0; done < size; ++*notifications)
        done += read_chunk(lane, (char *)bytes + done, size - done);
}

static uint64_t word(const char *bytes) {
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

uint64_t cring_xenstore_round_trips(void *page, uint64_t total, uint64_t *notifications) {
    struct lane asks = requests(page), answers = responses(page);
    char header[16] = {0}, body[40] = {0}, answer[8] = {0}, got_header[16], got_body[40], got_answer[8];
    uint64_t sum = 0;
    memset(page, 0, 4096);
    for (uint64_t number = 0; number < total; number++) {
        memcpy(header, &number, sizeof number);
        memcpy(body + 32, &number, sizeof number);
        write_all(asks, header, sizeof header, notifications);
        write_all(asks, body, sizeof body, notifications);
        read_all(asks, got_header, sizeof got_header, notifications);
        read_all(asks, got_body, sizeof got_body, notifications);
        sum += word(got_header) + word(got_body + 32);
        memcpy(answer, got_header, sizeof answer);
        write_all(answers, got_header, sizeof got_header, notifications);
        write_all(answers, answer, sizeof answer, notifications);
        read_all(answers, got_header, sizeof got_header, notifications);
        read_all(answers, got_answer, sizeof got_answer, notifications);
        sum += word(got_header) + word(got_answer);
    }
    return sum;
}

uint64_t cring_xenstore_stream(void *page, uint64_t total) {
    struct xenstore_domain_interface *interface = page;
    struct lane lane = requests(page);
    char bytes[1024] = {0}, got[1024];
    uint64_t sum = 0, notifications = 0;
    memset(page, 0, 4096);
    interface->req_cons = interface->req_prod = 100;
    for (uint64_t number = 0; number < total; number++) {
        memcpy(bytes, &number, sizeof number);
        write_all(lane, bytes, sizeof bytes, &notifications);
        read_all(lane, got, sizeof got, &notifications);
        sum += word(got);
    }
    return sum;
}
#endif
