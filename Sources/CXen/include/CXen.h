// libxengnttab and libxenevtchn, loaded when they are first needed: a program built with them
// also starts on a machine that lacks them. The types are those of libxen-dev's headers.
#pragma once

#if __has_include(<xengnttab.h>) && __has_include(<xenevtchn.h>)
#include <xenevtchn.h>
#include <xengnttab.h>

#pragma clang assume_nonnull begin

// libxengnttab.so.1
struct cxen_grants {
    __typeof__(xengnttab_open) *map_open;
    __typeof__(xengnttab_close) *map_close;
    __typeof__(xengnttab_fd) *map_fd;
    __typeof__(xengnttab_map_domain_grant_refs) *map;
    __typeof__(xengnttab_unmap) *unmap;
    __typeof__(xengnttab_grant_copy) *copy;
    __typeof__(xengntshr_open) *share_open;
    __typeof__(xengntshr_close) *share_close;
    __typeof__(xengntshr_fd) *share_fd;
    __typeof__(xengntshr_share_pages) *share;
    __typeof__(xengntshr_unshare) *unshare;
};

// libxenevtchn.so.1
struct cxen_events {
    __typeof__(xenevtchn_open) *open;
    __typeof__(xenevtchn_close) *close;
    __typeof__(xenevtchn_fd) *fd;
    __typeof__(xenevtchn_bind_unbound_port) *bind_unbound;
    __typeof__(xenevtchn_bind_interdomain) *bind_interdomain;
    __typeof__(xenevtchn_unbind) *unbind;
    __typeof__(xenevtchn_notify) *notify;
    __typeof__(xenevtchn_pending) *pending;
    __typeof__(xenevtchn_unmask) *unmask;
};

// The functions, or NULL: then cxen_load_problem() says why.
const struct cxen_grants *_Nullable cxen_load_grants(void);
const struct cxen_events *_Nullable cxen_load_events(void);

// The calling thread's last failure to load.
const char *cxen_load_problem(void);

// For the open functions: the libraries' own messages go nowhere, errors are thrown instead.
struct xentoollog_logger *cxen_quiet_logger(void);

// What to do when pages are unmapped. A byte or port of -1 stands for none.
struct cxen_notification {
    int64_t byte;
    int64_t port;
};

// Notifications for several pages, which the libraries offer for one page only.
// They return NULL or -1, with errno set, and have then done nothing.
void *_Nullable cxen_share_notifying(
    int descriptor, uint32_t domain, uint32_t count, uint32_t *references, int writable,
    struct cxen_notification notification);
int cxen_set_map_notification(
    int descriptor, const void *address, struct cxen_notification notification);

// Empties the ring of an event-channel device that has overflowed.
int cxen_reset_events(int descriptor);

#pragma clang assume_nonnull end
#endif
