/* Lets Debian's xenstored and oxenstored run on a machine without Xen: preloaded, it stands in for the few calls that
 * they make into libxenctrl, libxenevtchn and libxengnttab.
 *
 * All that a domain has lies in the folder XEN_SHIM_FOLDER, which must be set:
 *   domN.page   the ring page of domain N, a file to map. The domain exists for as long as this file does.
 *   domN.event  a datagram socket: what the daemon sends there, a port of four bytes, is an event for the domain.
 *   store.event the daemon's own: its port 16 + N is bound to domain N, and port 1 is the VIRQ 'a domain has changed'.
 * The daemon's files in /var/run/xenstored go there too, as oxenstored has no option for it.
 * The daemon ends when its standard input does, so that it never outlives whoever started it.
 *
 * Build: cc -shared -fPIC -o xen-shim.so xen-shim.c -ldl -lpthread */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xengnttab.h>

/* HANDLE_BYTES: more than any of the libraries' handles has, whose fields a call that is not replaced may use. */
enum { HANDLE_BYTES = 4096, PAGE_BYTES = 4096, PATH_BYTES = 256, FIRST_PORT = 16, PORTS = 65536, VIRQ_PORT = 1 };

/* The C library's own function behind one that this library replaces. */
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static const char *folder(void) {
    const char *path = getenv("XEN_SHIM_FOLDER");
    if (path) return path;
    fputs("xen-shim: XEN_SHIM_FOLDER is not set\n", stderr);
    _exit(2);
}

/* ---- The daemon's life ---- */

static void *end_with_standard_input(void *unused) {
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) continue;
    _exit(0);
}

/* Runs before the daemon's main. Signals stay with the daemon's own thread. */
__attribute__((constructor)) static void begin(void) {
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&thread, NULL, end_with_standard_input, NULL) != 0) _exit(2);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- Event channels (xenevtchn.h) ---- */

struct xenevtchn_handle {
    int socket;
};

static struct {
    uint32_t domain;
    uint32_t remote_port; /* 0: not bound */
} peers[PORTS];

static uint32_t last_unbound_port = VIRQ_PORT;

static void set_address(struct sockaddr_un *address, const char *who) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    snprintf(address->sun_path, sizeof address->sun_path, "%s/%s.event", folder(), who);
}

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned flags) {
    xenevtchn_handle *handle = calloc(1, sizeof *handle);
    struct sockaddr_un address;
    set_address(&address, "store");
    NEXT(unlink)(address.sun_path);
    handle->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (NEXT(bind)(handle->socket, (struct sockaddr *)&address, sizeof address) == 0) return handle;
    perror("xen-shim: bind");
    _exit(2);
}

int xenevtchn_close(xenevtchn_handle *handle) {
    close(handle->socket);
    free(handle);
    return 0;
}

int xenevtchn_fd(xenevtchn_handle *handle) { return handle->socket; }

int xenevtchn_notify(xenevtchn_handle *handle, evtchn_port_t port) {
    if (port >= PORTS || !peers[port].remote_port) return 0;
    char who[32];
    struct sockaddr_un address;
    snprintf(who, sizeof who, "dom%u", peers[port].domain);
    set_address(&address, who);
    /* A domain that is not there, or has events enough, misses nothing that it could use. */
    sendto(handle->socket, &peers[port].remote_port, sizeof(uint32_t), MSG_DONTWAIT,
           (struct sockaddr *)&address, sizeof address);
    return 0;
}

xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *handle) {
    uint32_t port;
    return recv(handle->socket, &port, sizeof port, 0) == sizeof port ? (int)port : -1;
}

int xenevtchn_unmask(xenevtchn_handle *handle, evtchn_port_t port) { return 0; }

int xenevtchn_unbind(xenevtchn_handle *handle, evtchn_port_t port) {
    if (port < PORTS) peers[port].remote_port = 0;
    return 0;
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *handle, uint32_t domain,
                                                     evtchn_port_t remote_port) {
    uint32_t port = FIRST_PORT + domain;
    if (port >= PORTS) {
        errno = ENOSPC;
        return -1;
    }
    peers[port].domain = domain;
    peers[port].remote_port = remote_port ? remote_port : 1;
    return (int)port;
}

xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *handle, unsigned virq) {
    return VIRQ_PORT;
}

xenevtchn_port_or_error_t xenevtchn_bind_unbound_port(xenevtchn_handle *handle, uint32_t domain) {
    return (int)++last_unbound_port;
}

/* ---- Ring pages (xengnttab.h; oxenstored maps by frame) ---- */

static void page_path(char *path, unsigned domain) {
    snprintf(path, PATH_BYTES, "%s/dom%u.page", folder(), domain);
}

/* A domain that has gone cannot be mapped; that of dom0 is made here. */
static void *map_page(unsigned domain) {
    char path[PATH_BYTES];
    page_path(path, domain);
    int file = NEXT(open)(path, domain == 0 ? O_RDWR | O_CREAT : O_RDWR, 0600);
    if (file < 0) return NULL;
    void *page = MAP_FAILED;
    if (ftruncate(file, PAGE_BYTES) == 0)
        page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    return page == MAP_FAILED ? NULL : page;
}

xengnttab_handle *xengnttab_open(struct xentoollog_logger *logger, unsigned flags) {
    return calloc(1, HANDLE_BYTES);
}

int xengnttab_close(xengnttab_handle *handle) {
    free(handle);
    return 0;
}

int xengnttab_set_max_grants(xengnttab_handle *handle, uint32_t count) { return 0; }

void *xengnttab_map_grant_ref(xengnttab_handle *handle, uint32_t domain, uint32_t reference,
                              int protection) {
    return map_page(domain);
}

int xengnttab_unmap(xengnttab_handle *handle, void *start, uint32_t count) {
    return munmap(start, (size_t)PAGE_BYTES * count);
}

void *xc_map_foreign_range(xc_interface *interface, uint32_t domain, int size, int protection,
                           unsigned long frame) {
    return map_page(domain);
}

/* ---- Domains (xenctrl.h) ---- */

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *dombuild,
                                unsigned flags) {
    return calloc(1, HANDLE_BYTES);
}

int xc_interface_close(xc_interface *interface) {
    free(interface);
    return 0;
}

static int exists(uint32_t domain) {
    char path[PATH_BYTES];
    page_path(path, domain);
    return domain == 0 || access(path, F_OK) == 0;
}

int xc_domain_getinfo(xc_interface *interface, uint32_t first, unsigned limit,
                      xc_dominfo_t *information) {
    memset(information, 0, sizeof *information);
    if (!exists(first)) return 0;
    information->domid = first;
    information->running = 1;
    information->nr_online_vcpus = 1;
    return 1;
}

int xc_domain_getinfolist(xc_interface *interface, uint32_t first, unsigned limit,
                          xc_domaininfo_t *information) {
    memset(information, 0, sizeof *information);
    if (!exists(first)) return 0;
    information->domain = first;
    information->flags = XEN_DOMINF_running;
    return 1;
}

/* ---- Files (libc) ---- */

/* Makes a file of the folder that holds `text`, and puts its path into `buffer`. */
static const char *made_file(char *buffer, const char *name, const char *text, off_t byte_count) {
    snprintf(buffer, PATH_BYTES, "%s/%s", folder(), name);
    int file = NEXT(open)(buffer, O_RDWR | O_CREAT, 0600);
    if (file < 0 || write(file, text, strlen(text)) < 0 || ftruncate(file, byte_count) != 0)
        perror("xen-shim: cannot make a file");
    close(file);
    return buffer;
}

/* Where the daemon finds what it asks for: dom0's page and port (Linux's xenfs), and what it would run in. */
static const char *moved(const char *path, char *buffer) {
    static const char run[] = "/var/run/xenstored";
    if (!strcmp(path, "/proc/xen/xsd_kva") || !strcmp(path, "/dev/xen/xsd_kva"))
        return made_file(buffer, "dom0.page", "", PAGE_BYTES);
    if (!strcmp(path, "/proc/xen/xsd_port") || !strcmp(path, "/dev/xen/xsd_port"))
        return made_file(buffer, "xsd_port", "1", 1);
    if (strncmp(path, run, sizeof run - 1)) return path;
    snprintf(buffer, PATH_BYTES, "%s%s", folder(), path + sizeof run - 1);
    return buffer;
}

int open(const char *path, int flags, ...) {
    char buffer[PATH_BYTES];
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return NEXT(open)(moved(path, buffer), flags, mode);
}

int open64(const char *path, int flags, ...) {
    char buffer[PATH_BYTES];
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return NEXT(open64)(moved(path, buffer), flags, mode);
}

int bind(int socket, const struct sockaddr *address, socklen_t byte_count) {
    char buffer[PATH_BYTES];
    struct sockaddr_un copy;
    if (address->sa_family != AF_UNIX) return NEXT(bind)(socket, address, byte_count);
    memset(&copy, 0, sizeof copy);
    memcpy(&copy, address, byte_count < sizeof copy ? byte_count : sizeof copy);
    const char *path = moved(copy.sun_path, buffer);
    if (path == copy.sun_path) return NEXT(bind)(socket, address, byte_count);
    snprintf(copy.sun_path, sizeof copy.sun_path, "%s", path);
    NEXT(unlink)(copy.sun_path);
    return NEXT(bind)(socket, (struct sockaddr *)&copy, sizeof copy);
}

int unlink(const char *path) {
    char buffer[PATH_BYTES];
    return NEXT(unlink)(moved(path, buffer));
}

int chmod(const char *path, mode_t mode) {
    char buffer[PATH_BYTES];
    return NEXT(chmod)(moved(path, buffer), mode);
}

int mkdir(const char *path, mode_t mode) {
    char buffer[PATH_BYTES];
    return NEXT(mkdir)(moved(path, buffer), mode);
}

/* oxenstored raises the number of files that it may open, which takes a privilege that tests do not have. */
int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit) {
    int result = NEXT(setrlimit)(resource, limit);
    return resource == RLIMIT_NOFILE ? 0 : result;
}
