// For the toolstack's part of the interface, before any header of Xen's.
#define __XEN_TOOLS__ 1
#include "CXen.h"

#if __has_include(<xengnttab.h>) && __has_include(<xenevtchn.h>)
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <xen/sys/evtchn.h>
#include <xen/sys/gntalloc.h>
#include <xen/sys/gntdev.h>
#include <xentoollog.h>
#include <xen/domctl.h>

// Loading.

static _Thread_local char problem[256];

const char *cxen_load_problem(void) { return problem; }

static bool note_problem(void) {
    const char *message = dlerror();
    strncpy(problem, message ? message : "unknown", sizeof problem - 1);
    return false;
}

static bool find(void *library, const char *name, void *function) {
    void *found = library ? dlsym(library, name) : NULL;
    if (!found) return note_problem();
    memcpy(function, &found, sizeof found);
    return true;
}

static void *map(
    xengnttab_handle *handle, uint32_t count, const uint32_t *domains, const uint32_t *references,
    int writable);
static int notify_unmap(
    xengnttab_handle *handle, const void *address, struct cxen_notification notification);
static void *share_notifying(
    xengntshr_handle *handle, uint32_t domain, uint32_t count, uint32_t *references, int writable,
    struct cxen_notification notification);

const struct cxen_grants *cxen_load_grants(void) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct cxen_grants table;
    static bool is_loaded;
    pthread_mutex_lock(&lock);
    if (!is_loaded) {
        void *library = dlopen("libxengnttab.so.1", RTLD_NOW | RTLD_LOCAL);
        is_loaded = find(library, "xengnttab_open", &table.map_open)
            && find(library, "xengnttab_close", &table.map_close)
            && find(library, "xengnttab_fd", &table.map_fd)
            && find(library, "xengnttab_unmap", &table.unmap)
            && find(library, "xengnttab_grant_copy", &table.copy)
            && find(library, "xengntshr_open", &table.share_open)
            && find(library, "xengntshr_close", &table.share_close)
            && find(library, "xengntshr_fd", &table.share_fd)
            && find(library, "xengntshr_share_pages", &table.share)
            && find(library, "xengntshr_unshare", &table.unshare);
        table.map = map;
        table.notify_unmap = notify_unmap;
        table.share_notifying = share_notifying;
    }
    bool result = is_loaded;
    pthread_mutex_unlock(&lock);
    return result ? &table : NULL;
}

static int reset_events(xenevtchn_handle *handle);

const struct cxen_events *cxen_load_events(void) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct cxen_events table;
    static bool is_loaded;
    pthread_mutex_lock(&lock);
    if (!is_loaded) {
        void *library = dlopen("libxenevtchn.so.1", RTLD_NOW | RTLD_LOCAL);
        is_loaded = find(library, "xenevtchn_open", &table.open)
            && find(library, "xenevtchn_fdopen", &table.adopt)
            && find(library, "xenevtchn_close", &table.close)
            && find(library, "xenevtchn_fd", &table.fd)
            && find(library, "xenevtchn_bind_unbound_port", &table.bind_unbound)
            && find(library, "xenevtchn_bind_interdomain", &table.bind_interdomain)
            && find(library, "xenevtchn_bind_virq", &table.bind_virq)
            && find(library, "xenevtchn_unbind", &table.unbind)
            && find(library, "xenevtchn_notify", &table.notify)
            && find(library, "xenevtchn_pending", &table.pending)
            && find(library, "xenevtchn_unmask", &table.unmask)
            && find(library, "xenevtchn_restrict", &table.restrict_to);
        table.reset = reset_events;
    }
    bool result = is_loaded;
    pthread_mutex_unlock(&lock);
    return result ? &table : NULL;
}

// Of libxencall, for `look`.
static __typeof__(xencall1) *call;
static __typeof__(xencall_alloc_buffer) *allocate_buffer;
static __typeof__(xencall_free_buffer) *free_buffer;

static int look(xencall_handle *handle, uint16_t domain, enum cxen_domain_state *state);

const struct cxen_domains *cxen_load_domains(void) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct cxen_domains table;
    static bool is_loaded;
    pthread_mutex_lock(&lock);
    if (!is_loaded) {
        void *library = dlopen("libxencall.so.1", RTLD_NOW | RTLD_LOCAL);
        is_loaded = find(library, "xencall_open", &table.open)
            && find(library, "xencall_close", &table.close)
            && find(library, "xencall1", &call)
            && find(library, "xencall_alloc_buffer", &allocate_buffer)
            && find(library, "xencall_free_buffer", &free_buffer);
        table.look = look;
    }
    bool result = is_loaded;
    pthread_mutex_unlock(&lock);
    return result ? &table : NULL;
}

// Logging.

static void ignore_message(
    struct xentoollog_logger *logger, xentoollog_level level, int error, const char *context,
    const char *format, va_list arguments) {}

static void ignore_destruction(struct xentoollog_logger *logger) {}

struct xentoollog_logger *cxen_quiet_logger(void) {
    static struct xentoollog_logger quiet = {
        .vmessage = ignore_message, .progress = NULL, .destroy = ignore_destruction};
    return &quiet;
}

// Mapping.

static void *map(
    xengnttab_handle *handle, uint32_t count, const uint32_t *domains, const uint32_t *references,
    int writable) {
    int descriptor = cxen_load_grants()->map_fd(handle);
    struct ioctl_gntdev_map_grant_ref *request = calloc(
        1, offsetof(struct ioctl_gntdev_map_grant_ref, refs) + count * sizeof request->refs[0]);
    if (!request) return NULL;
    request->count = count;
    for (uint32_t i = 0; i < count; i++) {
        request->refs[i].domid = domains[i];
        request->refs[i].ref = references[i];
    }
    int status = ioctl(descriptor, IOCTL_GNTDEV_MAP_GRANT_REF, request);
    int error = errno;
    uint64_t index = request->index;
    free(request);
    if (status != 0) {
        // The references are looked at by mmap; here only their count can be wrong.
        errno = error == EINVAL ? E2BIG : error;
        return NULL;
    }

    int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
    void *address = mmap(NULL, (size_t)count * 4096, protection, MAP_SHARED, descriptor, index);
    if (address != MAP_FAILED) return address;
    error = errno;
    struct ioctl_gntdev_unmap_grant_ref forget = {.index = index, .count = count};
    ioctl(descriptor, IOCTL_GNTDEV_UNMAP_GRANT_REF, &forget);
    errno = error;
    return NULL;
}

// Notifications.

static uint32_t actions(struct cxen_notification notification) {
    return (notification.byte >= 0 ? UNMAP_NOTIFY_CLEAR_BYTE : 0)
        | (notification.port >= 0 ? UNMAP_NOTIFY_SEND_EVENT : 0);
}

static void *share_notifying(
    xengntshr_handle *handle, uint32_t domain, uint32_t count, uint32_t *references, int writable,
    struct cxen_notification notification) {
    int descriptor = cxen_load_grants()->share_fd(handle);
    struct ioctl_gntalloc_alloc_gref *grant =
        malloc(sizeof *grant + count * sizeof grant->gref_ids[0]);
    if (!grant) return NULL;
    grant->domid = domain;
    grant->flags = writable ? GNTALLOC_FLAG_WRITABLE : 0;
    grant->count = count;
    if (ioctl(descriptor, IOCTL_GNTALLOC_ALLOC_GREF, grant) != 0) {
        free(grant);
        return NULL;
    }
    memcpy(references, grant->gref_ids, count * sizeof references[0]);
    uint64_t index = grant->index;
    free(grant);

    size_t byte_count = (size_t)count * 4096;
    void *address = mmap(NULL, byte_count, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, index);
    int error = address == MAP_FAILED ? errno : 0;
    struct ioctl_gntalloc_unmap_notify notify = {
        .index = index + (notification.byte >= 0 ? notification.byte : 0),
        .action = actions(notification),
        .event_channel_port = notification.port};
    if (!error && ioctl(descriptor, IOCTL_GNTALLOC_SET_UNMAP_NOTIFY, &notify) != 0) {
        error = errno;
        munmap(address, byte_count);
    }

    // From here on the pages live for as long as they are mapped, by us or by the peer.
    struct ioctl_gntalloc_dealloc_gref drop = {.index = index, .count = count};
    ioctl(descriptor, IOCTL_GNTALLOC_DEALLOC_GREF, &drop);
    errno = error;
    return error ? NULL : address;
}

static int notify_unmap(
    xengnttab_handle *handle, const void *address, struct cxen_notification notification) {
    int descriptor = cxen_load_grants()->map_fd(handle);
    struct ioctl_gntdev_get_offset_for_vaddr place = {.vaddr = (uintptr_t)address};
    if (ioctl(descriptor, IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR, &place) != 0) return -1;
    struct ioctl_gntdev_unmap_notify notify = {
        .index = place.offset + (notification.byte >= 0 ? notification.byte : 0),
        .action = actions(notification),
        .event_channel_port = notification.port};
    return ioctl(descriptor, IOCTL_GNTDEV_SET_UNMAP_NOTIFY, &notify);
}

static int reset_events(xenevtchn_handle *handle) {
    return ioctl(cxen_load_events()->fd(handle), IOCTL_EVTCHN_RESET);
}

// Domains.

static int look(xencall_handle *handle, uint16_t domain, enum cxen_domain_state *state) {
    // Memory that the kernel never moves: the hypervisor reads and writes it by its address.
    struct xen_domctl *request = allocate_buffer(handle, sizeof *request);
    if (!request) return -1;
    *request = (struct xen_domctl){
        .cmd = XEN_DOMCTL_getdomaininfo,
        .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
        .domain = domain,
    };
    int status = call(handle, __HYPERVISOR_domctl, (uint64_t)(uintptr_t)request);
    int error = errno;
    // Older hypervisors answer with the next domain when there is none of this number.
    bool is_another = status == 0 && request->u.getdomaininfo.domain != domain;
    uint32_t flags = request->u.getdomaininfo.flags;
    free_buffer(handle, request);
    if (status != 0 || is_another) {
        errno = is_another ? ESRCH : error;
        return -1;
    }
    *state = flags & XEN_DOMINF_dying ? cxen_domain_dying
        : flags & XEN_DOMINF_shutdown ? cxen_domain_shut_down
                                      : cxen_domain_running;
    return 0;
}

#elif defined(LIBXEN)
#error "xengnttab.h is missing: install libxen-dev, or build with --disable-default-traits"
#endif
