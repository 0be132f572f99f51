#pragma once
#include <stddef.h>
#include <stdint.h>

// What the benchmarks measure ours against: block requests (112 bytes) and responses (16 bytes) through C's own
// ring. Each returns a sum over all that it read, which is the same for the same number of requests.
// Without the trait LibXen these are declared, but not defined.

// Pushes `batch` requests at a time, serves them and reaps the responses, all in this thread.
uint64_t cring_twin_single_thread(void *memory, size_t size, uint64_t batch, uint64_t total);

// Makes an empty ring, for the two below.
void cring_twin_init(void *memory, size_t size);

// The two ends for a thread each. They spin, and never sleep.
uint64_t cring_twin_spinning_front(void *memory, size_t size, uint64_t batch, uint64_t total);
uint64_t cring_twin_spinning_back(void *memory, size_t size, uint64_t total);

// The two ends with one request in flight at a time. They spin on the producer index, and never ask to be notified.
uint64_t cring_twin_round_trips(void *memory, size_t size, uint64_t total);
uint64_t cring_twin_answers(void *memory, size_t size, uint64_t total);

// What a schedule of both ends in one thread counts.
struct cring_twin_counts {
    uint64_t notifications, wakes, sum;
};

// Lets front and back run in turn as a fixed sequence of numbers says, each until it has done its share or has to
// sleep; whoever sleeps runs again once it has been notified. The front pushes up to `batch` requests at a time, the
// back serves fewer or as many. `wakes` is 0 when both slept for ever.
struct cring_twin_counts cring_twin_notifications(void *memory, size_t size, uint64_t batch, uint64_t total);
