#include "Load.h"

#if defined(LIBXEN) && __has_include(<xenstore.h>)
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

struct xs_handle *cstore_library_open(void) { return xs_open(0); }

static const char *read_node(struct xs_handle *handle, xs_transaction_t transaction, const char *path, uint64_t *sum) {
    unsigned count = 0;
    unsigned char *value = xs_read(handle, transaction, path, &count);
    if (!value) return "libxenstore cannot read";
    for (unsigned i = 0; i < count; i++) *sum += value[i];
    free(value);
    return NULL;
}

static const char *transact(struct xs_handle *handle, const char *path, const char *value, uint64_t *sum) {
    xs_transaction_t transaction = xs_transaction_start(handle);
    if (!transaction) return "libxenstore cannot start a transaction";
    const char *failure = read_node(handle, transaction, path, sum);
    if (failure) return failure;
    if (!xs_write(handle, transaction, path, value, 8)) return "libxenstore cannot write";
    return xs_transaction_end(handle, transaction, false) ? NULL : "libxenstore cannot commit";
}

const char *cstore_library_run(
    struct xs_handle *handle, enum cstore_work work, uint32_t node_count, uint64_t count, uint64_t *sum) {
    const char *failure = NULL;
    *sum = count;
    for (uint64_t item = 0; item < count && !failure; item++) {
        char path[] = "/bench/AA/BB/CC", value[8];
        uint32_t node = cstore_node(item, node_count);
        cstore_digits(path, node);
        cstore_value(value, node);
        switch (work) {
        case CSTORE_READ: failure = read_node(handle, XBT_NULL, path, sum); break;
        case CSTORE_WRITE:
            if (!xs_write(handle, XBT_NULL, path, value, 8)) failure = "libxenstore cannot write";
            break;
        case CSTORE_TRANSACTION: failure = transact(handle, path, value, sum); break;
        default: failure = "libxenstore is not asked for this";
        }
    }
    return failure;
}
#endif
