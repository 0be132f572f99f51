public import XenCore

/// The page with the indices of two byte rings, `in` and `out`, and the references of the pages that hold their
/// bytes: `DEFINE_XEN_FLEX_RING` as 9pfs and pvcalls use it.
///
/// The front makes it, the back attaches to it; each then makes its end over the data pages, which are a memory of
/// their own:
///
///     let interface = FlexInterface(initializing: page, as: .ninePFS, references: data.references)   // front
///     var end = interface.front(over: data.memory)
///
///     let interface = try FlexInterface(attachingTo: page, as: .ninePFS)                             // back
///     var end = interface.back(over: map(interface.references).memory)
///
/// The corresponding Xen types are `struct <name>_data_intf` and `struct pvcalls_data_intf`
/// (xen/include/public/io/ring.h, 9pfs.h, pvcalls.h). Nothing here blocks.
public struct FlexInterface: Sendable {
    /// Whose protocol it is. New kinds may be added.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// Whether the back tells in the page with what it ended a direction (`in_error`, `out_error`).
        public let hasErrors: Bool

        /// The 9pfs transport (xen/include/public/io/9pfs.h).
        public static let ninePFS = Kind(description: "9pfs", hasErrors: false)

        /// The data rings of a pvcalls socket (xen/include/public/io/pvcalls.h).
        public static let pvCalls = Kind(description: "pvcalls", hasErrors: true)
    }

    /// The orders that the protocols allow: 2 to 512 data pages.
    public static let orders = 1...9

    public let kind: Kind

    /// The binary logarithm of the number of data pages, half of which are each direction's.
    public let order: Int

    /// The data pages, in order: 2 to the power of `order` of them.
    public let references: [GrantReference]

    private let page: SharedMemory

    private static let orderOffset = 128
    private static let referencesOffset = 132

    /// Makes two empty rings, as the front does: zeroes the page, then writes order and references.
    ///
    /// - Parameters:
    ///   - page: a page that stays mapped for as long as the rings are used.
    ///   - references: of 2, 4, 8 ... 512 data pages, in order.
    public init(
        initializing page: SharedMemory, as kind: Kind, references: [GrantReference]
    ) {
        self.init(initializing: page, as: kind, references: references, at: RingIndex(0))
    }

    /// Two empty rings whose indices begin at `index`.
    package init(
        initializing page: SharedMemory, as kind: Kind, references: [GrantReference],
        at index: RingIndex
    ) {
        let order = references.count.trailingZeroBitCount
        precondition(
            Self.orders.contains(order) && references.count == 1 << order,
            "a ring has 2, 4, 8 ... 512 data pages")
        precondition(page.byteCount >= Page.byteCount, "the indices take a page")
        page.zero()
        for offset in [0, 4, 64, 68] { page.store(word: index.rawValue, at: offset) }
        page.store(word: UInt32(order), at: Self.orderOffset)
        for (number, reference) in references.enumerated() {
            page.store(word: reference.rawValue, at: Self.referencesOffset + 4 * number)
        }
        (self.kind, self.order, self.references, self.page) = (kind, order, references, page)
    }

    /// Copies order and references out of the front's page, once, and believes them only if they can be.
    ///
    /// What the front writes there later has no effect. Two equal references are the front's own
    /// loss: its bytes then overwrite each other.
    ///
    /// Throws `.impossibleOrder` when the order is not one of `orders`, or larger than `largestOrder`.
    ///
    /// - Parameters:
    ///   - page: the front's, which stays mapped for as long as the rings are used.
    ///   - largestOrder: what the back offered as `max-ring-page-order`.
    public init(
        attachingTo page: SharedMemory, as kind: Kind, largestOrder: Int = 9
    ) throws(FlexInterfaceError) {
        precondition(Self.orders.contains(largestOrder), "the protocols allow the orders 1 to 9")
        precondition(page.byteCount >= Page.byteCount, "the indices take a page")
        let order = page.word(at: Self.orderOffset)
        guard order >= 1, order <= UInt32(largestOrder) else {
            throw .impossibleOrder(order, largest: largestOrder, kind)
        }
        let bytes = page.bytes(at: Self.referencesOffset, count: 4 << order)
        self.kind = kind
        self.order = Int(order)
        references = (0..<1 << order).map { GrantReference(bytes.word(at: 4 * $0)) }
        self.page = page
    }

    /// The bytes of all data pages.
    public var dataByteCount: Int { Page.byteCount << order }

    /// The front's end: it writes `out` and reads `in`.
    ///
    /// - Parameters:
    ///   - data: the data pages, in order, contiguous; they stay mapped for as long as the end is used.
    ///   - peerWaits: `.forAny` only if the back is known to take what it finds and to look again.
    public func front(
        over data: SharedMemory, peerWaits: ByteRing.PeerWaits = .forEnough
    ) -> ByteRingEnd {
        ByteRingEnd(
            writing: out(over: data, peerWaits), reading: `in`(over: data, peerWaits))
    }

    /// The back's end: it reads `out` and writes `in`.
    public func back(
        over data: SharedMemory, peerWaits: ByteRing.PeerWaits = .forEnough
    ) -> ByteRingEnd {
        ByteRingEnd(
            writing: `in`(over: data, peerWaits), reading: out(over: data, peerWaits))
    }

    private func out(over data: SharedMemory, _ peerWaits: ByteRing.PeerWaits) -> ByteRing {
        ByteRing(
            .request, at: .flexOut(order: order, hasError: kind.hasErrors), indices: page,
            data: data, peerWaits: peerWaits)
    }

    private func `in`(over data: SharedMemory, _ peerWaits: ByteRing.PeerWaits) -> ByteRing {
        ByteRing(
            .response, at: .flexIn(order: order, hasError: kind.hasErrors), indices: page,
            data: data, peerWaits: peerWaits)
    }
}

extension SharedMemory {
    /// A 32-bit number, copied out once.
    fileprivate func word(at offset: Int) -> UInt32 { bytes(at: offset, count: 4).word(at: 0) }

    fileprivate func store(word: UInt32, at offset: Int) {
        // Safe: the bytes of a private number. Rings are little-endian, as x86 and Arm are.
        unsafe withUnsafeBytes(of: word.littleEndian) { unsafe store($0, at: offset) }
    }
}
