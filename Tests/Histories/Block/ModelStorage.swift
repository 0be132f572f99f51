import BlockDevice
import Synchronization
import XenCore
import XenTesting

/// The disk of a history's backends: in memory, and failing when the history says so.
final class ModelStorage: BlockStorage {
    let sectorCount: UInt64
    let isReadOnly = false
    private let bytes: Mutex<[UInt8]>
    private let choices: HistoryChoices
    /// For a disk that does not keep what it says.
    private let losesWrites: Bool
    private let isCalm = Atomic(false)

    init(sectorCount: Int, choices: HistoryChoices, losesWrites: Bool) {
        self.losesWrites = losesWrites
        self.sectorCount = UInt64(sectorCount)
        self.choices = choices
        bytes = Mutex([UInt8](repeating: 0, count: sectorCount * BlockSector.byteCount))
    }

    /// Fails no more.
    func calm() { isCalm.store(true, ordering: .relaxed) }

    private func mayFail() throws(StorageError) {
        if !isCalm.load(ordering: .relaxed), choices.happens("storage", 0.005) {
            throw StorageError("the disk has failed")
        }
    }

    func read(at byteOffset: UInt64, into parts: [SharedMemory]) throws(StorageError) {
        try mayFail()
        bytes.withLock { bytes in
            var offset = Int(byteOffset)
            for part in parts {
                part.store(Array(bytes[offset..<offset + part.byteCount]), at: 0)
                offset += part.byteCount
            }
        }
    }

    func write(at byteOffset: UInt64, from parts: [SharedMemory]) throws(StorageError) {
        try mayFail()
        if losesWrites, choices.happens("forgotten", 0.1) { return }
        bytes.withLock { bytes in
            var offset = Int(byteOffset)
            for part in parts {
                let new = part.bytes(at: 0, count: part.byteCount)
                bytes.replaceSubrange(offset..<offset + part.byteCount, with: new)
                offset += part.byteCount
            }
        }
    }

    func flush() throws(StorageError) { try mayFail() }

    func discard(at byteOffset: UInt64, byteCount: UInt64) throws(StorageError) {
        try mayFail()
        bytes.withLock { bytes in
            let range = Int(byteOffset)..<Int(byteOffset + byteCount)
            bytes.replaceSubrange(range, with: repeatElement(0, count: Int(byteCount)))
        }
    }
}
