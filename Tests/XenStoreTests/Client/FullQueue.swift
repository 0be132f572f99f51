import Testing
import XenCore
import XenStoreWire
import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A listening socket that lets one connection wait to be taken, or two, as the kernel counts.
final class FullQueue {
    private let socket: TemporarySocket
    private let listener: OwnedDescriptor
    /// Connections of the test's own, which wait before any client's.
    private var fillers: [Int32] = []

    var path: String { socket.path }

    init() throws {
        socket = try TemporarySocket()
        listener = try UnixSocket.listen(at: socket.path)
        #expect(listen(listener.rawValue, 0) == 0)
    }

    deinit { for filler in fillers { _ = close(filler) } }

    /// Connects until nobody else can.
    func fill() throws {
        while true {
            do throws(SystemFailure) {
                fillers.append(try UnixSocket.connect(to: path).relinquish())
            } catch {
                return #expect(error.errorNumber == .again && !fillers.isEmpty)
            }
        }
    }

    /// Takes the test's own connections, so that there is room.
    func drain() throws {
        for filler in fillers {
            _ = try UnixSocket.accept(from: listener)
            _ = close(filler)
        }
        fillers = []
    }

    /// Blocks until there is a connection, and takes it.
    func accept() throws -> ScriptedServer {
        try waitUntilReadable(listener.rawValue, until: .after(.seconds(20)))
        return ScriptedServer(
            try SocketTransport(try UnixSocket.accept(from: listener), name: "a test"))
    }
}
