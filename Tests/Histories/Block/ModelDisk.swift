import BlockDevice
import XenTesting

/// What each sector of the disk may hold, as far as its user can know.
///
/// A write fills its sectors with its own stamp. One that may or may not have been carried out leaves two
/// possibilities, and a peer that keeps to no law leaves any.
struct ModelDisk {
    /// The stamps that a sector may hold; nil for any bytes at all.
    private var possible: [Set<UInt64>?]

    init(sectorCount: Int) { possible = Array(repeating: [0], count: sectorCount) }

    static func bytes(of stamp: UInt64, sectorCount: Int) -> [UInt8] {
        let eight = (0..<8).map { UInt8(truncatingIfNeeded: stamp >> ($0 * 8)) }
        return (0..<sectorCount * BlockSector.byteCount / 8).flatMap { _ in eight }
    }

    mutating func write(_ stamp: UInt64, to sectors: Range<Int>) {
        for sector in sectors { possible[sector] = [stamp] }
    }

    /// The write may have been carried out.
    mutating func doubt(_ stamp: UInt64, in sectors: Range<Int>) {
        for sector in sectors { possible[sector]?.insert(stamp) }
    }

    mutating func allowAnything() { possible = possible.map { _ in nil } }

    mutating func read(_ bytes: [UInt8], from sectors: Range<Int>) throws(SimulationFailure) {
        for (index, sector) in sectors.enumerated() {
            let start = index * BlockSector.byteCount
            let found = Array(bytes[start..<start + BlockSector.byteCount])
            guard let allowed = possible[sector] else { continue }
            guard let stamp = allowed.first(where: { Self.bytes(of: $0, sectorCount: 1) == found })
            else {
                throw SimulationFailure(
                    "a read gives what the disk holds",
                    "sector \(sector) begins with \(found.prefix(8)), and may hold \(allowed.sorted())"
                )
            }
            possible[sector] = [stamp]
        }
    }
}
