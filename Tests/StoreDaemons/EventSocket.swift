import XenCore
import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A datagram socket that stands in for event channels: a datagram is an event, its four bytes the receiver's port.
final class EventSocket: Sendable {
    private let descriptor: OwnedDescriptor
    private let path: String

    init(at path: String) throws(SystemFailure) {
        descriptor = try Self.bound(to: path)
        self.path = path
    }

    private static func bound(to path: String) throws(SystemFailure) -> OwnedDescriptor {
        let raw = socket(
            AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard raw >= 0 else { throw SystemFailure("socket") }
        _ = unsafe unlink(path)
        let result = unsafe withAddress(of: path) { address, count in
            // Safe: a whole address of `count` bytes, read within the call.
            unsafe bind(raw, address, count)
        }
        let descriptor = OwnedDescriptor(adopting: raw)
        guard result == 0 else { throw SystemFailure("bind(\(path))") }
        return descriptor
    }

    deinit { _ = unsafe unlink(path) }

    /// Readable while events wait.
    var rawDescriptor: Int32 { descriptor.rawValue }

    /// An event that the receiver has no room for is one of many, and not missed.
    func send(port: UInt32, to receiver: String) throws(SystemFailure) {
        var port = port
        let result = unsafe Self.withAddress(of: receiver) { address, count in
            // Safe: four private bytes and a whole address, read within the call.
            unsafe sendto(descriptor.rawValue, &port, 4, 0, address, count)
        }
        guard result >= 0 || ErrorNumber.current == .again else {
            throw SystemFailure("sendto(\(receiver))")
        }
    }

    /// Takes the events that wait. Events that come together are one.
    func drain() {
        var port: UInt32 = 0
        // Safe: four private bytes.
        while unsafe recv(descriptor.rawValue, &port, 4, 0) >= 0 {}
    }

    private static func withAddress<Result>(
        of path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // Safe: no more bytes than the field has, of which the last stays 0.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { field in
            precondition(path.utf8.count < field.count, "a socket's path is short")
            unsafe field.copyBytes(from: path.utf8)
        }
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
