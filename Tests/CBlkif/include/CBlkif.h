#pragma once
#include <stddef.h>
#include <stdint.h>

// Messages of <xen/io/blkif.h>, filled in by C: what ours are held to, byte for byte. Each returns the message's size.
// Without the trait LibXen these are declared, but not defined.

struct cblkif_segment {
    uint32_t reference;
    uint8_t first, last;
};

size_t cblkif_request(void *bytes, uint8_t operation, uint16_t handle, uint64_t id, uint64_t sector,
                      const struct cblkif_segment *segments, uint8_t segment_count);
size_t cblkif_discard(void *bytes, uint8_t flag, uint16_t handle, uint64_t id, uint64_t sector, uint64_t count);
size_t cblkif_response(void *bytes, uint64_t id, uint8_t operation, int16_t status);
