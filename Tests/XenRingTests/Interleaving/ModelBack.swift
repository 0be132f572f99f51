import XenRing

/// The back: answers each request in order, publishes after one answer or several, and sleeps as `serve` does.
struct ModelBack: ModelEnd {
    enum Phase: UInt32 {
        case taking, staging, publishing, notifying
        /// After the final check: publish what is staged, then sleep.
        case publishingLast, notifyingLast, asleep
    }

    let requestLane: ModelLane
    let responseLane: ModelLane
    var requests: RingConsumer
    var responses: RingProducer
    let slotCount: UInt32
    var taken: UInt32 = 0
    var answered: UInt32 = 0
    var phase = Phase.taking
    var reads: [UInt32] = []

    func steps(_ stepped: SteppedPage) throws -> [ModelBack] {
        var next = self
        switch phase {
        case .taking:
            let limit = slotCount - requests.consumed.distance(from: responses.published)
            switch try stepped.step(
                after: reads,
                {
                    try next.requests.next(on: requestLane, limit: limit)
                })
            {
            case .underWay(let value): return having(read: value)
            case .finished(nil): return next.afterFinalCheck
            case .finished(let request?):
                next.taken += 1
                try expect(request, next.taken)
                return next.before(.taking, .staging)
            }
        case .staging:
            stepped.onlyStep { next.responses.stage(1001 + answered, on: responseLane) }
            next.answered += 1
            return next.before(.taking, .publishing)
        case .publishing, .publishingLast:
            let isLast = phase == .publishingLast
            switch stepped.step(after: reads, { next.responses.publish(on: responseLane) }) {
            case .underWay(let value): return having(read: value)
            case .finished(.required): return next.before(isLast ? .notifyingLast : .notifying)
            case .finished(.notNeeded): return next.before(isLast ? .asleep : .taking)
            }
        case .notifying, .notifyingLast:
            stepped.page.frontIsRung = true
            return before(phase == .notifyingLast ? .asleep : .taking)
        case .asleep:
            guard stepped.page.backIsRung else { return [] }
            stepped.page.backIsRung = false
            return before(.taking)
        }
    }

    private var afterFinalCheck: [ModelBack] {
        if taken > answered { return before(.staging) }
        return responses.staged == responses.published ? before(.asleep) : before(.publishingLast)
    }

    var key: [UInt32] {
        [
            requests.consumed.rawValue, requests.observed.rawValue, requests.armed.rawValue,
            responses.staged.rawValue,
            responses.published.rawValue, taken, answered, phase.rawValue, UInt32(reads.count),
        ] + reads
    }
}
