#pragma once
#include <stddef.h>
#include <stdint.h>

// What two processes send each other through a ring in tests: every byte is known beforehand.

// What the second process is to do, and how it went: in the page after the ring's.
struct cring_orders {
    // An index into ring-peer's kinds of rings: of messages, then of bytes.
    uint32_t kind;
    // 1: front or client, 0: back or server.
    uint32_t is_front;
    // The ring's memory in bytes, and its first index.
    uint32_t size, start;
    // Requests, or bytes each way, in all; the most at a time; and what all random numbers come from.
    uint32_t total, batch;
    uint64_t seed;
    // How long a sleep may take, in milliseconds.
    uint32_t patience;
    // 1: to notify nobody, as no honest peer does.
    uint32_t is_mute;

    uint32_t notifications, sleeps;
    // Sums over all messages, in whatever order.
    uint64_t sent_sum, received_sum;
    char fault[128];
};

// Fills a message: its number, then words that depend on seed, number and place.
void cring_fill(void *message, size_t size, uint64_t seed, uint32_t number);

// Its number, if it is whole; a negative number if not.
int64_t cring_number(const void *message, size_t size, uint64_t seed);

uint64_t cring_sum(const void *message, size_t size);

// A number from `state`, which moves on.
uint64_t cring_random(uint64_t *state);

// Fills memory with the bytes of an endless stream from `position` on.
void cring_stream(void *bytes, size_t size, uint64_t seed, uint64_t position);
