package import XenRing

/// What two ends of a ring are to send each other.
package struct TrafficPlan: Sendable {
    /// The requests, or the bytes each way.
    package var total: Int
    /// The most at a time: messages, or bytes.
    package var batch: Int
    /// What all contents and random numbers come from. Answers come from its complement.
    package var seed: UInt64
    /// The ring's first index.
    package var start = RingIndex(0)

    package init(total: Int, batch: Int, seed: UInt64, start: RingIndex = RingIndex(0)) {
        self.total = total
        self.batch = batch
        self.seed = seed
        self.start = start
    }
}

/// How an end of a ring wakes the other one, and sleeps.
package protocol TrafficBell: AnyObject {
    func notify() throws

    /// Blocks until notified. Throws when that does not happen in time.
    func sleep() throws
}

extension TrafficBell {
    func notify(if notification: PeerNotification) throws {
        if notification == .required { try notify() }
    }
}

/// What one end sent and received, to be compared with what the other one says.
package struct TrafficSums: Hashable, Sendable {
    package var sent: UInt64 = 0
    package var received: UInt64 = 0

    package init(sent: UInt64 = 0, received: UInt64 = 0) {
        self.sent = sent
        self.received = received
    }
}
