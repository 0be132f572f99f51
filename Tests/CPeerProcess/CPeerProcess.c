#define _GNU_SOURCE
#include "CPeerProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int peer_memory(size_t byte_count) {
    int memory = memfd_create("ring", MFD_CLOEXEC);
    if (memory >= 0 && ftruncate(memory, (off_t)byte_count) == 0) return memory;
    int error = errno;
    if (memory >= 0) close(memory);
    return -error;
}

int peer_doorbell(void) {
    int doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return doorbell >= 0 ? doorbell : -errno;
}

int peer_ring(int doorbell) {
    uint64_t one = 1;
    return write(doorbell, &one, sizeof one) == sizeof one ? 0 : -errno;
}

// 1 when the descriptor can be read, 0 when the time is up.
static int wait_for(int descriptor, int timeout_milliseconds) {
    struct pollfd entry = {.fd = descriptor, .events = POLLIN};
    int count;
    do count = poll(&entry, 1, timeout_milliseconds);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

int peer_sleep(int doorbell, int timeout_milliseconds) {
    uint64_t rings;
    int found = wait_for(doorbell, timeout_milliseconds);
    if (found <= 0) return found < 0 ? found : -ETIMEDOUT;
    return read(doorbell, &rings, sizeof rings) == sizeof rings ? 0 : -errno;
}

int peer_spawn(const char *path, const int *descriptors, int count) {
    posix_spawn_file_actions_t actions;
    int copies[8], error = 0, copied = 0;
    pid_t process;
    if (count > 8) return -EINVAL;
    // Copies far above, so that none is where another has to go.
    for (; copied < count && !error; copied++) {
        copies[copied] = fcntl(descriptors[copied], F_DUPFD_CLOEXEC, 100);
        if (copies[copied] < 0) error = errno;
    }
    posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < count && !error; i++)
        error = posix_spawn_file_actions_adddup2(&actions, copies[i], 3 + i);
    if (!error) error = posix_spawn_file_actions_addclosefrom_np(&actions, 3 + count);
    char *arguments[] = {(char *)path, NULL};
    if (!error) error = posix_spawn(&process, path, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    for (int i = 0; i < copied; i++) close(copies[i]);
    return error ? -error : process;
}

int peer_wait(int process, int timeout_milliseconds) {
    int status, descriptor = (int)syscall(SYS_pidfd_open, process, 0);
    if (descriptor < 0 || wait_for(descriptor, timeout_milliseconds) <= 0)
        kill(process, SIGKILL);
    if (descriptor >= 0) close(descriptor);
    while (waitpid(process, &status, 0) < 0)
        if (errno != EINTR) return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
