import XenCore

extension DeviceQueues {
    /// All nodes of a frontend's directory that can count within these limits: for `frontendKeys`.
    public static func keys(shape: QueueShape, within limits: QueueLimits) -> [String] {
        let counts = ["multi-queue-num-queues"] + (shape.hasPageOrder ? ["ring-page-order"] : [])
        let pageCount = shape.hasPageOrder && limits.pageOrder > 0 ? 1 << limits.pageOrder : 1
        let numbered = shape.hasPageOrder ? (0..<pageCount).map { "\($0)" } : []
        let names = shape.rings.flatMap { ring in ([""] + numbered).map { ring + $0 } }
        let directories =
            limits.queueCount > 1 ? (0..<limits.queueCount).map { "queue-\($0)/" } : []
        return counts
            + ([""] + directories).flatMap { directory in
                (names + shape.ports).map { directory + $0 }
            }
    }

    /// Reads what a frontend has published.
    ///
    /// Throws `.badPeer` for more queues or pages than `limits` (which were offered to it), none at
    /// all, missing nodes, what is no number, and a page or port that is named twice.
    public init(
        published: [String: String], shape: QueueShape, within limits: QueueLimits
    ) throws(BusError) {
        let queueCount = try published.number("multi-queue-num-queues") ?? 1
        guard queueCount >= 1 && queueCount <= UInt32(limits.queueCount) else {
            throw BusError(
                .badPeer,
                "the frontend wants \(queueCount) queues, of 1 to \(limits.queueCount)")
        }
        let order = shape.hasPageOrder ? try published.number("ring-page-order") : nil
        guard order ?? 0 <= UInt32(limits.pageOrder) else {
            throw BusError(
                .badPeer,
                "the frontend's rings have 2^\(order ?? 0) pages, of 2^\(limits.pageOrder) at most")
        }
        self.shape = shape
        pageOrder = Int(order ?? 0)
        var found: [Queue] = []
        for index in 0..<Int(queueCount) {
            let directory = shape.directory(of: index, queueCount: Int(queueCount))
            found.append(try Self.queue(in: directory, of: published, shape, order))
        }
        queues = found
        try requireDistinct()
    }

    private static func queue(
        in directory: String, of published: [String: String], _ shape: QueueShape,
        _ order: UInt32?
    ) throws(BusError) -> Queue {
        var rings: [[GrantReference]] = []
        for name in shape.rings {
            var references: [GrantReference] = []
            for var key in shape.ringKeys(directory + name, pageOrder: Int(order ?? 0)) {
                // A frontend that spells the order of one page out may number that page, too.
                if order == 0, published[key] == nil { key += "0" }
                references.append(GrantReference(try published.requiredNumber(key)))
            }
            rings.append(references)
        }
        var ports: [EventPort] = []
        for name in shape.ports {
            ports.append(EventPort(try published.requiredNumber(directory + name)))
        }
        return Queue(rings: rings, ports: ports)
    }

    /// Two rings in one page, or two queues behind one port, can only end badly.
    private func requireDistinct() throws(BusError) {
        var (references, ports) = (Set<GrantReference>(), Set<EventPort>())
        for queue in queues {
            for reference in queue.rings.joined() where !references.insert(reference).inserted {
                throw BusError(.badPeer, "the frontend has published \(reference) twice")
            }
            for port in queue.ports where !ports.insert(port).inserted {
                throw BusError(.badPeer, "the frontend has published \(port) twice")
            }
        }
    }
}
