/// A request that was checked against the device: what the backend may carry out.
public enum BlockCommand: Equatable, Sendable {
    case read(sector: UInt64, segments: [BlockSegment])
    case write(sector: UInt64, segments: [BlockSegment])
    case flush
    case discard(sector: UInt64, sectorCount: UInt64)
}

/// What is wrong with a request: its status for the frontend, and a sentence for our log.
public struct BlockRequestFault: Error, Equatable, CustomStringConvertible {
    /// What the response says.
    public let status: BlockStatus
    public let description: String
}

extension BlockRequest {
    /// Checks the request against a device, and says what it asks for.
    ///
    /// Throws for an unknown operation, a wrong count, a segment outside its page, sectors beyond the
    /// end of the device, and writing to a read-only one. Call it on a private copy only.
    public func command(
        sectorCount: UInt64, isReadOnly: Bool
    ) throws(BlockRequestFault) -> BlockCommand {
        switch BlockOperation(rawValue: operation) {
        case .read:
            return .read(sector: sector, segments: try checkedSegments(sectorCount))
        case .write:
            try requireWritable(isReadOnly)
            return .write(sector: sector, segments: try checkedSegments(sectorCount))
        case .flush:
            guard segmentCount == 0 else {
                throw BlockRequestFault(status: .error, description: "a flush carries data")
            }
            return .flush
        case .discard:
            try requireWritable(isReadOnly)
            guard segmentCount == 0 else {
                throw BlockRequestFault(
                    status: .notSupported,
                    description: "a discard with flags \(segmentCount): none are served")
            }
            try requireInside(discardSectorCount, sectorCount)
            return .discard(sector: sector, sectorCount: discardSectorCount)
        default:
            throw BlockRequestFault(
                status: .notSupported, description: "operation \(operation) is not served")
        }
    }

    private func checkedSegments(
        _ deviceSectorCount: UInt64
    ) throws(BlockRequestFault) -> [BlockSegment] {
        guard (1...Self.segmentLimit).contains(Int(segmentCount)) else {
            throw BlockRequestFault(
                status: .error,
                description: "\(segmentCount) segments, not 1 to \(Self.segmentLimit)")
        }
        var checked: [BlockSegment] = []
        checked.reserveCapacity(Int(segmentCount))
        var count: UInt64 = 0
        for index in 0..<Int(segmentCount) {
            let segment = segments[index]
            guard segment.firstSector <= segment.lastSector,
                segment.lastSector < BlockSector.countPerPage
            else {
                throw BlockRequestFault(
                    status: .error,
                    description: "segment \(index) has sectors \(segment.firstSector) to "
                        + "\(segment.lastSector) of a page")
            }
            count += UInt64(segment.sectorCount)
            checked.append(segment)
        }
        try requireInside(count, deviceSectorCount)
        return checked
    }

    private func requireInside(
        _ count: UInt64, _ deviceSectorCount: UInt64
    ) throws(BlockRequestFault) {
        // In this order, since sector + count may be more than 64 bits hold.
        guard count <= deviceSectorCount, sector <= deviceSectorCount - count else {
            throw BlockRequestFault(
                status: .error,
                description: "\(count) sectors at \(sector) of a device of \(deviceSectorCount)")
        }
    }

    private func requireWritable(_ isReadOnly: Bool) throws(BlockRequestFault) {
        if isReadOnly {
            throw BlockRequestFault(status: .error, description: "the device is read-only")
        }
    }
}

extension BlockSegment {
    /// The sectors of a checked segment.
    var sectorCount: Int { Int(lastSector) - Int(firstSector) + 1 }
    /// Where the data lies in the page.
    var byteOffset: Int { Int(firstSector) * BlockSector.byteCount }
    /// How many bytes of it.
    var byteCount: Int { sectorCount * BlockSector.byteCount }
}
