import XenCore
import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Bytes from standard input or a file: a value, or a transaction's script.
enum Input {
    /// The most that is read: far more than a server would take.
    static let byteCountLimit = 16 << 20

    static func standardInput() throws(ToolFailure) -> [UInt8] {
        try bytes(of: 0, "standard input")
    }

    static func file(_ path: String) throws(ToolFailure) -> [UInt8] {
        let descriptor: OwnedDescriptor
        do { descriptor = try OwnedDescriptor(opening: path, flags: O_RDONLY) } catch {
            throw ToolFailure(.noScript, "cannot open \(path): \(error.errorNumber)")
        }
        return try bytes(of: descriptor.rawValue, path)
    }

    private static func bytes(of descriptor: Int32, _ name: String) throws(ToolFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        while true {
            // Safe: the kernel writes within the buffer's own count.
            let count = unsafe read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            guard count > 0 else {
                let failure = SystemFailure("read")
                if failure.errorNumber == .interrupted { continue }
                throw ToolFailure(.inputOutput, "cannot read \(name): \(failure.errorNumber)")
            }
            bytes += buffer[..<count]
            guard bytes.count <= byteCountLimit else {
                throw ToolFailure(.badScript, "\(name) has over \(byteCountLimit >> 20) MiB")
            }
        }
    }
}
