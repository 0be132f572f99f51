#pragma once
#include <stddef.h>
#include <stdint.h>

// A second process for tests: its memory, its doorbells, its beginning and its end.
// Each returns a negative errno if it fails.

// Memory that can be mapped in both.
int peer_memory(size_t byte_count);

// A doorbell: an eventfd.
int peer_doorbell(void);
int peer_ring(int doorbell);

// Sleeps until the bell has been rung since the last time. -ETIMEDOUT if that takes too long.
int peer_sleep(int doorbell, int timeout_milliseconds);

// Starts a program whose descriptors 3, 4, ... are these. It gets no others but standard error.
int peer_spawn(const char *path, const int *descriptors, int count);

// Its exit status once it has ended, 128 and its number if a signal ended it. Kills it after the time is up.
int peer_wait(int process, int timeout_milliseconds);
