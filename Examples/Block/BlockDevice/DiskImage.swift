import CSystem
public import XenCore
import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A disk image file as a backend's storage.
public final class DiskImage: BlockStorage {
    /// Where the image is.
    public let path: String
    public let sectorCount: UInt64
    public let isReadOnly: Bool
    private let file: OwnedDescriptor

    /// Opens an image file. Nothing is created or changed.
    ///
    /// Throws if the file is missing, may not be opened, is not a regular file, is empty, or has a size
    /// that is not a multiple of 512.
    public init(path: String, isReadOnly: Bool) throws(StorageError) {
        do throws(SystemFailure) {
            // Without waiting, should it be a FIFO.
            file = try OwnedDescriptor(
                opening: path, flags: O_NONBLOCK | (isReadOnly ? O_RDONLY : O_RDWR))
        } catch {
            throw StorageError(
                "cannot open the disk image \(path)", errorNumber: error.errorNumber)
        }
        var status = stat()
        // Safe: `status` is private and has the size that fstat fills.
        guard unsafe fstat(file.rawValue, &status) == 0 else {
            throw StorageError("cannot inspect \(path)", errorNumber: .current)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw StorageError("\(path) is not a regular file: a disk image is one")
        }
        guard status.st_size > 0 else {
            throw StorageError("the disk image \(path) is empty: give it a size first")
        }
        guard status.st_size % off_t(BlockSector.byteCount) == 0 else {
            throw StorageError(
                "the disk image \(path) has \(status.st_size) bytes, not a multiple of 512")
        }
        self.path = path
        self.isReadOnly = isReadOnly
        sectorCount = UInt64(status.st_size) / UInt64(BlockSector.byteCount)
    }

    public func read(at byteOffset: UInt64, into parts: [SharedMemory]) throws(StorageError) {
        // Safe: `transfer` hands on parts that stay mapped during the call.
        try unsafe transfer("read", at: byteOffset, parts) { vectors, count, offset in
            unsafe preadv(file.rawValue, vectors, count, offset)
        }
    }

    public func write(at byteOffset: UInt64, from parts: [SharedMemory]) throws(StorageError) {
        // Safe: as above.
        try unsafe transfer("write", at: byteOffset, parts) { vectors, count, offset in
            unsafe pwritev(file.rawValue, vectors, count, offset)
        }
    }

    public func flush() throws(StorageError) {
        guard fdatasync(file.rawValue) == 0 else {
            throw StorageError("cannot flush \(path)", errorNumber: .current)
        }
    }

    public func discard(at byteOffset: UInt64, byteCount: UInt64) throws(StorageError) {
        guard byteCount > 0 else { return }
        guard csystem_punch_hole(file.rawValue, off_t(byteOffset), off_t(byteCount)) == 0 else {
            throw StorageError("cannot discard in \(path)", errorNumber: .current)
        }
    }

    /// Moves all bytes of all parts, in as many calls as the kernel wants.
    private func transfer(
        _ verb: String, at byteOffset: UInt64, _ parts: [SharedMemory],
        _ call: (UnsafePointer<iovec>, Int32, off_t) -> Int
    ) throws(StorageError) {
        // Safe: each view stays mapped during the call, as `BlockStorage` says.
        var vectors = unsafe parts.map {
            unsafe iovec(iov_base: $0.baseAddress, iov_len: $0.byteCount)
        }
        var offset = off_t(byteOffset)
        while true {
            unsafe vectors.removeAll { unsafe $0.iov_len == 0 }
            if unsafe vectors.isEmpty { return }
            let moved = unsafe call(vectors, Int32(vectors.count), offset)
            if moved < 0 && errno == EINTR { continue }
            guard moved > 0 else {
                throw StorageError(
                    "cannot \(verb) \(path) at byte \(offset)",
                    errorNumber: moved < 0 ? .current : nil)
            }
            offset += off_t(moved)
            unsafe advance(&vectors, by: moved)
        }
    }

    private func advance(_ vectors: inout [iovec], by byteCount: Int) {
        var left = byteCount
        for index in unsafe vectors.indices where left > 0 {
            // Safe: stays within the part, which is as long as it says.
            let step = unsafe min(left, vectors[index].iov_len)
            unsafe vectors[index].iov_base += step
            unsafe vectors[index].iov_len -= step
            left -= step
        }
    }
}
