internal import XenCore

/// Which of a device's queues takes a request.
///
/// Requests that may overtake each other, as a block device's, go to the queue with the least to
/// do; those of one flow, as a network connection's packets, always to the same one, so that they
/// stay in order.
public struct QueueChoice: Hashable, Sendable {
    /// At least 1.
    public let queueCount: Int
    /// Where the next search begins, so that queues with equal loads take turns.
    private var next = 0

    public init(queueCount: Int) {
        precondition(queueCount >= 1, "a device has a queue")
        self.queueCount = queueCount
    }

    /// The queue with the least load, which in turn are all those that have it.
    ///
    /// - Parameter load: what a queue has to do, in any unit, for example the requests in flight;
    ///   nil for one that takes no more. It is asked once for each queue.
    /// - Returns: nil if no queue takes more.
    public mutating func leastLoaded(_ load: (Int) -> Int?) -> Int? {
        var best: (queue: Int, load: Int)?
        for offset in 0..<queueCount {
            let queue = (next + offset) % queueCount
            guard let load = load(queue) else { continue }
            if let best, best.load <= load { continue }
            best = (queue, load)
        }
        if let best { next = (best.queue + 1) % queueCount }
        return best?.queue
    }

    /// The queue of a flow: the same for the same name and number of queues, in every process and
    /// on every machine.
    ///
    /// - Parameter flow: names the flow, for example a hash of its addresses and ports. Any numbers
    ///   spread evenly.
    public func queue(forFlow flow: UInt64) -> Int {
        // All bits go into the upper ones, of which the quotient is made.
        Int(SplitMix.mix(flow).multipliedFullWidth(by: UInt64(queueCount)).high)
    }
}
