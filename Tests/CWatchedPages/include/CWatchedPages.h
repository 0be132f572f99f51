// Shared pages of which every single access is seen before it happens: for tests in which a peer
// changes them between any two accesses, and for counting what is read how often. x86-64 Linux.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#pragma clang assume_nonnull begin

struct cwatched_pages {
    // What the code under test gets: each access to it is told to the observer first.
    void *watched;
    // The same memory, for the peer: not observed.
    void *behind;
    size_t byte_count;
};

// Called on the accessing thread, in a signal handler, before the access is made.
typedef void cwatched_observer(void *_Nullable context, size_t offset, bool is_write);

// False, with errno set, when there is no memory. The byte count is a multiple of the page size.
bool cwatched_open(struct cwatched_pages *pages, size_t byte_count);
void cwatched_close(struct cwatched_pages *pages);

// From now on the observer sees every access to `watched`, until cwatched_end. One at a time in a
// process, and only one thread may access the pages meanwhile.
void cwatched_begin(
    const struct cwatched_pages *pages, cwatched_observer *observer, void *_Nullable context);
void cwatched_end(void);

#pragma clang assume_nonnull end
