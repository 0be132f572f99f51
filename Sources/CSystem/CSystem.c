#include "CSystem.h"
#include <signal.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int csystem_epoll(void) { return epoll_create1(EPOLL_CLOEXEC); }

int csystem_epoll_change(int set, int operation, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    return epoll_ctl(set, operation, descriptor, &event);
}

int csystem_epoll_wait(int set, struct csystem_ready *ready, int count, int milliseconds) {
    struct epoll_event events[64];
    int room = (int)(sizeof events / sizeof *events);
    int found = epoll_wait(set, events, count < room ? count : room, milliseconds);
    for (int i = 0; i < found; i++) ready[i] = (struct csystem_ready){events[i].data.u64, events[i].events};
    return found;
}

static int unix_address(const char *path, struct sockaddr_un *address) {
    if (strlen(path) >= sizeof(address->sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    strcpy(address->sun_path, path);
    return 0;
}

static int unix_socket(void) {
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static int close_and_fail(int descriptor) {
    int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

int csystem_unix_connect(const char *path) {
    struct sockaddr_un address;
    if (unix_address(path, &address) < 0) return -1;
    int descriptor = unix_socket();
    if (descriptor < 0) return -1;
    if (connect(descriptor, (struct sockaddr *)&address, sizeof(address)) < 0)
        return close_and_fail(descriptor);
    return descriptor;
}

int csystem_unix_listen(const char *path) {
    struct sockaddr_un address;
    if (unix_address(path, &address) < 0) return -1;
    int descriptor = unix_socket();
    if (descriptor < 0) return -1;
    // Before bind(2), so that the socket is never open to others, not even for a moment.
    if (fchmod(descriptor, 0600) < 0 || bind(descriptor, (struct sockaddr *)&address, sizeof(address)) < 0
        || listen(descriptor, 128) < 0)
        return close_and_fail(descriptor);
    return descriptor;
}

int csystem_unix_accept(int listener) {
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

int csystem_unix_pair(int ends[2]) {
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends);
}

static int termination_fd = -1;

static void on_termination(int signal) {
    (void)signal;
    int saved = errno;
    eventfd_write(termination_fd, 1);
    errno = saved;
}

int csystem_signal_termination(int fd) {
    termination_fd = fd;
    struct sigaction action = {.sa_handler = on_termination, .sa_flags = SA_RESTART | SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    int signals[] = {SIGTERM, SIGINT, SIGHUP};
    sigset_t set;
    sigemptyset(&set);
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) {
        if (sigaction(signals[i], &action, NULL)) return -1;
        sigaddset(&set, signals[i]);
    }
    // Whoever started the process may have had them blocked, and that is inherited.
    errno = pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    return errno ? -1 : 0;
}

int csystem_notify_service(const char *path, const char *state) {
    struct sockaddr_un address;
    if (unix_address(path, &address)) return -1;
    socklen_t length = offsetof(struct sockaddr_un, sun_path) + strlen(path);
    // A name in Linux's abstract space is written with an '@' for its NUL.
    if (path[0] == '@') address.sun_path[0] = 0;
    else length++;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    ssize_t sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, length);
    int saved = errno;
    close(fd);
    errno = saved;
    return sent < 0 ? -1 : 0;
}
