import BlockDevice
import Glibc
import Synchronization
import XenCore

/// A disk in memory that can be made to hang, and to refuse discards.
final class MemoryDisk: BlockStorage {
    private let bytes: Mutex<[UInt8]>
    private let frozen = Atomic(false)
    private let stuck = Atomic(0)
    private let flushes = Atomic(0)
    let sectorCount: UInt64
    let isReadOnly: Bool
    private let canDiscard: Bool

    /// Each byte depends on its place, so that no two sectors are alike.
    init(sectorCount: Int, isReadOnly: Bool = false, canDiscard: Bool = true) {
        self.sectorCount = UInt64(sectorCount)
        self.isReadOnly = isReadOnly
        self.canDiscard = canDiscard
        bytes = Mutex(Self.pattern(sector: 0, count: sectorCount, salt: 0))
    }

    static func pattern(sector: Int, count: Int, salt: Int) -> [UInt8] {
        (sector * 512..<(sector + count) * 512).map { byte in
            UInt8(truncatingIfNeeded: (byte / 512 &* 2_654_435_761 >> 7) &+ byte &+ salt)
        }
    }

    var content: [UInt8] { bytes.withLock { $0 } }
    var flushCount: Int { flushes.load(ordering: .acquiring) }
    /// The requests that hang.
    var stuckCount: Int { stuck.load(ordering: .acquiring) }

    func freeze() { frozen.store(true, ordering: .releasing) }
    func thaw() { frozen.store(false, ordering: .releasing) }

    private func waitUntilThawed() {
        stuck.add(1, ordering: .acquiringAndReleasing)
        while frozen.load(ordering: .acquiring) { _ = usleep(500) }
        stuck.subtract(1, ordering: .acquiringAndReleasing)
    }

    func read(at byteOffset: UInt64, into parts: [SharedMemory]) throws(StorageError) {
        waitUntilThawed()
        bytes.withLock { bytes in
            var offset = Int(byteOffset)
            for part in parts {
                part.store(Array(bytes[offset..<offset + part.byteCount]), at: 0)
                offset += part.byteCount
            }
        }
    }

    func write(at byteOffset: UInt64, from parts: [SharedMemory]) throws(StorageError) {
        waitUntilThawed()
        bytes.withLock { bytes in
            var offset = Int(byteOffset)
            for part in parts {
                let new = part.bytes(at: 0, count: part.byteCount)
                bytes.replaceSubrange(offset..<offset + part.byteCount, with: new)
                offset += part.byteCount
            }
        }
    }

    func flush() throws(StorageError) {
        waitUntilThawed()
        flushes.add(1, ordering: .acquiringAndReleasing)
    }

    func discard(at byteOffset: UInt64, byteCount: UInt64) throws(StorageError) {
        guard canDiscard else { throw StorageError("no holes here", errorNumber: .notSupported) }
        bytes.withLock { bytes in
            for index in Int(byteOffset)..<Int(byteOffset + byteCount) { bytes[index] = 0 }
        }
    }
}
