#pragma once
#include <stddef.h>
#include <stdint.h>

// What the benchmarks measure our byte rings against: both ends of a xenstore page in one thread, each moving chunk by
// chunk and notifying for each, as xenstored does. Each returns a sum over what it read.
// Without the trait LibXen these are declared, but not defined.

// Round trips: a request of 16 and 40 bytes, a response of 16 and 8. Counts the notifications, too.
uint64_t cring_xenstore_round_trips(void *page, uint64_t total, uint64_t *notifications);

// Moves this many KiB of requests, each around the ring's end.
uint64_t cring_xenstore_stream(void *page, uint64_t total);
