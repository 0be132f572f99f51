/// What lies in a ring's pages, as far as `RingInspection` has to know it. New kinds may be added.
public struct RingKind: Hashable, Sendable, CustomStringConvertible {
    /// How the memory is laid out.
    enum Layout: Hashable, Sendable {
        /// `struct <name>_sring` of xen/io/ring.h with slots of this size in bytes.
        case slots(byteCount: Int)
        /// A page with one ring of bytes each way, and what may follow them.
        case bytes(BytePageLayout)
        /// A page with the indices of two rings of bytes whose data lie in other pages.
        case flex(FlexInterface.Kind)
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

    /// The interface page of a 9pfs connection (xen/io/9pfs.h). Its data pages are not needed.
    public static let ninePFS = RingKind("9pfs", .flex(.ninePFS))

    /// The interface page of a pvcalls socket (xen/io/pvcalls.h). Its data pages are not needed.
    public static let pvCalls = RingKind("pvcalls", .flex(.pvCalls))

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
        block, networkTransmit, networkReceive, console, xenstore, ninePFS, pvCalls,
    ]

    /// The size of a slot in bytes; nil for a ring of bytes.
    public var slotByteCount: Int? {
        if case .slots(let byteCount) = layout { byteCount } else { nil }
    }
}

/// Where the byte rings of a page lie, in bytes from its start.
struct BytePageLayout: Hashable, Sendable {
    /// One direction, and who its ends are.
    struct Direction: Hashable, Sendable {
        let name: String
        let producer: String
        let consumer: String
        let place: BytePlace
        /// Whether its bytes lie in pages of their own.
        var isInDataPages = false
    }

    let directions: [Direction]

    /// Where the features, the connection's state and the error stand; nil if the page has none.
    let statusOffset: Int?

    /// The bytes that have to be there.
    var byteCount: Int {
        (directions.map { $0.place.indexOffset + 8 } + [statusOffset.map { $0 + 12 } ?? 0]).max()
            ?? 0
    }

    /// `struct xenstore_domain_interface` of xen/io/xs_wire.h.
    static let xenstore = BytePageLayout(
        directions: [
            Direction(
                name: "requests", producer: "the client", consumer: "the server",
                place: .xenstoreRequests),
            Direction(
                name: "responses", producer: "the server", consumer: "the client",
                place: .xenstoreResponses),
        ],
        statusOffset: 2064)

    /// `struct xencons_interface` of xen/io/console.h.
    static let console = BytePageLayout(
        directions: [
            Direction(
                name: "input", producer: "the console", consumer: "the guest",
                place: .consoleInput),
            Direction(
                name: "output", producer: "the guest", consumer: "the console",
                place: .consoleOutput),
        ],
        statusOffset: nil)
}
