// libxengnttab, libxenevtchn and libxencall, loaded when they are first needed: a program built with
// them also starts on a machine that lacks them. The types are those of libxen-dev's headers.
#pragma once

#if __has_include(<xengnttab.h>) && __has_include(<xenevtchn.h>)
#include <xencall.h>
#include <xenevtchn.h>
#include <xengnttab.h>

#pragma clang assume_nonnull begin

// What to do when pages are unmapped. A byte or port of -1 stands for none.
struct cxen_notification {
    int64_t byte;
    int64_t port;
};

// libxengnttab.so.1
struct cxen_grants {
    __typeof__(xengnttab_open) *map_open;
    __typeof__(xengnttab_close) *map_close;
    __typeof__(xengnttab_fd) *map_fd;
    __typeof__(xengnttab_unmap) *unmap;
    __typeof__(xengnttab_grant_copy) *copy;
    __typeof__(xengntshr_open) *share_open;
    __typeof__(xengntshr_close) *share_close;
    __typeof__(xengntshr_fd) *share_fd;
    __typeof__(xengntshr_share_pages) *share;
    __typeof__(xengntshr_unshare) *unshare;

    // What the library does not offer. They return NULL or -1, with errno set, and have then done nothing.

    // Maps pages of any number of domains, one after another, with one attempt: the library would try again for
    // ever at EAGAIN. E2BIG for more pages than one request may have.
    void *_Nullable (*_Nonnull map)(
        xengnttab_handle *handle, uint32_t count, const uint32_t *domains,
        const uint32_t *references, int writable);
    // Notifications for several pages, which the library has for one page only.
    int (*_Nonnull notify_unmap)(
        xengnttab_handle *handle, const void *address, struct cxen_notification notification);
    void *_Nullable (*_Nonnull share_notifying)(
        xengntshr_handle *handle, uint32_t domain, uint32_t count, uint32_t *references,
        int writable, struct cxen_notification notification);
};

// libxenevtchn.so.1
struct cxen_events {
    __typeof__(xenevtchn_open) *open;
    __typeof__(xenevtchn_fdopen) *adopt;
    __typeof__(xenevtchn_close) *close;
    __typeof__(xenevtchn_fd) *fd;
    __typeof__(xenevtchn_bind_unbound_port) *bind_unbound;
    __typeof__(xenevtchn_bind_interdomain) *bind_interdomain;
    __typeof__(xenevtchn_bind_virq) *bind_virq;
    __typeof__(xenevtchn_unbind) *unbind;
    __typeof__(xenevtchn_notify) *notify;
    __typeof__(xenevtchn_pending) *pending;
    __typeof__(xenevtchn_unmask) *unmask;
    __typeof__(xenevtchn_restrict) *restrict_to;
    // Empties the device's ring after it has overflowed, which the library has no function for.
    int (*reset)(xenevtchn_handle *handle);
};

enum cxen_domain_state { cxen_domain_running, cxen_domain_shut_down, cxen_domain_dying };

// libxencall.so.1
struct cxen_domains {
    __typeof__(xencall_open) *open;
    __typeof__(xencall_close) *close;
    // How a domain is, by XEN_DOMCTL_getdomaininfo. -1 with errno ESRCH when there is none, EACCES when the
    // hypervisor has another interface than the headers.
    int (*look)(xencall_handle *handle, uint16_t domain, enum cxen_domain_state *state);
};

// The functions, or NULL: then cxen_load_problem() says why.
const struct cxen_grants *_Nullable cxen_load_grants(void);
const struct cxen_events *_Nullable cxen_load_events(void);
const struct cxen_domains *_Nullable cxen_load_domains(void);

// The calling thread's last failure to load.
const char *cxen_load_problem(void);

// For the open functions: the libraries' own messages go nowhere, errors are thrown instead.
struct xentoollog_logger *cxen_quiet_logger(void);

#pragma clang assume_nonnull end
#endif
