#pragma once
// What <xen/io/ring.h> expects its user to define, with the meaning of Xen's own user-space tools.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define __XEN_INTERFACE_VERSION__ __XEN_LATEST_INTERFACE_VERSION__

#if defined(__x86_64__)
#define xen_mb() __asm__ __volatile__("lock addl $0, -4(%%rsp)" ::: "memory")
#define xen_rmb() __asm__ __volatile__("" ::: "memory")
#define xen_wmb() __asm__ __volatile__("" ::: "memory")
#else
#define xen_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#endif
