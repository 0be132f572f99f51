import BlockDevice
import Synchronization
import XenCore
import XenSystem

/// A disk that can stop answering, and answer later: what makes a backend hang with a request in hand.
final class FreezableStorage: BlockStorage {
    private let disk: DiskImage
    private let isFrozen = Atomic(false)
    private let stuckCount = Atomic(0)

    init(_ disk: DiskImage) { self.disk = disk }

    var sectorCount: UInt64 { disk.sectorCount }
    var isReadOnly: Bool { disk.isReadOnly }

    /// Whether a request has got stuck.
    var hasStuckRequest: Bool { stuckCount.load(ordering: .acquiring) > 0 }

    func freeze() { isFrozen.store(true, ordering: .releasing) }
    func thaw() { isFrozen.store(false, ordering: .releasing) }

    func read(at byteOffset: UInt64, into parts: [SharedMemory]) throws(StorageError) {
        stuckCount.add(1, ordering: .acquiringAndReleasing)
        while isFrozen.load(ordering: .acquiring) { try? pause(.milliseconds(1)) }
        stuckCount.subtract(1, ordering: .acquiringAndReleasing)
        try disk.read(at: byteOffset, into: parts)
    }

    func write(at byteOffset: UInt64, from parts: [SharedMemory]) throws(StorageError) {
        try disk.write(at: byteOffset, from: parts)
    }

    func flush() throws(StorageError) { try disk.flush() }

    func discard(at byteOffset: UInt64, byteCount: UInt64) throws(StorageError) {
        try disk.discard(at: byteOffset, byteCount: byteCount)
    }
}
