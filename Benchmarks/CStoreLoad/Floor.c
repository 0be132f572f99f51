#define _GNU_SOURCE
#include "Load.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BUFFER = 1 << 16 };

struct client {
    int descriptor;
    size_t count;
    char bytes[2 * LONGEST];
};

static size_t answer(const struct header *request, char *place) {
    const char *payload = "OK";
    struct header reply = *request;
    reply.length = 3;
    switch (request->type) {
    case TYPE_READ: payload = "12345678", reply.length = 8; break;
    case TYPE_DIRECTORY: payload = "0\0001\0002\0003\0004\0005\0006\0007\0008\0009", reply.length = 20; break;
    case TYPE_START: payload = "1", reply.length = 2; break;
    }
    memcpy(place, &reply, sizeof reply);
    memcpy(place + sizeof reply, payload, reply.length);
    return sizeof reply + reply.length;
}

// 0 once it has ended.
static int serve(struct client *client) {
    char out[BUFFER];
    size_t offset = 0, sent = 0;
    ssize_t count = recv(client->descriptor, client->bytes + client->count, sizeof client->bytes - client->count, 0);
    if (count <= 0) return 0;
    client->count += count;
    for (struct header header; client->count - offset >= sizeof header;) {
        memcpy(&header, client->bytes + offset, sizeof header);
        if (header.length > LONGEST) return 0;
        if (client->count - offset < sizeof header + header.length) break;
        sent += answer(&header, out + sent);
        offset += sizeof header + header.length;
    }
    client->count -= offset;
    memmove(client->bytes, client->bytes + offset, client->count);
    return !sent || send(client->descriptor, out, sent, MSG_NOSIGNAL) == (ssize_t)sent;
}

static void admit(int set, int listener) {
    struct client *client = calloc(1, sizeof *client);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    client->descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (client->descriptor < 0 || epoll_ctl(set, EPOLL_CTL_ADD, client->descriptor, &event)) free(client);
}

void cstore_serve_constants(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), set = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    if (bind(listener, (void *)&address, sizeof address) || listen(listener, 1024)
        || epoll_ctl(set, EPOLL_CTL_ADD, listener, &event))
        return;
    while (1) {
        struct epoll_event events[256];
        int count = epoll_wait(set, events, 256, -1);
        for (int i = 0; i < count; i++) {
            struct client *client = events[i].data.ptr;
            if (!client) {
                admit(set, listener);
            } else if (!serve(client)) {
                close(client->descriptor);
                free(client);
            }
        }
    }
}
