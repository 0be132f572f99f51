/// How many queues a device may have, and how large their rings may be: what a backend offers, or
/// an end can do.
///
/// The corresponding keys are `multi-queue-max-queues` and `max-ring-page-order` in the backend's
/// directory (xen/include/public/io/blkif.h and netif.h).
public struct QueueLimits: Hashable, Sendable {
    /// The most queues: 1 to 256.
    public let queueCount: Int
    /// The most pages of a ring as a power of two: 0 for one page, to 9 for 512.
    public let pageOrder: Int

    /// What every end can do: one queue, and rings of one page.
    public static let one = QueueLimits(queueCount: 1, pageOrder: 0)

    public init(queueCount: Int, pageOrder: Int) {
        precondition((1...256).contains(queueCount), "1 to 256 queues")
        precondition((0...9).contains(pageOrder), "rings of 2^0 to 2^9 pages")
        self.queueCount = queueCount
        self.pageOrder = pageOrder
    }

    /// The nodes with which a backend offers this, before it goes to InitWait.
    public var published: [String: String] {
        ["multi-queue-max-queues": "\(queueCount)", "max-ring-page-order": "\(pageOrder)"]
    }

    /// The nodes that a frontend wants to see for `init(published:within:)`.
    public static let keys = ["multi-queue-max-queues", "max-ring-page-order"]

    /// What both ends can do, from what the backend has published. Missing nodes mean one.
    ///
    /// Throws `.badPeer` for what is no number, and for no queues at all; numbers that are too
    /// large for us are no fault.
    public init(published: [String: String], within own: QueueLimits) throws(BusError) {
        let queues = try published.number("multi-queue-max-queues") ?? 1
        guard queues > 0 else {
            throw BusError(.badPeer, "the backend's multi-queue-max-queues is 0: it serves nobody")
        }
        let order = try published.number("max-ring-page-order") ?? 0
        queueCount = Int(min(queues, UInt32(own.queueCount)))
        pageOrder = Int(min(order, UInt32(own.pageOrder)))
    }
}

extension [String: String] {
    /// A number that the peer has published; nil if it has not. Throws `.badPeer` for any other
    /// text.
    func number(_ key: String) throws(BusError) -> UInt32? {
        guard let text = self[key] else { return nil }
        // `UInt32` takes a sign, which no number in the store has.
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt32(text) else {
            throw BusError(.badPeer, "the peer's \(key) is \"\(text.prefix(40))\", not a number")
        }
        return number
    }

    /// A number that has to be there.
    func requiredNumber(_ key: String) throws(BusError) -> UInt32 {
        guard let number = try number(key) else {
            throw BusError(.badPeer, "the peer has not published \(key)")
        }
        return number
    }
}
