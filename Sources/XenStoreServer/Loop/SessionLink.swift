import XenStoreWire
import XenSystem

/// Where a session's bytes come from and go to: a socket, or a guest's ring. Neither call blocks.
protocol SessionLink: AnyObject {
    /// Hands what has come to the parser, a bufferful at most, and says how many bytes; 0 when there is nothing now.
    func receive(
        _ parser: inout PacketParser, _ buffer: inout [UInt8]
    ) throws(LinkFailure) -> Int

    /// Takes what fits now of `bytes` from `offset`, and says how many.
    func send(_ bytes: [UInt8], from offset: Int) throws(LinkFailure) -> Int
}

/// Why no more bytes go either way.
enum LinkFailure: Error {
    /// The other end has gone.
    case ended
    /// More waits for the other end than may, or for too long.
    case notRead
    /// The other end broke its ring or the protocol, or the event channel does not work.
    case broken(RingFault, String)
}

/// A connected socket.
final class SocketLink: SessionLink {
    private let shared: SharedDescriptor

    init(_ shared: SharedDescriptor) { self.shared = shared }

    var descriptor: Int32 { shared.owned.rawValue }

    func receive(
        _ parser: inout PacketParser, _ buffer: inout [UInt8]
    ) throws(LinkFailure) -> Int {
        let count: Int?
        do { count = try shared.owned.receiveAvailable(into: &buffer) } catch { throw .ended }
        guard let count else { return 0 }
        guard count > 0 else { throw .ended }
        parser.append(buffer[..<count])
        return count
    }

    func send(_ bytes: [UInt8], from offset: Int) throws(LinkFailure) -> Int {
        do { return try shared.owned.sendAvailable(bytes, from: offset) ?? 0 } catch {
            throw .ended
        }
    }
}

/// A descriptor on its way from the thread that opened it to the loop.
final class SharedDescriptor: Sendable {
    let owned: OwnedDescriptor

    init(_ owned: consuming OwnedDescriptor) { self.owned = owned }
}
