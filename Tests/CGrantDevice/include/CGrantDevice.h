// A stand-in for /dev/xen/gntdev and /dev/xen/gntalloc, for the paths on which real ones fail. It maps memory of this
// process and looks at no reference: what Xen does with grants is for the mock and for real Xen to show.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#if __has_include(<xengnttab.h>) && __has_include(<CXen.h>)
#include <CXen.h>
#pragma clang assume_nonnull begin

// In place of libxengnttab's functions.
const struct cxen_grants *grant_device_functions(void);

enum grant_call {
    grant_call_map_open,
    grant_call_share_open,
    grant_call_map,
    grant_call_notify_unmap,
    grant_call_unmap,
    grant_call_copy,
    grant_call_share,
    grant_call_share_notifying,
    grant_call_unshare,
};

// Forgets the calls, failures and pages so far.
void grant_device_reset(void);
// The next calls of this kind do nothing and fail with this errno.
void grant_device_fail(enum grant_call call, int error, unsigned times);
// The calls of this kind so far, failed ones included.
unsigned grant_device_calls(enum grant_call call);
// Pages that are mapped or shared now.
unsigned grant_device_pages(void);
// Whether something was unmapped or let go that was not there, or not as it was made.
bool grant_device_was_misused(void);

#pragma clang assume_nonnull end
#endif
