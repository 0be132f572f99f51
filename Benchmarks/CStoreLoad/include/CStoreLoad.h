// The store's benchmarks in C: a load of requests that costs its sender as little as can be, the least server that can
// answer it, processes that do not outlive the one that started them, and libxenstore.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// What one item of a load is. Nodes have the paths /bench/AA/BB/CC of their number's digits, and values of 8 digits.
enum cstore_work {
    CSTORE_READ,
    CSTORE_WRITE,
    CSTORE_DIRECTORY,    // of /list
    CSTORE_TRANSACTION,  // start, read, write, commit; again where it meets a conflict
    CSTORE_MAKE_LIST,    // writes a child of /list
    CSTORE_WATCH,        // a watch on /apart/AA/BB/CC, and its first event
    CSTORE_WATCH_BENCH,  // a watch on /bench, and its first event
    CSTORE_OPEN,         // start of a transaction and a write to /apart/AA/BB/CC, and no end
};

struct cstore_plan {
    enum cstore_work work;
    uint32_t in_flight;   // on each connection
    uint32_t node_count;  // items go through them in a stride that meets all
    int is_timed;         // whether each item is, for `worst`
};

struct cstore_result {
    uint64_t sum;    // over all that was read
    uint64_t worst;  // nanoseconds of the slowest item
};

// Connections to one server.
struct cstore_crowd;

// NULL with errno.
struct cstore_crowd *cstore_connect(const char *path, int count);
void cstore_disconnect(struct cstore_crowd *crowd);

// Does `count` items, spread over the connections. Returns NULL, or what went wrong.
const char *cstore_run(
    struct cstore_crowd *crowd, struct cstore_plan plan, uint64_t count, struct cstore_result *result);

// `count` writes by one crowd of one, each with its event at another, which watches /bench.
const char *cstore_run_events(
    struct cstore_crowd *writer, struct cstore_crowd *watcher, uint64_t count, struct cstore_result *result);

// Answers every request on the socket at once, with a constant. Returns only when it fails.
void cstore_serve_constants(const char *path);

// Starts a program that the kernel kills when the calling thread ends. Its input and output are these descriptors,
// or nothing for -1. Lists end with NULL. Returns its number, or -1 with errno.
pid_t cstore_spawn(const char *program, char *const *arguments, char *const *environment, int input, int output);

// As many descriptors as this process may have. Returns 0, or -1 with errno.
int cstore_raise_descriptor_limit(void);

// `count` requests to /bench by libxenstore, over its own connection to XENSTORED_PATH. Returns NULL, or what went wrong.
struct xs_handle;
struct xs_handle *cstore_library_open(void);
const char *cstore_library_run(
    struct xs_handle *handle, enum cstore_work work, uint32_t node_count, uint64_t count, uint64_t *sum);
