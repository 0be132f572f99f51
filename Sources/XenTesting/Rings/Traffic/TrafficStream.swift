import XenCore
package import XenRing

/// Either end of two byte rings under traffic: bytes both ways at once, in chunks of any size.
package struct TrafficStream<Bell: TrafficBell>: ~Copyable {
    /// The stream's bytes from a position on: a direction, where they begin, how many.
    package typealias Contents = (RingDirection, Int, Int) -> [UInt8]

    private var end: ByteRingEnd
    private let sends: RingDirection
    private let bell: Bell
    private let plan: TrafficPlan
    private let contents: Contents
    private var random: SplitMix
    private var (sentCount, receivedCount) = (0, 0)

    /// - Parameter sends: the direction that this end writes.
    package init(
        _ end: consuming ByteRingEnd, sends: RingDirection, _ bell: Bell, _ plan: TrafficPlan,
        contents: @escaping Contents
    ) {
        self.end = end
        self.sends = sends
        self.bell = bell
        self.plan = plan
        self.contents = contents
        random = SplitMix(seed: sends == .request ? plan.seed : ~plan.seed)
    }

    /// Returns when all bytes of both directions have passed.
    package mutating func run() throws {
        while sentCount < plan.total || receivedCount < plan.total {
            let hasSent = try sentCount < plan.total && sendChunk()
            let hasReceived = try receiveChunk()
            let isDone = sentCount == plan.total && receivedCount == plan.total
            if !hasSent && !hasReceived && !isDone { try bell.sleep() }
        }
    }

    private mutating func sendChunk() throws -> Bool {
        let size = min(chunkSize(), plan.total - sentCount)
        let count = try end.writer.stage(contents(sends, sentCount, size).span)
        sentCount += count
        try bell.notify(if: end.writer.publish())
        return count > 0
    }

    private mutating func receiveChunk() throws -> Bool {
        var bytes: [UInt8] = []
        try end.reader.take(appendingTo: &bytes, upTo: chunkSize())
        let receives = sends == .request ? RingDirection.response : .request
        guard bytes == contents(receives, receivedCount, bytes.count) else {
            throw ConformanceFailure("bytes from \(receivedCount) on are wrong")
        }
        receivedCount += bytes.count
        try bell.notify(if: end.reader.commit())
        return !bytes.isEmpty
    }

    private mutating func chunkSize() -> Int { Int.random(in: 1...plan.batch, using: &random) }
}
