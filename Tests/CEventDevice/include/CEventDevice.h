// Stand-ins for tests of event channels.
#pragma once
#include <stdbool.h>
#include <stdint.h>

// An epoll loop that knows nothing of Xen. Each returns -1 with errno when it fails.
int foreign_loop_open(void);
int foreign_loop_add(int loop, int descriptor);
// The descriptor that is readable, or -1 when none has become so within the time.
int foreign_loop_wait(int loop, int milliseconds);

#if __has_include(<xenevtchn.h>) && __has_include(<CXen.h>)
#include <CXen.h>
#pragma clang assume_nonnull begin

// /dev/xen/evtchn as Linux has it, in memory: one domain, number 0, whose ports can ring each other. It also fails
// like Linux's: its ring is of a fixed size, and overflows; after a resume it still knows its dead ports.

// In place of libxenevtchn's functions.
const struct cxen_events *event_device_functions(void);

struct event_device;

// The device that the calling thread has opened last.
struct event_device *event_device_opened_last(void);

// As many events wait at most; more are an overflow. 64 at first.
void event_device_set_ring_size(struct event_device *device, unsigned size);

enum event_call {
    event_call_bind,
    event_call_unbind,
    event_call_notify,
    event_call_read,
    event_call_unmask,
    event_call_restrict,
    event_call_reset,
};

// The next calls of this kind on the device do nothing and fail with this errno.
void event_device_fail(struct event_device *device, enum event_call call, int error, unsigned times);

// The calls of this kind so far, failed ones included.
unsigned event_device_calls(struct event_device *device, enum event_call call);

// Rings a port as the hypervisor does.
void event_device_ring(uint32_t port);
// Rings the port of a virtual interrupt. False when none is bound.
bool event_device_raise(uint32_t interrupt);

// A device that another program has opened: its descriptor, with a port bound that has rung, was read, and was not
// written back.
int event_device_inherited(uint32_t *port);
// How many handles a device is open through, which had this descriptor once.
unsigned event_device_handles(struct event_device *device);

// The domain is suspended and resumed: all ports are gone, and their numbers free.
void event_devices_resume(void);
// Whether Linux would have stopped in BUG_ON, or closed another's port: a port from before a resume was closed.
bool event_devices_crashed(void);
// Ports that are bound, in all devices.
unsigned event_devices_ports(void);

#pragma clang assume_nonnull end
#endif
