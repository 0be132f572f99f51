/* What a C program does with libxenstore, against the server at XENSTORED_PATH: exits with 0 if all went as it must,
 * else says where it did not. Build: cc -o store-user store-user.c -lxenstore */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#define EXPECT(condition)                                                                   \
    do {                                                                                    \
        if (!(condition)) {                                                                 \
            fprintf(stderr, "store-user:%d: %s (errno %d)\n", __LINE__, #condition, errno); \
            exit(1);                                                                        \
        }                                                                                   \
    } while (0)

enum { CHILDREN = 3000, PATIENCE_MILLISECONDS = 20000 };

static bool write_text(struct xs_handle *store, xs_transaction_t transaction, const char *path,
                       const char *text) {
    return xs_write(store, transaction, path, text, strlen(text));
}

static void expect_value(struct xs_handle *store, const char *path, const char *text) {
    unsigned count = 0;
    char *value = xs_read(store, XBT_NULL, path, &count);
    EXPECT(value && count == strlen(text) && !memcmp(value, text, count));
    free(value);
}

static void values(struct xs_handle *store) {
    char octets[2048];
    unsigned count = 0;
    for (size_t i = 0; i < sizeof octets; i++) octets[i] = (char)i;
    EXPECT(xs_write(store, XBT_NULL, "/c/octets", octets, sizeof octets));
    char *value = xs_read(store, XBT_NULL, "/c/octets", &count);
    EXPECT(value && count == sizeof octets && !memcmp(value, octets, count));
    free(value);
    EXPECT(!xs_read(store, XBT_NULL, "/c/missing", &count) && errno == ENOENT);
    EXPECT(xs_mkdir(store, XBT_NULL, "/c/made"));
    EXPECT(xs_rm(store, XBT_NULL, "/c/made"));
    EXPECT(!xs_rm(store, XBT_NULL, "/c/made/below") && errno == ENOENT);
    value = xs_get_domain_path(store, 7);
    EXPECT(value && !strcmp(value, "/local/domain/7"));
    free(value);
}

static void permissions(struct xs_handle *store) {
    struct xs_permissions wanted[] = {{0, XS_PERM_NONE}, {0, XS_PERM_READ | XS_PERM_WRITE}};
    unsigned count = 0;
    EXPECT(write_text(store, XBT_NULL, "/c/guarded", "x"));
    EXPECT(xs_set_permissions(store, XBT_NULL, "/c/guarded", wanted, 2));
    struct xs_permissions *found = xs_get_permissions(store, XBT_NULL, "/c/guarded", &count);
    EXPECT(found && count == 2 && found[0].perms == XS_PERM_NONE && found[1].id == 0);
    EXPECT(found[1].perms == (XS_PERM_READ | XS_PERM_WRITE));
    free(found);
}

/* libxenstore reads a directory that no reply holds in parts. */
static void many_children(struct xs_handle *store) {
    char path[64];
    unsigned count = 0;
    for (int i = 0; i < CHILDREN; i++) {
        snprintf(path, sizeof path, "/c/many/child-%d", i);
        EXPECT(write_text(store, XBT_NULL, path, ""));
    }
    char **names = xs_directory(store, XBT_NULL, "/c/many", &count);
    EXPECT(names && count == CHILDREN);
    free(names);
    EXPECT(xs_rm(store, XBT_NULL, "/c/many"));
}

static void transactions(struct xs_handle *store, struct xs_handle *other) {
    EXPECT(write_text(store, XBT_NULL, "/c/counter", "1"));
    xs_transaction_t transaction = xs_transaction_start(store);
    EXPECT(transaction != XBT_NULL);
    EXPECT(write_text(store, transaction, "/c/counter", "2"));
    expect_value(other, "/c/counter", "1");
    EXPECT(xs_transaction_end(store, transaction, false));
    expect_value(other, "/c/counter", "2");

    transaction = xs_transaction_start(store);
    free(xs_read(store, transaction, "/c/counter", NULL));
    EXPECT(write_text(other, XBT_NULL, "/c/counter", "3"));
    EXPECT(write_text(store, transaction, "/c/counter", "4"));
    EXPECT(!xs_transaction_end(store, transaction, false) && errno == EAGAIN);

    transaction = xs_transaction_start(store);
    EXPECT(write_text(store, transaction, "/c/counter", "5"));
    EXPECT(xs_transaction_end(store, transaction, true));
    expect_value(store, "/c/counter", "3");
}

static void expect_event(struct xs_handle *store, const char *path, const char *token) {
    struct pollfd ready = {.fd = xs_fileno(store), .events = POLLIN};
    unsigned count = 0;
    EXPECT(poll(&ready, 1, PATIENCE_MILLISECONDS) == 1);
    char **event = xs_read_watch(store, &count);
    EXPECT(event && !strcmp(event[XS_WATCH_PATH], path) && !strcmp(event[XS_WATCH_TOKEN], token));
    free(event);
}

static void watches(struct xs_handle *store, struct xs_handle *other) {
    EXPECT(xs_watch(store, "/c/watched", "token"));
    expect_event(store, "/c/watched", "token");
    EXPECT(write_text(other, XBT_NULL, "/c/watched/below", "x"));
    expect_event(store, "/c/watched/below", "token");
    EXPECT(xs_rm(other, XBT_NULL, "/c/watched"));
    expect_event(store, "/c/watched", "token");
    EXPECT(xs_unwatch(store, "/c/watched", "token"));
    EXPECT(!xs_unwatch(store, "/c/watched", "token") && errno == ENOENT);
}

int main(void) {
    struct xs_handle *store = xs_open(0), *other = xs_open(0);
    EXPECT(store && other);
    values(store);
    permissions(store);
    many_children(store);
    transactions(store, other);
    watches(store, other);
    EXPECT(xs_rm(store, XBT_NULL, "/c"));
    xs_close(other);
    xs_close(store);
    return 0;
}
