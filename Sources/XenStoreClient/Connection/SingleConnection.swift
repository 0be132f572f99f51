import Synchronization
import XenCore
import XenStoreWire

/// A transport that is there already, and is not followed by another.
final class SingleConnection: StoreConnector {
    private let transport: Mutex<(any ByteTransport)?>

    init(_ transport: any ByteTransport) { self.transport = Mutex(transport) }

    /// Throws `.unavailable` the second time.
    func connect(until deadline: Deadline) throws(StoreError) -> any ByteTransport {
        guard let transport = transport.withLock({ $0.take() }) else {
            throw StoreError(.unavailable, "this client was given one transport only")
        }
        return transport
    }
}
