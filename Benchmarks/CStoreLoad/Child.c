#define _GNU_SOURCE
#include "CStoreLoad.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

pid_t cstore_spawn(const char *program, char *const *arguments, char *const *environment, int input, int output) {
    pid_t parent = getpid(), child = fork();
    if (child) return child;
    // The parent may have ended before the kernel was told.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent) _exit(126);
    int nothing = open("/dev/null", O_RDWR);
    if (dup2(input < 0 ? nothing : input, 0) < 0 || dup2(output < 0 ? nothing : output, 1) < 0) _exit(126);
    close_range(3, ~0U, 0);
    execve(program, arguments, environment);
    _exit(127);
}

int cstore_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) return -1;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit);
}
