public import XenCore

/// The queues of a device, as its frontend publishes them and its backend reads them: the grant
/// references of their rings' pages, and their ports.
///
///     let queues = DeviceQueues([queue, queue], shape: .block, pageOrder: 1)
///     return queues.published                                  // the frontend's `prepare`
///
///     let queues = try DeviceQueues(                           // the backend's `connect`
///         published: published, shape: .block, within: limits)
///
/// With two queues or more their keys lie in `queue-0/`, `queue-1/` and so on, and
/// `multi-queue-num-queues` says how many; with one they lie in the device's directory. Rings of
/// several pages have `ring-ref0`, `ring-ref1` and so on, and `ring-page-order` says how many
/// (xen/include/public/io/blkif.h and netif.h).
public struct DeviceQueues: Hashable, Sendable {
    /// One queue.
    public struct Queue: Hashable, Sendable {
        /// The pages of each ring, in the order of the shape's keys.
        public let rings: [[GrantReference]]
        /// The ports, in the order of the shape's keys.
        public let ports: [EventPort]

        public init(rings: [[GrantReference]], ports: [EventPort]) {
            self.rings = rings
            self.ports = ports
        }
    }

    public let shape: QueueShape
    /// The pages of a ring as a power of two.
    public let pageOrder: Int
    /// At least one.
    public let queues: [Queue]

    /// What a frontend has made. Each ring has to have as many pages as `pageOrder` says.
    public init(_ queues: [Queue], shape: QueueShape, pageOrder: Int = 0) {
        precondition(!queues.isEmpty, "a device has a queue")
        precondition(pageOrder == 0 || shape.hasPageOrder, "these rings have one page")
        for queue in queues {
            let isComplete =
                queue.rings.count == shape.rings.count && queue.ports.count == shape.ports.count
                && queue.rings.allSatisfy { $0.count == 1 << pageOrder }
            precondition(isComplete, "a queue has other rings or ports than its shape")
        }
        self.shape = shape
        self.pageOrder = pageOrder
        self.queues = queues
    }

    /// The nodes for the frontend's directory.
    public var published: [String: String] {
        var nodes: [String: String] = [:]
        if queues.count > 1 { nodes["multi-queue-num-queues"] = "\(queues.count)" }
        if pageOrder > 0 { nodes["ring-page-order"] = "\(pageOrder)" }
        for (index, queue) in queues.enumerated() {
            let directory = shape.directory(of: index, queueCount: queues.count)
            for (name, references) in zip(shape.rings, queue.rings) {
                let keys = shape.ringKeys(name, pageOrder: pageOrder)
                for (key, reference) in zip(keys, references) {
                    nodes[directory + key] = "\(reference.rawValue)"
                }
            }
            for (name, port) in zip(shape.ports, queue.ports) {
                nodes[directory + name] = "\(port.rawValue)"
            }
        }
        return nodes
    }
}
