import XenRing

/// The messages that the ring benchmarks carry: those of a block device (xen/include/public/io/blkif.h), with
/// their padding left open as the C twin's structures leave it.
struct BlockRequest: RingMessage {
    static let byteCount = 112

    struct Segment: BitwiseCopyable {
        var reference: UInt32
        var firstSector: UInt8 = 0
        var lastSector: UInt8 = 7
    }

    var operation: UInt8 = 0
    var segmentCount: UInt8 = 11
    var handle: UInt16 = 0
    var id: UInt64 = 0
    var sector: UInt64 = 0
    var segments: InlineArray<11, Segment>

    init() { segments = InlineArray { Segment(reference: 100 + UInt32($0)) } }
}

struct BlockResponse: RingMessage {
    static let byteCount = 16
    var id: UInt64
    var operation: UInt8
    var status: Int16 = 0
}
