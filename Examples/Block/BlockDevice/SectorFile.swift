import XenCore
import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A plain file that is filled in any order: where a copy of a device goes.
///
/// It has a name of its own until `finish`, so that nothing half-written ever bears the right one.
public struct SectorFile: ~Copyable, Sendable {
    private let path: String
    private var partPath: String { path + ".part" }
    private let file: OwnedDescriptor
    private var isFinished = false

    /// Makes the file. Throws if it cannot be made.
    public init(creating path: String) throws(StorageError) {
        self.path = path
        do throws(SystemFailure) {
            file = try OwnedDescriptor(opening: path + ".part", flags: O_RDWR | O_CREAT | O_TRUNC)
        } catch {
            throw StorageError("cannot make \(path)", errorNumber: error.errorNumber)
        }
    }

    /// Writes bytes at their place.
    public func write(_ bytes: [UInt8], at byteOffset: UInt64) throws(StorageError) {
        var done = 0
        while done < bytes.count {
            // Safe: within the array, which is private.
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe pwrite(
                    file.rawValue, buffer.baseAddress.map { unsafe $0 + done }, bytes.count - done,
                    off_t(byteOffset) + off_t(done))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                throw StorageError("cannot write \(path)", errorNumber: .current)
            }
            done += count
        }
    }

    /// Gives the file its name, now that it is complete. Blocks until its bytes are durable.
    public consuming func finish() throws(StorageError) {
        guard fsync(file.rawValue) == 0 else {
            throw StorageError("cannot write \(path)", errorNumber: .current)
        }
        guard unsafe rename(partPath, path) == 0 else {
            throw StorageError("cannot name \(path)", errorNumber: .current)
        }
        isFinished = true
    }

    deinit {
        if !isFinished { _ = unsafe unlink(path + ".part") }
    }
}
