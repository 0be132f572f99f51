#define _GNU_SOURCE
#include "CEventDevice.h"

#if __has_include(<xenevtchn.h>) && __has_include(<CXen.h>)
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { port_count = 4096, interrupt_count = 24, own_domain = 0, first_reserved = 0x7FF0 };

struct event_device {
    struct event_device *next;
    unsigned handles;
    int readable, writable;  // a pipe with a byte in it while there is something to read
    bool is_readable;
    uint32_t *ring;
    unsigned ring_size, produced, consumed;
    bool overflowed;
    int restricted_to;  // or -1
    bool ghosts[port_count];  // known to the device, but dead since a resume
    struct { int error; unsigned times; } failures[event_call_reset + 1];
    unsigned calls[event_call_reset + 1];
};

struct xenevtchn_handle {
    int descriptor;
    struct event_device *device;
};

static struct {
    enum { port_free, port_unbound, port_bound, port_interrupt } state;
    struct event_device *owner;
    uint32_t remote;  // domain, port or interrupt
    bool is_enabled, is_pending;
} ports[port_count];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct event_device *devices;
static bool crashed;
static _Thread_local struct event_device *opened_last;

static int fail(int error) {
    errno = error;
    return -1;
}

// Ringing.

static void show_readiness(struct event_device *device) {
    bool is_readable = device->overflowed || device->produced != device->consumed;
    char byte = 0;
    if (is_readable && !device->is_readable) is_readable = write(device->writable, &byte, 1) == 1;
    if (!is_readable && device->is_readable) is_readable = read(device->readable, &byte, 1) != 1;
    device->is_readable = is_readable;
}

static void ring(uint32_t port) {
    if (port >= port_count || ports[port].state == port_free) return;
    if (!ports[port].is_enabled) {
        ports[port].is_pending = true;
        return;
    }
    ports[port].is_enabled = false;
    struct event_device *device = ports[port].owner;
    if (device->produced - device->consumed < device->ring_size)
        device->ring[device->produced++ % device->ring_size] = port;
    else
        device->overflowed = true;
    show_readiness(device);
}

static void enable(uint32_t port) {
    if (ports[port].is_enabled) return;
    ports[port].is_enabled = true;
    bool is_pending = ports[port].is_pending;
    ports[port].is_pending = false;
    if (is_pending) ring(port);
}

// Ports.

static bool owns(struct event_device *device, uint32_t port) {
    return port < port_count && ports[port].state != port_free && ports[port].owner == device;
}

static int open_port(struct event_device *device, int state, uint32_t remote) {
    for (uint32_t port = 1; port < port_count; port++) {
        if (ports[port].state != port_free) continue;
        if (device->ghosts[port]) {
            // Linux takes the new port out of its list again before it was in, and so all others with it.
            memset(device->ghosts, 0, sizeof device->ghosts);
            return fail(EEXIST);
        }
        ports[port].state = state;
        ports[port].owner = device;
        ports[port].remote = remote;
        ports[port].is_enabled = true;
        ports[port].is_pending = false;
        return port;
    }
    return fail(ENOSPC);
}

static void close_port(uint32_t port) {
    if (ports[port].state == port_bound) {
        ports[ports[port].remote].state = port_unbound;
        ports[ports[port].remote].remote = own_domain;
    }
    ports[port].state = port_free;
}

// Locks, and counts the call. False, unlocked and with errno, when it is to fail.
static bool begin(struct event_device *device, enum event_call call) {
    pthread_mutex_lock(&lock);
    device->calls[call]++;
    if (device->failures[call].times == 0) return true;
    device->failures[call].times--;
    int error = device->failures[call].error;
    pthread_mutex_unlock(&lock);
    errno = error;
    return false;
}

static int end(int result) {
    pthread_mutex_unlock(&lock);
    return result;
}

static int bind_unbound(xenevtchn_handle *handle, uint32_t domain) {
    if (!begin(handle->device, event_call_bind)) return -1;
    if (handle->device->restricted_to >= 0) return end(fail(EACCES));
    return end(open_port(handle->device, port_unbound, domain));
}

static int bind_interdomain(xenevtchn_handle *handle, uint32_t domain, uint32_t remote) {
    struct event_device *device = handle->device;
    if (!begin(device, event_call_bind)) return -1;
    if (device->restricted_to >= 0 && device->restricted_to != (int)domain) return end(fail(EACCES));
    if (domain != own_domain) return end(fail(ESRCH));
    if (remote >= port_count || ports[remote].state != port_unbound || ports[remote].remote != own_domain)
        return end(fail(EINVAL));
    int port = open_port(device, port_bound, remote);
    if (port < 0) return end(-1);
    ports[remote].state = port_bound;
    ports[remote].remote = port;
    ring(port);
    return end(port);
}

static int bind_virq(xenevtchn_handle *handle, unsigned interrupt) {
    if (!begin(handle->device, event_call_bind)) return -1;
    if (handle->device->restricted_to >= 0) return end(fail(EACCES));
    if (interrupt >= interrupt_count) return end(fail(EINVAL));
    for (uint32_t port = 0; port < port_count; port++)
        if (ports[port].state == port_interrupt && ports[port].remote == interrupt) return end(fail(EEXIST));
    return end(open_port(handle->device, port_interrupt, interrupt));
}

static int unbind(xenevtchn_handle *handle, uint32_t port) {
    if (!begin(handle->device, event_call_unbind)) return -1;
    if (port >= port_count) return end(fail(EINVAL));
    if (handle->device->ghosts[port]) crashed = true;
    if (!owns(handle->device, port)) return end(fail(ENOTCONN));
    close_port(port);
    return end(0);
}

static int notify(xenevtchn_handle *handle, uint32_t port) {
    if (!begin(handle->device, event_call_notify)) return -1;
    if (!owns(handle->device, port) && (port >= port_count || !handle->device->ghosts[port]))
        return end(fail(port < port_count ? ENOTCONN : EINVAL));
    if (ports[port].state == port_bound) ring(ports[port].remote);
    return end(0);
}

static int pending(xenevtchn_handle *handle) {
    struct event_device *device = handle->device;
    if (!begin(device, event_call_read)) return -1;
    if (device->overflowed) return end(fail(EFBIG));
    if (device->produced == device->consumed) return end(fail(EAGAIN));
    int port = device->ring[device->consumed++ % device->ring_size];
    show_readiness(device);
    return end(port);
}

static int unmask(xenevtchn_handle *handle, uint32_t port) {
    if (!begin(handle->device, event_call_unmask)) return -1;
    if (owns(handle->device, port)) enable(port);
    return end(0);
}

static int restrict_to(xenevtchn_handle *handle, uint16_t domain) {
    if (!begin(handle->device, event_call_restrict)) return -1;
    if (handle->device->restricted_to >= 0) return end(fail(EACCES));
    if (domain == 0 || domain >= first_reserved) return end(fail(EINVAL));
    handle->device->restricted_to = domain;
    return end(0);
}

static int reset(xenevtchn_handle *handle) {
    struct event_device *device = handle->device;
    if (!begin(device, event_call_reset)) return -1;
    device->produced = device->consumed = 0;
    device->overflowed = false;
    show_readiness(device);
    return end(0);
}

// Devices and handles.

static struct event_device *new_device(void) {
    struct event_device *device = calloc(1, sizeof *device);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) abort();
    device->readable = ends[0];
    device->writable = ends[1];
    device->ring_size = 64;
    device->ring = calloc(device->ring_size, sizeof *device->ring);
    device->restricted_to = -1;
    pthread_mutex_lock(&lock);
    device->next = devices;
    devices = device;
    pthread_mutex_unlock(&lock);
    return device;
}

static xenevtchn_handle *new_handle(struct event_device *device, int descriptor) {
    xenevtchn_handle *handle = malloc(sizeof *handle);
    handle->descriptor = descriptor;
    handle->device = opened_last = device;
    device->handles++;
    return handle;
}

static xenevtchn_handle *open_device(struct xentoollog_logger *logger, unsigned flags) {
    struct event_device *device = new_device();
    return new_handle(device, fcntl(device->readable, F_DUPFD_CLOEXEC, 0));
}

static xenevtchn_handle *adopt(struct xentoollog_logger *logger, int descriptor, unsigned flags) {
    struct stat wanted, found;
    if (fstat(descriptor, &wanted) < 0) return NULL;
    for (struct event_device *device = devices; device; device = device->next)
        if (fstat(device->readable, &found) == 0 && found.st_ino == wanted.st_ino)
            return new_handle(device, descriptor);
    errno = EINVAL;
    return NULL;
}

// A device stays, closed, so that a test can still ask about it.
static int close_handle(xenevtchn_handle *handle) {
    pthread_mutex_lock(&lock);
    struct event_device *device = handle->device;
    if (--device->handles == 0) {
        for (uint32_t port = 0; port < port_count; port++) {
            if (owns(device, port)) close_port(port);
            if (device->ghosts[port]) crashed = true;
        }
        // Hundreds of tests have a device each, and a process may have few descriptors.
        close(device->readable);
        close(device->writable);
        device->readable = device->writable = -1;
    }
    pthread_mutex_unlock(&lock);
    int result = close(handle->descriptor);
    free(handle);
    return result;
}

static int descriptor_of(xenevtchn_handle *handle) { return handle->descriptor; }

const struct cxen_events *event_device_functions(void) {
    static const struct cxen_events functions = {
        .open = open_device,
        .adopt = adopt,
        .close = close_handle,
        .fd = descriptor_of,
        .bind_unbound = bind_unbound,
        .bind_interdomain = bind_interdomain,
        .bind_virq = bind_virq,
        .unbind = unbind,
        .notify = notify,
        .pending = pending,
        .unmask = unmask,
        .restrict_to = restrict_to,
        .reset = reset,
    };
    return &functions;
}

// What tests do to it.

struct event_device *event_device_opened_last(void) { return opened_last; }

void event_device_set_ring_size(struct event_device *device, unsigned size) {
    device->ring_size = size;
    device->ring = realloc(device->ring, size * sizeof *device->ring);
}

void event_device_fail(struct event_device *device, enum event_call call, int error, unsigned times) {
    pthread_mutex_lock(&lock);
    device->failures[call].error = error;
    device->failures[call].times = times;
    pthread_mutex_unlock(&lock);
}

unsigned event_device_calls(struct event_device *device, enum event_call call) {
    pthread_mutex_lock(&lock);
    return end(device->calls[call]);
}

void event_device_ring(uint32_t port) {
    pthread_mutex_lock(&lock);
    ring(port);
    pthread_mutex_unlock(&lock);
}

bool event_device_raise(uint32_t interrupt) {
    pthread_mutex_lock(&lock);
    for (uint32_t port = 0; port < port_count; port++)
        if (ports[port].state == port_interrupt && ports[port].remote == interrupt) {
            ring(port);
            return end(true);
        }
    return end(false);
}

int event_device_inherited(uint32_t *port) {
    struct event_device *device = new_device();
    pthread_mutex_lock(&lock);
    *port = open_port(device, port_unbound, own_domain);
    ports[*port].is_enabled = false;
    return end(fcntl(device->readable, F_DUPFD_CLOEXEC, 0));
}

unsigned event_device_handles(struct event_device *device) { return device->handles; }

void event_devices_resume(void) {
    pthread_mutex_lock(&lock);
    for (uint32_t port = 0; port < port_count; port++) {
        if (ports[port].state == port_free) continue;
        ports[port].owner->ghosts[port] = true;
        ports[port].state = port_free;
    }
    pthread_mutex_unlock(&lock);
}

bool event_devices_crashed(void) { return crashed; }

unsigned event_devices_ports(void) {
    unsigned count = 0;
    pthread_mutex_lock(&lock);
    for (uint32_t port = 0; port < port_count; port++) count += ports[port].state != port_free;
    return end(count);
}
#endif
