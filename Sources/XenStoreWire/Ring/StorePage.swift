import Synchronization
public import XenCore

/// A domain's store page, beside its two byte rings: what client and server tell each other about the connection.
///
/// Each access is one aligned 32-bit atomic, so that nobody sees half a word. Whatever is read here the other side
/// wrote: it is copied once, and unknown values are kept.
///
/// The corresponding Xen type is `struct xenstore_domain_interface` (xen/include/public/io/xs_wire.h; the fields'
/// meaning: docs/misc/xenstore-ring.txt). Debian 12's header lacks the last field.
@safe
public struct StorePage: @unchecked Sendable {
    // Invariant: a whole page that its maker keeps mapped, at an address that is a multiple of 4.
    private let base: UnsafeMutableRawPointer

    /// The page itself, for `ByteRingEnd.xenstoreClient` and `.xenstoreServer`.
    public let memory: SharedMemory

    /// The grant by which every domain lends its page to the server (`GNTTAB_RESERVED_XENSTORE`).
    public static let reference = GrantReference(1)

    /// - Parameter memory: the page, which stays mapped for as long as this and its copies are used.
    public init(_ memory: SharedMemory) {
        precondition(memory.byteCount >= Page.byteCount, "a store page is a whole page")
        unsafe base = unsafe memory.baseAddress
        precondition(UInt(bitPattern: unsafe base) % 4 == 0, "a store page's words are aligned")
        self.memory = memory
    }

    /// What the server offers. The server sets it before the guest sees the ring.
    public var features: ServerFeatures {
        get { ServerFeatures(rawValue: load(.features)) }
        nonmutating set { store(newValue.rawValue, in: .features) }
    }

    /// Whether the ring is in use. Only the client may write `.reconnecting`, and only the server `.connected`.
    ///
    /// While it is not connected nothing else in the page means anything to the client.
    public var connection: RingConnection {
        get { RingConnection(rawValue: load(.connection)) }
        nonmutating set { store(newValue.rawValue, in: .connection) }
    }

    /// Why the server has stopped serving the ring, if it has. Only the server writes it.
    public var fault: RingFault {
        get { RingFault(rawValue: load(.error)) }
        nonmutating set { store(newValue.rawValue, in: .error) }
    }

    /// The domain's port, which Xen fills in for domains that it starts itself. Nil where it has not.
    public var port: EventPort? {
        let number = load(.port)
        return number == 0 ? nil : EventPort(number)
    }

    /// Empties both rings. The server's to do, while the client does not look at them.
    public func emptyRings() {
        for index in Field.indices { store(0, in: index) }
    }

    /// A word of the page, by its offset.
    private enum Field: Int {
        case requestConsumer = 2048
        case requestProducer = 2052
        case responseConsumer = 2056
        case responseProducer = 2060
        case features = 2064
        case connection = 2068
        case error = 2072
        case port = 2076

        static let indices = [
            requestConsumer, requestProducer, responseConsumer, responseProducer,
        ]
    }

    private func load(_ field: Field) -> UInt32 {
        // Sequentially consistent: an acquire whose partner is the other side's `store`, and ordered after our own.
        unsafe word(field).pointee.load(ordering: .sequentiallyConsistent)
    }

    private func store(_ value: UInt32, in field: Field) {
        // A release and a full fence: what was written before, such as the emptied rings, is seen by whoever sees this.
        unsafe word(field).pointee.store(value, ordering: .sequentiallyConsistent)
    }

    @unsafe
    private func word(_ field: Field) -> UnsafeMutablePointer<Atomic<UInt32>> {
        // Safe: every field lies within the page, at a multiple of 4.
        unsafe (base + field.rawValue).assumingMemoryBound(to: Atomic<UInt32>.self)
    }
}

/// Whether a ring is in use (`XENSTORE_CONNECTED`, `XENSTORE_RECONNECT`). Means something only where the server
/// offers `ServerFeatures.reconnection`.
public struct RingConnection: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The steady state.
    public static let connected = RingConnection(rawValue: 0)
    /// The client has asked for a new connection, and waits until the server has made it.
    public static let reconnecting = RingConnection(rawValue: 1)
}

/// Why a server has stopped serving a ring (`XENSTORE_ERROR_...`): for a person to read. New values may be added.
/// Means something only where the server offers `ServerFeatures.error`.
public struct RingFault: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The ring is served.
    public static let none = RingFault(rawValue: 0)
    /// The client does not read, or the event channel does not work.
    public static let communication = RingFault(rawValue: 1)
    /// The client's index offers more bytes than there can be.
    public static let index = RingFault(rawValue: 2)
    /// The client sent what cannot be followed, such as a packet that is too long.
    public static let protocolViolation = RingFault(rawValue: 3)
}

extension RingFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .none: "no error"
        case .communication: "communication problem"
        case .index: "impossible index"
        case .protocolViolation: "protocol violation"
        default: "error \(rawValue)"
        }
    }
}
