import XenCore
import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A file with pages in it.
struct PageFile: ~Copyable {
    private let path: String
    private let descriptor: OwnedDescriptor

    init(path: String) throws {
        self.path = path
        // A pipe without a writer would keep us waiting.
        descriptor = try OwnedDescriptor(opening: path, flags: O_RDONLY | O_NONBLOCK)
    }

    /// Reads exactly `count` bytes. The caller knows that `offset + count` is a number.
    func bytes(at offset: Int, count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = try read(into: &bytes, from: done, at: offset + done)
            if got == 0 {
                throw BadInput(
                    "\(path) ends too early: \(count) bytes from \(offset) were wanted, \(done) are there"
                )
            }
            done += got
        }
        return bytes
    }

    private func read(into bytes: inout [UInt8], from start: Int, at position: Int) throws -> Int {
        // Safe: from `start` to the array's end. No handler of ours interrupts it.
        let got = unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe pread(
                descriptor.rawValue, buffer.baseAddress.map { unsafe $0 + start },
                buffer.count - start, position)
        }
        guard got >= 0 else { throw SystemFailure("read(\(path))") }
        return got
    }
}
