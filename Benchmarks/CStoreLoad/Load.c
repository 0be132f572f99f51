#define _GNU_SOURCE
#include "Load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MOST_IN_FLIGHT = 64, BUFFER = 1 << 16, SECONDS = 20 };

// One item on its way; a connection has as many as may be in flight.
struct lane {
    uint64_t item, start, sum;
    uint32_t request, transaction;
    int phase, is_busy;
};

struct connection {
    int descriptor;
    uint32_t next_request;
    int lane_count;
    struct lane lanes[MOST_IN_FLIGHT];
    size_t in_count, out_count;
    char *in, *out;
};

struct cstore_crowd {
    int count, set;
    struct connection *connections;
    // Of the present run.
    struct cstore_plan plan;
    struct cstore_result result;
    uint64_t begun, done, wanted, events;
};

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * UINT64_C(1000000000) + time.tv_nsec;
}

// --- Connections

static int open_one(struct connection *connection, const struct sockaddr_un *address) {
    connection->descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->descriptor < 0) return -1;
    struct timeval limit = {.tv_sec = SECONDS};
    setsockopt(connection->descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(connection->descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    return connect(connection->descriptor, (const void *)address, sizeof *address);
}

struct cstore_crowd *cstore_connect(const char *path, int count) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    strcpy(address.sun_path, path);
    struct cstore_crowd *crowd = calloc(1, sizeof *crowd);
    crowd->connections = calloc(count, sizeof *crowd->connections);
    crowd->set = epoll_create1(EPOLL_CLOEXEC);
    for (; crowd->count < count; crowd->count++) {
        struct connection *connection = crowd->connections + crowd->count;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        if (open_one(connection, &address) || epoll_ctl(crowd->set, EPOLL_CTL_ADD, connection->descriptor, &event)) {
            int error = errno;
            if (connection->descriptor >= 0) close(connection->descriptor);
            cstore_disconnect(crowd);
            errno = error;
            return NULL;
        }
    }
    return crowd;
}

void cstore_disconnect(struct cstore_crowd *crowd) {
    for (int i = 0; i < crowd->count; i++) {
        close(crowd->connections[i].descriptor);
        free(crowd->connections[i].in);
        free(crowd->connections[i].out);
    }
    if (crowd->set >= 0) close(crowd->set);
    free(crowd->connections);
    free(crowd);
}

static const char *flush(struct connection *connection) {
    for (size_t sent = 0; sent < connection->out_count;) {
        ssize_t count = send(connection->descriptor, connection->out + sent, connection->out_count - sent, MSG_NOSIGNAL);
        if (count <= 0) return "the server takes no requests";
        sent += count;
    }
    connection->out_count = 0;
    return NULL;
}

// --- Requests

static void put(struct connection *connection, struct lane *lane, uint32_t type, const void *payload, uint32_t length) {
    lane->request = connection->next_request++;
    struct header header = {type, lane->request, lane->transaction, length};
    char *place = connection->out + connection->out_count;
    memcpy(place, &header, sizeof header);
    memcpy(place + sizeof header, payload, length);
    connection->out_count += sizeof header + length;
}

static void put_path(struct connection *connection, struct lane *lane, uint32_t type, uint32_t node, uint32_t length) {
    char payload[24] = "/bench/AA/BB/CC";
    cstore_digits(payload, node);
    cstore_value(payload + 16, node);
    put(connection, lane, type, payload, length);
}

static void put_apart(struct connection *connection, struct lane *lane, uint32_t type, uint32_t node) {
    char payload[25] = "/apart/AA/BB/CC";
    cstore_digits(payload, node);
    cstore_value(payload + 16, node);
    put(connection, lane, type, payload, type == TYPE_WATCH ? 25 : 24);
}

// The request of the lane's phase.
static void ask(struct cstore_crowd *crowd, struct connection *connection, struct lane *lane) {
    uint32_t node = cstore_node(lane->item, crowd->plan.node_count);
    switch (crowd->plan.work) {
    case CSTORE_READ: return put_path(connection, lane, TYPE_READ, node, 16);
    case CSTORE_WRITE: return put_path(connection, lane, TYPE_WRITE, node, 24);
    case CSTORE_DIRECTORY: return put(connection, lane, TYPE_DIRECTORY, "/list", 6);
    case CSTORE_WATCH: return put_apart(connection, lane, TYPE_WATCH, node);
    case CSTORE_WATCH_BENCH: return put(connection, lane, TYPE_WATCH, "/bench\0t", 9);
    case CSTORE_MAKE_LIST: {
        char payload[] = "/list/N";
        payload[6] = '0' + node % 10;
        return put(connection, lane, TYPE_WRITE, payload, 8);
    }
    case CSTORE_OPEN:
        if (lane->phase == 0) return put(connection, lane, TYPE_START, "", 1);
        return put_apart(connection, lane, TYPE_WRITE, node);
    case CSTORE_TRANSACTION:
        switch (lane->phase) {
        case 0: return put(connection, lane, TYPE_START, "", 1);
        case 1: return put_path(connection, lane, TYPE_READ, node, 16);
        case 2: return put_path(connection, lane, TYPE_WRITE, node, 24);
        default: return put(connection, lane, TYPE_END, "T", 2);
        }
    }
}

static void begin(struct cstore_crowd *crowd, struct connection *connection, struct lane *lane) {
    lane->is_busy = crowd->begun < crowd->wanted;
    if (!lane->is_busy) return;
    lane->item = crowd->begun++;
    lane->phase = lane->transaction = lane->sum = 0;
    if (crowd->plan.is_timed) lane->start = now();
    ask(crowd, connection, lane);
}

// --- Replies

static struct lane *lane_of(struct connection *connection, uint32_t request) {
    for (int i = 0; i < connection->lane_count; i++)
        if (connection->lanes[i].is_busy && connection->lanes[i].request == request) return connection->lanes + i;
    return NULL;
}

static uint64_t sum_of(const unsigned char *bytes, uint32_t count) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) sum += bytes[i];
    return sum;
}

static void finish(struct cstore_crowd *crowd, struct connection *connection, struct lane *lane) {
    crowd->result.sum += lane->sum + 1;
    crowd->done++;
    if (crowd->plan.is_timed) {
        uint64_t time = now() - lane->start;
        if (time > crowd->result.worst) crowd->result.worst = time;
    }
    begin(crowd, connection, lane);
}

static const char *take(
    struct cstore_crowd *crowd, struct connection *connection, const struct header *header, const char *payload) {
    if (header->type == TYPE_EVENT) {
        crowd->events++;
        crowd->result.sum += sum_of((const void *)payload, header->length);
        return NULL;
    }
    struct lane *lane = lane_of(connection, header->request);
    if (!lane) return "a reply to nobody's request";
    if (header->type == TYPE_ERROR) {
        if (lane->phase != 3 || strncmp(payload, "EAGAIN", header->length)) return "a request was refused";
        lane->phase = lane->transaction = lane->sum = 0;
        ask(crowd, connection, lane);
        return NULL;
    }
    switch (header->type) {
    case TYPE_READ:
    case TYPE_DIRECTORY: lane->sum += sum_of((const void *)payload, header->length); break;
    case TYPE_START: lane->transaction = atoi(payload); break;
    case TYPE_WRITE:
    case TYPE_WATCH:
    case TYPE_END:
        if (header->length != 3 || memcmp(payload, "OK", 3)) return "a reply that is not OK";
        break;
    default: return "a reply of another type";
    }
    int last = crowd->plan.work == CSTORE_TRANSACTION ? 3 : crowd->plan.work == CSTORE_OPEN;
    if (lane->phase++ < last) ask(crowd, connection, lane);
    else finish(crowd, connection, lane);
    return NULL;
}

// Takes what there is, and sends what follows from it.
static const char *serve(struct cstore_crowd *crowd, struct connection *connection) {
    ssize_t count = recv(connection->descriptor, connection->in + connection->in_count, BUFFER - connection->in_count, 0);
    if (count <= 0) return count ? "the server is silent" : "the server hung up";
    connection->in_count += count;
    size_t offset = 0;
    for (struct header header; connection->in_count - offset >= sizeof header;) {
        memcpy(&header, connection->in + offset, sizeof header);
        if (header.length > LONGEST) return "an impossible length";
        if (connection->in_count - offset < sizeof header + header.length) break;
        const char *failure = take(crowd, connection, &header, connection->in + offset + sizeof header);
        if (failure) return failure;
        offset += sizeof header + header.length;
    }
    connection->in_count -= offset;
    memmove(connection->in, connection->in + offset, connection->in_count);
    return flush(connection);
}

// --- Runs

static int is_over(const struct cstore_crowd *crowd) {
    int has_events = crowd->plan.work == CSTORE_WATCH || crowd->plan.work == CSTORE_WATCH_BENCH;
    return crowd->done == crowd->wanted && (!has_events || crowd->events == crowd->wanted);
}

static const char *serve_all(struct cstore_crowd *crowd) {
    if (crowd->count == 1) return serve(crowd, crowd->connections);
    struct epoll_event events[256];
    int count = epoll_wait(crowd->set, events, 256, SECONDS * 1000);
    if (count <= 0) return "the server is silent";
    for (int i = 0; i < count; i++) {
        const char *failure = serve(crowd, events[i].data.ptr);
        if (failure) return failure;
    }
    return NULL;
}

static void prepare(struct cstore_crowd *crowd, struct cstore_plan plan, uint64_t count) {
    crowd->plan = plan;
    crowd->result = (struct cstore_result){0};
    crowd->begun = crowd->done = crowd->events = 0;
    crowd->wanted = count;
    for (int i = 0; i < crowd->count; i++) {
        struct connection *connection = crowd->connections + i;
        if (!connection->in) connection->in = malloc(BUFFER);
        if (!connection->out) connection->out = malloc(BUFFER);
        connection->lane_count = plan.in_flight < MOST_IN_FLIGHT ? plan.in_flight : MOST_IN_FLIGHT;
    }
}

const char *cstore_run(
    struct cstore_crowd *crowd, struct cstore_plan plan, uint64_t count, struct cstore_result *result) {
    prepare(crowd, plan, count);
    const char *failure = NULL;
    for (int i = 0; i < crowd->count && !failure; i++) {
        struct connection *connection = crowd->connections + i;
        for (int j = 0; j < connection->lane_count; j++) begin(crowd, connection, connection->lanes + j);
        failure = flush(connection);
    }
    while (!failure && !is_over(crowd)) failure = serve_all(crowd);
    *result = crowd->result;
    return failure;
}

// Until a number, of replies or events, is reached.
static const char *await(struct cstore_crowd *crowd, const uint64_t *number, uint64_t wanted) {
    const char *failure = NULL;
    while (!failure && *number < wanted) failure = serve(crowd, crowd->connections);
    return failure;
}

const char *cstore_run_events(
    struct cstore_crowd *writer, struct cstore_crowd *watcher, uint64_t count, struct cstore_result *result) {
    struct connection *connection = writer->connections;
    struct cstore_plan plan = {.work = CSTORE_WRITE, .in_flight = 1, .node_count = 1000};
    prepare(writer, plan, 0);
    prepare(watcher, plan, 0);
    const char *failure = NULL;
    for (uint64_t item = 0; item < count && !failure; item++) {
        writer->wanted = item + 1;
        begin(writer, connection, connection->lanes);
        failure = flush(connection);
        if (!failure) failure = await(watcher, &watcher->events, item + 1);
        if (!failure) failure = await(writer, &writer->done, item + 1);
    }
    *result = writer->result;
    result->sum += watcher->result.sum;
    return failure;
}
