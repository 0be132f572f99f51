public import XenRing

/// One page, or part of one, of a request's data (`struct blkif_request_segment`).
public struct BlockSegment: BitwiseCopyable, Hashable, Sendable {
    /// The grant reference of the page.
    public var reference: UInt32
    /// The first 512-byte sector of the page that belongs to the data, 0 to 7.
    public var firstSector: UInt8
    /// The last one, inclusive.
    public var lastSector: UInt8
    var padding: UInt16 = 0

    public init(reference: UInt32, firstSector: UInt8, lastSector: UInt8) {
        self.reference = reference
        self.firstSector = firstSector
        self.lastSector = lastSector
    }
}

/// A request as it lies on the ring, in the x86_64 layout (`struct blkif_request`, xen/io/blkif.h).
///
/// Nothing in it can be believed before `command(sectorCount:isReadOnly:)` has looked at it.
public struct BlockRequest: RingMessage {
    public static let byteCount = 112
    /// The most segments that a request has room for (`BLKIF_MAX_SEGMENTS_PER_REQUEST`).
    public static let segmentLimit = 11

    /// What to do (`BLKIF_OP_*`).
    public var operation: UInt8
    /// How many segments are used; a discard's flags.
    public var segmentCount: UInt8
    /// The device's number. Unused.
    public var handle: UInt16
    var padding: UInt32 = 0
    /// The frontend's name for the request; the response repeats it.
    public var id: UInt64
    /// Where on the device the data begins, in 512-byte sectors.
    public var sector: UInt64
    /// The data. A discard keeps its sector count in the first one's place.
    public var segments: InlineArray<11, BlockSegment>

    public init(operation: BlockOperation, id: UInt64, sector: UInt64) {
        self.operation = operation.rawValue
        segmentCount = 0
        handle = 0
        self.id = id
        self.sector = sector
        segments = InlineArray(
            repeating: BlockSegment(reference: 0, firstSector: 0, lastSector: 0))
    }

    /// The sectors to discard: eight bytes where other requests have their first segment
    /// (`struct blkif_request_discard`).
    public var discardSectorCount: UInt64 {
        get {
            let place = segments[0]
            return UInt64(place.reference) | UInt64(place.firstSector) << 32
                | UInt64(place.lastSector) << 40 | UInt64(place.padding) << 48
        }
        set {
            segments[0].reference = UInt32(truncatingIfNeeded: newValue)
            segments[0].firstSector = UInt8(truncatingIfNeeded: newValue >> 32)
            segments[0].lastSector = UInt8(truncatingIfNeeded: newValue >> 40)
            segments[0].padding = UInt16(truncatingIfNeeded: newValue >> 48)
        }
    }
}

/// An answer as it lies on the ring (`struct blkif_response`, xen/io/blkif.h).
public struct BlockResponse: RingMessage {
    public static let byteCount = 16

    /// The request's.
    public var id: UInt64
    /// The request's.
    public var operation: UInt8
    var reserved: UInt8 = 0
    /// How it went (`BLKIF_RSP_*`).
    public var status: Int16
    var padding: UInt32 = 0

    public init(to request: BlockRequest, _ status: BlockStatus) {
        id = request.id
        operation = request.operation
        self.status = status.rawValue
    }
}

/// What a request can ask for. Numbers that we do not serve are kept (`BLKIF_OP_*`).
public struct BlockOperation: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let read = BlockOperation(rawValue: 0)
    public static let write = BlockOperation(rawValue: 1)
    public static let flush = BlockOperation(rawValue: 3)
    public static let discard = BlockOperation(rawValue: 5)
}

/// How a request went (`BLKIF_RSP_*`).
public struct BlockStatus: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int16
    public init(rawValue: Int16) { self.rawValue = rawValue }

    public static let okay = BlockStatus(rawValue: 0)
    public static let error = BlockStatus(rawValue: -1)
    public static let notSupported = BlockStatus(rawValue: -2)
}

/// The unit in which the protocol counts, whatever the device's own sector size.
public enum BlockSector {
    /// Bytes in a sector.
    public static let byteCount = 512
    /// The most sectors whose bytes a file's offsets can count.
    public static let countLimit = UInt64(Int64.max) / UInt64(byteCount)
    /// Sectors in a page.
    public static let countPerPage = 8
}
