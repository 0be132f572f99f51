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
