// What the load and the floor share of the protocol (docs/misc/xenstore.txt, xen/include/public/io/xs_wire.h).
#pragma once
#include "CStoreLoad.h"

struct header {
    uint32_t type, request, transaction, length;
};

enum {
    TYPE_DIRECTORY = 1, TYPE_READ = 2, TYPE_WATCH = 4, TYPE_START = 6, TYPE_END = 7, TYPE_WRITE = 11,
    TYPE_EVENT = 15, TYPE_ERROR = 16,
    LONGEST = 4096,
};

// The number of an item's node.
static inline uint32_t cstore_node(uint64_t item, uint32_t node_count) { return item * 7919 % node_count; }

// "/bench/AA/BB/CC"
static inline void cstore_digits(char *path, uint32_t node) {
    static const char skip[] = {14, 13, 11, 10, 8, 7};
    for (unsigned i = 0; i < sizeof skip; i++, node /= 10) path[(int)skip[i]] = '0' + node % 10;
}

// 8 digits.
static inline void cstore_value(char *value, uint32_t node) {
    for (int i = 7; i >= 0; i--, node /= 10) value[i] = '0' + node % 10;
}
