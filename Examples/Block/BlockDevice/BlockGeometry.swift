/// What device a backend serves.
public struct BlockGeometry: Hashable, Sendable {
    /// The size in 512-byte sectors.
    public let sectorCount: UInt64
    /// Whether writes will be refused.
    public let isReadOnly: Bool

    /// Reads what a backend published, strictly.
    init(published: [String: String]) throws(BlockError) {
        guard let text = published["sectors"], let count = UInt64(text),
            (1...BlockSector.countLimit).contains(count)
        else {
            throw BlockError(
                code: .badBackend,
                message: "the backend's sectors is \"\(published["sectors"] ?? "missing")\"")
        }
        sectorCount = count
        // VDISK_READONLY, xen/io/blkif.h
        isReadOnly = published["info"].flatMap { UInt32($0) }.map { $0 & 4 != 0 } ?? false
    }
}
