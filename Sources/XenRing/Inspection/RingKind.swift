/// What lies in a ring's pages, as far as `RingInspection` has to know it. New kinds may be added.
public struct RingKind: Hashable, Sendable, CustomStringConvertible {
    /// How the memory is laid out.
    enum Layout: Hashable, Sendable {
        /// `struct <name>_sring` of xen/io/ring.h with slots of this size in bytes.
        case slots(byteCount: Int)
        /// A page with one ring of bytes each way, and what may follow them.
        case bytes(BytePageLayout)
    }

    let layout: Layout

    /// The name that the command-line tool takes.
    public let description: String

    private init(_ name: String, _ layout: Layout) {
        description = name
        self.layout = layout
    }

    /// A block device's ring, with the slots of a 64-bit guest (xen/io/blkif.h).
    public static let block = RingKind("blk", .slots(byteCount: 112))

    /// What a guest's network interface transmits (xen/io/netif.h).
    public static let networkTransmit = RingKind("net-tx", .slots(byteCount: 12))

    /// What a guest's network interface receives (xen/io/netif.h).
    public static let networkReceive = RingKind("net-rx", .slots(byteCount: 8))

    /// The page of a domain's xenstore connection (xen/io/xs_wire.h).
    public static let xenstore = RingKind("xenstore", .bytes(.xenstore))

    /// The page of a domain's console (xen/io/console.h).
    public static let console = RingKind("console", .bytes(.console))

    /// Any ring of requests and responses.
    ///
    /// - Parameters:
    ///   - slotByteCount: the size of the union of both messages in bytes; at least 1.
    ///   - name: what the report calls it.
    public static func messages(slotByteCount: Int, name: String = "ring") -> RingKind {
        precondition(slotByteCount >= 1, "a slot has at least one byte")
        return RingKind(name, .slots(byteCount: slotByteCount))
    }

    /// The kinds that have a name and a fixed layout.
    public static let named: [RingKind] = [
        block, networkTransmit, networkReceive, console, xenstore,
    ]

    /// The size of a slot in bytes; nil for a ring of bytes.
    public var slotByteCount: Int? {
        if case .slots(let byteCount) = layout { byteCount } else { nil }
    }
}

/// Where the byte rings of a page lie, in bytes from its start.
struct BytePageLayout: Hashable, Sendable {
    /// One direction: its bytes, and its consumer index with the producer index after it.
    struct Direction: Hashable, Sendable {
        let name: String
        let producer: String
        let consumer: String
        let dataOffset: Int
        let byteCount: UInt32
        let indexOffset: Int
    }

    let directions: [Direction]

    /// Where the features, the connection's state and the error stand; nil if the page has none.
    let statusOffset: Int?

    /// The bytes that have to be there.
    var byteCount: Int {
        (directions.map { $0.indexOffset + 8 } + [statusOffset.map { $0 + 12 } ?? 0]).max() ?? 0
    }

    /// `struct xenstore_domain_interface` of xen/io/xs_wire.h.
    static let xenstore = BytePageLayout(
        directions: [
            Direction(
                name: "requests", producer: "the client", consumer: "the server",
                dataOffset: 0, byteCount: 1024, indexOffset: 2048),
            Direction(
                name: "responses", producer: "the server", consumer: "the client",
                dataOffset: 1024, byteCount: 1024, indexOffset: 2056),
        ],
        statusOffset: 2064)

    /// `struct xencons_interface` of xen/io/console.h.
    static let console = BytePageLayout(
        directions: [
            Direction(
                name: "input", producer: "the console", consumer: "the guest",
                dataOffset: 0, byteCount: 1024, indexOffset: 3072),
            Direction(
                name: "output", producer: "the guest", consumer: "the console",
                dataOffset: 1024, byteCount: 2048, indexOffset: 3080),
        ],
        statusOffset: nil)
}
