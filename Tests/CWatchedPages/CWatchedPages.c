// An access to protected pages faults. The handler tells the observer, lets the one instruction
// run with the pages open (the trap flag stops the processor right after it), and protects them
// again. An instruction that touches two places in the pages (rep movs) faults once for both.
#define _GNU_SOURCE
#include "CWatchedPages.h"

#if defined(__x86_64__) && defined(__linux__)

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { TRAP_FLAG = 0x100, WRITE_FAULT = 2 };

static struct {
    const struct cwatched_pages *pages;
    cwatched_observer *observer;
    void *context;
    struct sigaction old_fault, old_trap;
    bool is_stepping;
} watch;

bool cwatched_open(struct cwatched_pages *pages, size_t byte_count) {
    int file = memfd_create("watched-pages", MFD_CLOEXEC);
    if (file < 0) return false;
    bool is_open = false;
    if (ftruncate(file, (off_t)byte_count) == 0) {
        pages->byte_count = byte_count;
        pages->watched = mmap(NULL, byte_count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        pages->behind = mmap(NULL, byte_count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        is_open = pages->watched != MAP_FAILED && pages->behind != MAP_FAILED;
    }
    close(file);
    return is_open;
}

void cwatched_close(struct cwatched_pages *pages) {
    munmap(pages->watched, pages->byte_count);
    munmap(pages->behind, pages->byte_count);
}

static void protect(int protection) {
    if (mprotect(watch.pages->watched, watch.pages->byte_count, protection) != 0) abort();
}

static void handle_fault(int number, siginfo_t *info, void *raw) {
    size_t offset = (size_t)((char *)info->si_addr - (char *)watch.pages->watched);
    if (offset >= watch.pages->byte_count || watch.is_stepping) {
        // A true fault: it happens again, under the handler that was there before.
        sigaction(SIGSEGV, &watch.old_fault, NULL);
        return;
    }
    ucontext_t *interrupted = raw;
    bool is_write = interrupted->uc_mcontext.gregs[REG_ERR] & WRITE_FAULT;
    watch.observer(watch.context, offset, is_write);
    protect(PROT_READ | PROT_WRITE);
    watch.is_stepping = true;
    interrupted->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void handle_trap(int number, siginfo_t *info, void *raw) {
    ucontext_t *interrupted = raw;
    interrupted->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
    watch.is_stepping = false;
    protect(PROT_NONE);
}

void cwatched_begin(
    const struct cwatched_pages *pages, cwatched_observer *observer, void *context) {
    watch.pages = pages;
    watch.observer = observer;
    watch.context = context;
    struct sigaction fault = {.sa_sigaction = handle_fault, .sa_flags = SA_SIGINFO};
    struct sigaction trap = {.sa_sigaction = handle_trap, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &fault, &watch.old_fault);
    sigaction(SIGTRAP, &trap, &watch.old_trap);
    protect(PROT_NONE);
}

void cwatched_end(void) {
    protect(PROT_READ | PROT_WRITE);
    sigaction(SIGSEGV, &watch.old_fault, NULL);
    sigaction(SIGTRAP, &watch.old_trap, NULL);
}

#else

#include <errno.h>

bool cwatched_open(struct cwatched_pages *pages, size_t byte_count) {
    errno = ENOSYS;
    return false;
}
void cwatched_close(struct cwatched_pages *pages) {}
void cwatched_begin(
    const struct cwatched_pages *pages, cwatched_observer *observer, void *context) {}
void cwatched_end(void) {}

#endif
