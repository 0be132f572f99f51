import BlockDevice
import XenCore
import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The demo's files.
enum ImageFiles {
    /// Makes an image of random bytes.
    static func makeRandom(at path: String, byteCount: Int) throws {
        let file = try SectorFile(creating: path)
        // Incompressible and unrepeated, and made in a moment.
        var random = SplitMix(seed: .random(in: 0 ... .max))
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        var offset = 0
        while offset < byteCount {
            let count = min(chunk.count, byteCount - offset)
            for index in stride(from: 0, to: chunk.count, by: 8) {
                let word = random.next()
                for byte in 0..<8 {
                    chunk[index + byte] = UInt8(truncatingIfNeeded: word >> UInt64(8 * byte))
                }
            }
            try file.write(Array(chunk[..<count]), at: UInt64(offset))
            offset += count
        }
        try file.finish()
    }

    /// The SHA-256 of a file in hexadecimal, by the system's own `sha256sum`.
    static func sha256(of path: String) throws -> String {
        let quoted =
            "'"
            + path.split(separator: "'", omittingEmptySubsequences: false)
            .joined(separator: "'\\''") + "'"
        // Safe: the pipe is closed once, below, and each line is copied out of a private buffer.
        guard let pipe = unsafe popen("sha256sum < " + quoted, "r") else {
            throw SystemFailure("popen(sha256sum)")
        }
        var line = [CChar](repeating: 0, count: 128)
        let wasRead = unsafe fgets(&line, Int32(line.count), pipe) != nil
        guard unsafe pclose(pipe) == 0, wasRead else {
            throw DemoFailure("sha256sum failed on \(path); it is in Debian's package coreutils")
        }
        return String(decoding: line.prefix(64).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
