import BlockDevice
import Crypto
import Glibc
import XenSystem

/// The demo's files.
enum ImageFiles {
    /// Makes an image of random bytes.
    static func makeRandom(at path: String, byteCount: Int) throws {
        let file = try SectorFile(creating: path)
        var generator = SystemRandomNumberGenerator()
        // Random enough to be incompressible and unrepeated, and made in a moment.
        var word = generator.next()
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        var offset = 0
        while offset < byteCount {
            let count = min(chunk.count, byteCount - offset)
            for index in stride(from: 0, to: chunk.count, by: 8) {
                word = word &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let mixed = word ^ (word >> 29)
                for byte in 0..<8 {
                    chunk[index + byte] = UInt8(truncatingIfNeeded: mixed >> UInt64(8 * byte))
                }
            }
            try file.write(Array(chunk[..<count]), at: UInt64(offset))
            offset += count
        }
        try file.finish()
    }

    /// The SHA-256 of a file.
    static func sha256(of path: String) throws -> SHA256.Digest {
        let file = try OwnedDescriptor(opening: path, flags: O_RDONLY)
        var hash = SHA256()
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            // Safe: the kernel writes at most as many bytes as the array has.
            let count = unsafe chunk.withUnsafeMutableBytes {
                unsafe read(file.rawValue, $0.baseAddress, $0.count)
            }
            guard count >= 0 else { throw SystemFailure("read(\(path))") }
            if count == 0 { return hash.finalize() }
            hash.update(data: chunk[..<count])
        }
    }
}
