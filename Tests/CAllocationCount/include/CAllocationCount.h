#pragma once
#include <stdint.h>

// Counts this program's allocations by standing in for malloc and its kin (glibc only, and not under a
// sanitizer, which does the same).

// Whether anything is counted.
int allocation_count_works(void);

// The allocations that the calling thread has made so far.
uint64_t allocation_count_of_this_thread(void);
