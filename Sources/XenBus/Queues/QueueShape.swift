/// What each queue of a kind of device has, by the names of its keys.
public struct QueueShape: Hashable, Sendable {
    /// The keys of its rings' grant references, without the number that a ring of several pages
    /// adds.
    public let rings: [String]
    /// The keys of its ports.
    public let ports: [String]
    /// Whether rings may have several pages (`ring-page-order`).
    public let hasPageOrder: Bool

    public init(rings: [String], ports: [String], hasPageOrder: Bool) {
        precondition(!rings.isEmpty && !ports.isEmpty, "a queue has a ring and a port")
        self.rings = rings
        self.ports = ports
        self.hasPageOrder = hasPageOrder
    }

    /// A block device's (xen/include/public/io/blkif.h).
    public static let block = QueueShape(
        rings: ["ring-ref"], ports: ["event-channel"], hasPageOrder: true)

    /// A network device's, with one port for both directions (xen/include/public/io/netif.h).
    public static let network = QueueShape(
        rings: ["tx-ring-ref", "rx-ring-ref"], ports: ["event-channel"], hasPageOrder: false)

    /// A network device's with `feature-split-event-channels`.
    public static let splitNetwork = QueueShape(
        rings: ["tx-ring-ref", "rx-ring-ref"], ports: ["event-channel-tx", "event-channel-rx"],
        hasPageOrder: false)

    /// Where the keys of a queue lie: for a device with one queue in its directory itself.
    func directory(of queue: Int, queueCount: Int) -> String {
        queueCount > 1 ? "queue-\(queue)/" : ""
    }

    /// The keys of a ring's pages.
    func ringKeys(_ name: String, pageOrder: Int) -> [String] {
        pageOrder == 0 ? [name] : (0..<1 << pageOrder).map { "\(name)\($0)" }
    }
}
