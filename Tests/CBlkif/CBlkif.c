#include "CBlkif.h"

#ifdef LIBXEN
#include <string.h>

#define __XEN_INTERFACE_VERSION__ __XEN_LATEST_INTERFACE_VERSION__
#include <xen/io/blkif.h>

_Static_assert(BLKIF_MAX_SEGMENTS_PER_REQUEST == 11, "as our segmentLimit");
_Static_assert(BLKIF_OP_READ == 0 && BLKIF_OP_WRITE == 1 && BLKIF_OP_FLUSH_DISKCACHE == 3 && BLKIF_OP_DISCARD == 5,
               "as our operations");
_Static_assert(BLKIF_RSP_OKAY == 0 && BLKIF_RSP_ERROR == -1 && BLKIF_RSP_EOPNOTSUPP == -2, "as our statuses");

size_t cblkif_request(void *bytes, uint8_t operation, uint16_t handle, uint64_t id, uint64_t sector,
                      const struct cblkif_segment *segments, uint8_t segment_count) {
    struct blkif_request request;
    memset(&request, 0, sizeof request);
    request.operation = operation;
    request.nr_segments = segment_count;
    request.handle = handle;
    request.id = id;
    request.sector_number = sector;
    for (int i = 0; i < segment_count; i++) {
        request.seg[i].gref = segments[i].reference;
        request.seg[i].first_sect = segments[i].first;
        request.seg[i].last_sect = segments[i].last;
    }
    memcpy(bytes, &request, sizeof request);
    return sizeof request;
}

size_t cblkif_discard(void *bytes, uint8_t flag, uint16_t handle, uint64_t id, uint64_t sector, uint64_t count) {
    struct blkif_request_discard request;
    memset(&request, 0, sizeof request);
    request.operation = BLKIF_OP_DISCARD;
    request.flag = flag;
    request.handle = handle;
    request.id = id;
    request.sector_number = sector;
    request.nr_sectors = count;
    memcpy(bytes, &request, sizeof request);
    return sizeof request;
}

size_t cblkif_response(void *bytes, uint64_t id, uint8_t operation, int16_t status) {
    struct blkif_response response;
    memset(&response, 0, sizeof response);
    response.id = id;
    response.operation = operation;
    response.status = status;
    memcpy(bytes, &response, sizeof response);
    return sizeof response;
}

#endif
