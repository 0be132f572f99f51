#define _GNU_SOURCE
#include "CGrantDevice.h"

#if __has_include(<xengnttab.h>) && __has_include(<CXen.h>)
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { call_count = grant_call_unshare + 1, region_limit = 256, page_size = 4096 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct { int error; unsigned times, calls; } calls[call_count];
static struct { void *address; uint32_t count; } regions[region_limit];
static bool was_misused;
static uint32_t last_reference = 7;

void grant_device_reset(void) {
    pthread_mutex_lock(&lock);
    for (int i = 0; i < call_count; i++) calls[i].error = calls[i].times = calls[i].calls = 0;
    for (int i = 0; i < region_limit; i++) {
        if (regions[i].count) munmap(regions[i].address, (size_t)regions[i].count * page_size);
        regions[i].count = 0;
    }
    was_misused = false;
    pthread_mutex_unlock(&lock);
}

void grant_device_fail(enum grant_call call, int error, unsigned times) {
    pthread_mutex_lock(&lock);
    calls[call].error = error;
    calls[call].times = times;
    pthread_mutex_unlock(&lock);
}

unsigned grant_device_calls(enum grant_call call) {
    pthread_mutex_lock(&lock);
    unsigned count = calls[call].calls;
    pthread_mutex_unlock(&lock);
    return count;
}

unsigned grant_device_pages(void) {
    unsigned count = 0;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < region_limit; i++) count += regions[i].count;
    pthread_mutex_unlock(&lock);
    return count;
}

bool grant_device_was_misused(void) { return was_misused; }

// Counts the call, and decides whether it fails.
static bool begin(enum grant_call call) {
    pthread_mutex_lock(&lock);
    calls[call].calls++;
    bool fails = calls[call].times > 0;
    if (fails) calls[call].times--;
    int error = calls[call].error;
    pthread_mutex_unlock(&lock);
    if (fails) errno = error;
    return !fails;
}

static void *new_region(uint32_t count) {
    void *address = mmap(
        NULL, (size_t)count * page_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) return NULL;
    pthread_mutex_lock(&lock);
    int i = 0;
    while (i < region_limit && regions[i].count) i++;
    if (i < region_limit) {
        regions[i].address = address;
        regions[i].count = count;
    }
    pthread_mutex_unlock(&lock);
    if (i < region_limit) return address;
    munmap(address, (size_t)count * page_size);
    errno = ENOSPC;
    return NULL;
}

static int end_region(void *address, uint32_t count) {
    pthread_mutex_lock(&lock);
    int i = 0;
    while (i < region_limit && !(regions[i].address == address && regions[i].count == count)) i++;
    if (i < region_limit) {
        regions[i].address = NULL;
        regions[i].count = 0;
    } else {
        was_misused = true;
    }
    pthread_mutex_unlock(&lock);
    if (i < region_limit) return munmap(address, (size_t)count * page_size);
    errno = EINVAL;
    return -1;
}

// gntdev.

static xengnttab_handle *map_open(struct xentoollog_logger *logger, unsigned flags) {
    return begin(grant_call_map_open) ? malloc(1) : NULL;
}

static int map_close(xengnttab_handle *handle) {
    free(handle);
    return 0;
}

static int map_fd(xengnttab_handle *handle) { return -1; }

static void *map(
    xengnttab_handle *handle, uint32_t count, const uint32_t *domains, const uint32_t *references,
    int writable) {
    return begin(grant_call_map) ? new_region(count) : NULL;
}

static int notify_unmap(
    xengnttab_handle *handle, const void *address, struct cxen_notification notification) {
    return begin(grant_call_notify_unmap) ? 0 : -1;
}

static int unmap(xengnttab_handle *handle, void *address, uint32_t count) {
    return begin(grant_call_unmap) ? end_region(address, count) : -1;
}

static int copy(
    xengnttab_handle *handle, uint32_t count, xengnttab_grant_copy_segment_t *segments) {
    if (!begin(grant_call_copy)) return -1;
    for (uint32_t i = 0; i < count; i++) segments[i].status = 0;
    return 0;
}

// gntalloc.

static xengntshr_handle *share_open(struct xentoollog_logger *logger, unsigned flags) {
    return begin(grant_call_share_open) ? malloc(1) : NULL;
}

static int share_close(xengntshr_handle *handle) {
    free(handle);
    return 0;
}

static int share_fd(xengntshr_handle *handle) { return -1; }

static void *grant(uint32_t count, uint32_t *references) {
    void *address = new_region(count);
    for (uint32_t i = 0; address && i < count; i++) references[i] = ++last_reference;
    return address;
}

static void *share(
    xengntshr_handle *handle, uint32_t domain, int count, uint32_t *references, int writable) {
    return begin(grant_call_share) ? grant(count, references) : NULL;
}

static void *share_notifying(
    xengntshr_handle *handle, uint32_t domain, uint32_t count, uint32_t *references, int writable,
    struct cxen_notification notification) {
    return begin(grant_call_share_notifying) ? grant(count, references) : NULL;
}

static int let_go(xengntshr_handle *handle, void *address, uint32_t count) {
    return begin(grant_call_unshare) ? end_region(address, count) : -1;
}

const struct cxen_grants *grant_device_functions(void) {
    static const struct cxen_grants functions = {
        .map_open = map_open, .map_close = map_close, .map_fd = map_fd, .unmap = unmap,
        .copy = copy, .share_open = share_open, .share_close = share_close, .share_fd = share_fd,
        .share = share, .unshare = let_go, .map = map, .notify_unmap = notify_unmap,
        .share_notifying = share_notifying};
    return &functions;
}
#endif
