#include "CEventDevice.h"
#include <sys/epoll.h>

int foreign_loop_open(void) { return epoll_create1(EPOLL_CLOEXEC); }

int foreign_loop_add(int loop, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    return epoll_ctl(loop, EPOLL_CTL_ADD, descriptor, &event);
}

int foreign_loop_wait(int loop, int milliseconds) {
    struct epoll_event event;
    return epoll_wait(loop, &event, 1, milliseconds) == 1 ? event.data.fd : -1;
}
