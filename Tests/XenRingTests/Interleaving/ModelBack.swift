import XenRing

/// The back: answers each request in order, publishes after one answer or several, and sleeps as
/// `serve` does.
struct ModelBack: ModelEnd {
    static let sends = RingDirection.response

    let rules: ModelRules
    let requestLane: ModelLane
    let responseLane: ModelLane
    var requests: RingConsumer
    var responses: RingProducer
    let slotCount: UInt32
    var taken: UInt32 = 0
    var answered: UInt32 = 0
    var phase = ModelPhase.taking
    var reads: [UInt32] = []
    var buffered: [BufferedStore] = []
    var hasLeft = false

    var mayClose: Bool { rules.endings.contains(.backCloses) }
    var mayCrash: Bool { rules.endings.contains(.backCrashes) }
    var hasStaged: Bool { responses.staged != responses.published }

    func steps(_ stepped: SteppedPage) throws -> [ModelBack] {
        var next = self
        switch phase {
        case .taking, .takingLast: return try taking(stepped)
        case .staging:
            stepped.onlyStep { next.responses.stage(1001 + answered, on: responseLane) }
            next.buffered += stepped.memo.buffered
            next.answered += 1
            return next.before(.taking, .publishing)
        case .publishing, .publishingLast:
            let isLast = phase == .publishingLast
            switch stepped.step(after: reads, { next.responses.publish(on: responseLane) }) {
            case .underWay(let value): return having(read: value)
            case .finished(let notification):
                let after = isLast ? next.beforeSleep(stepped.page)[0].phase : .taking
                return next.afterPublishing(notification, else: after)
            }
        case .notifying, .notifyingLast:
            stepped.page.frontPort.isPending = true
            return phase == .notifyingLast ? beforeSleep(stepped.page) : before(.taking)
        default: return restingSteps(stepped)
        }
    }

    private func taking(_ stepped: SteppedPage) throws -> [ModelBack] {
        var next = self
        let limit = slotCount - requests.consumed.distance(from: responses.published)
        switch try stepped.step(
            after: reads,
            { try next.requests.next(on: requestLane, limit: limit, looking: rules.looks) })
        {
        case .underWay(let value): return having(read: value)
        case .finished(nil):
            if phase == .takingLast { return next.before(hasLeft ? .ended : .leavingLast) }
            if taken > answered && !hasLeft { return next.before(.staging) }
            return hasStaged ? next.before(.publishingLast) : next.beforeSleep(stepped.page)
        case .finished(let request?):
            next.taken += 1
            try expect(request, next.taken)
            // What it takes when one of both has gone, it takes unanswered.
            let isOver = phase == .takingLast || hasLeft
            return isOver ? next.before(phase) : next.before(.taking, .staging)
        }
    }

    var ownKey: [UInt32] {
        [
            requests.consumed.rawValue, requests.observed.rawValue, requests.armed.rawValue,
            responses.staged.rawValue, responses.published.rawValue, taken, answered,
        ]
    }
}
