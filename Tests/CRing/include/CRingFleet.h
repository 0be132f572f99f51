#pragma once
#include <stddef.h>
#include <stdint.h>

// Many rings of block requests, each in a page of its own, and one server, in one thread: what the benchmark of many
// rings measures ours against. Without the trait LibXen these are declared, but not defined.
struct cring_fleet;

// How the server finds the rings that have requests.
enum cring_search {
    // It looks at all of them.
    cring_scan,
    // It has a list of those that were notified.
    cring_notified,
    // Rings with credit are in a list and take turns: an event adds a credit, a round takes one. A ring without is
    // looked at every 20 seconds, and gets many rounds of credit if it had work (oxenstored's io_credit).
    cring_credit,
};

// Null when there is not enough memory.
struct cring_fleet *cring_fleet_create(uint32_t ring_count);
void cring_fleet_destroy(struct cring_fleet *fleet);

// Carries `total` requests, `active` at a time, each through a ring that its number chooses, with all rings served
// until all is answered before the next ones. Returns a sum over all that it read.
uint64_t cring_fleet_carry(struct cring_fleet *fleet, enum cring_search search, uint32_t active, uint64_t total);

// Carries `total` requests, one at a time, through one ring whose front does not notify, under `cring_credit`.
uint64_t cring_fleet_carry_silently(struct cring_fleet *fleet, uint64_t total);
