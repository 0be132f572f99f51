public import XenCore

/// Where a backend keeps the device's bytes.
///
/// Ranges were checked against `sectorCount` before they get here. Calls block, on the backend's own
/// thread, and come one at a time.
public protocol BlockStorage: Sendable {
    /// The size of the device in 512-byte sectors, 1 to `BlockSector.countLimit`.
    var sectorCount: UInt64 { get }
    /// Whether writes are to be refused.
    var isReadOnly: Bool { get }

    /// Reads into the frontend's pages, one part after another.
    func read(at byteOffset: UInt64, into parts: [SharedMemory]) throws(StorageError)
    /// Writes from the frontend's pages, one part after another.
    func write(at byteOffset: UInt64, from parts: [SharedMemory]) throws(StorageError)
    /// Returns when all that was written is durable.
    func flush() throws(StorageError)
    /// Forgets bytes: they read as zeros afterwards.
    func discard(at byteOffset: UInt64, byteCount: UInt64) throws(StorageError)
}

/// What went wrong with a backend's storage.
public struct StorageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What happened to what, and what to do.
    public let description: String
    /// The kernel's word for it, when there is one.
    public let errorNumber: ErrorNumber?

    public init(_ description: String, errorNumber: ErrorNumber? = nil) {
        self.description = errorNumber.map { "\(description) (\($0))" } ?? description
        self.errorNumber = errorNumber
    }
}
