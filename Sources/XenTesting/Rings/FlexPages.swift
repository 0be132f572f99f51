import XenCore
import XenGrant
import XenRing

/// The left half's interface page and data pages.
struct OfferedFlexRings: ~Copyable {
    private let interface: FlexInterface
    private let page: OfferedRing
    private let data: GrantShare

    /// Makes the rings, and tells the right half.
    init(
        _ half: RingHalf, _ kind: FlexInterface.Kind, order: Int, at start: RingIndex = RingIndex(0)
    ) throws {
        let page = try OfferedRing(half, pageCount: 1)
        let data = try half.party.grants.share(pageCount: 1 << order, with: half.peer)
        // Safe: the rings are not used any more when their pages are closed.
        let interface = unsafe FlexInterface(
            initializing: page.memory, as: kind, references: data.references, at: start)
        try page.announce()
        self.interface = interface
        self.page = page
        self.data = data
    }

    var bell: RingBell { page.bell }

    /// The interface page's bytes.
    var bytes: [UInt8] { page.bytes }

    func end() -> ByteRingEnd {
        // Safe: as above.
        unsafe interface.front(over: data.memory)
    }

    func sayGoodbye() throws { try page.sayGoodbye() }

    consuming func close() throws {
        try page.close()
        try data.close()
    }
}

/// The same pages as the right half has them.
struct AttachedFlexRings: ~Copyable {
    private let interface: FlexInterface
    private let page: AttachedRing
    private let data: GrantMapping

    init(_ half: RingHalf, _ kind: FlexInterface.Kind) throws {
        let page = try AttachedRing(half)
        // Safe: the rings are not used any more when their pages are closed.
        let interface = try unsafe FlexInterface(attachingTo: page.memory, as: kind)
        data = try half.party.grants.map(interface.references, of: half.peer)
        self.page = page
        self.interface = interface
    }

    var bell: RingBell { page.bell }

    /// The interface page's bytes.
    var bytes: [UInt8] { page.bytes }

    func end() -> ByteRingEnd {
        // Safe: as above.
        unsafe interface.back(over: data.memory)
    }

    consuming func close() throws {
        try data.close()
        try page.close()
    }
}

extension FlexInterface.Kind {
    /// What the inspection calls it.
    var ringKind: RingKind { hasErrors ? .pvCalls : .ninePFS }
}
