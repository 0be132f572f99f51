import XenRing

/// The front: sends `total` numbered requests as slots come free, and takes their responses in
/// order.
struct ModelFront: ModelEnd {
    static let sends = RingDirection.request

    let rules: ModelRules
    let requestLane: ModelLane
    let responseLane: ModelLane
    var requests: RingProducer
    var responses: RingConsumer
    let slotCount: UInt32
    let total: UInt32
    var sent: UInt32 = 0
    var received: UInt32 = 0
    var phase = ModelPhase.staging
    var reads: [UInt32] = []
    var buffered: [BufferedStore] = []
    var hasLeft = false

    var mayClose: Bool { rules.endings.contains(.frontCloses) }
    var mayCrash: Bool { rules.endings.contains(.frontCrashes) }
    var hasStaged: Bool { requests.staged != requests.published }

    private var canStage: Bool {
        !hasLeft && sent < total
            && requests.staged.distance(from: responses.consumed) < slotCount
    }

    func steps(_ stepped: SteppedPage) throws -> [ModelFront] {
        var next = self
        switch phase {
        case .staging:
            stepped.onlyStep { next.requests.stage(sent + 1, on: requestLane) }
            next.buffered += stepped.memo.buffered
            next.sent += 1
            return next.canStage ? next.before(.staging, .publishing) : next.before(.publishing)
        case .publishing:
            switch stepped.step(after: reads, { next.requests.publish(on: requestLane) }) {
            case .underWay(let value): return having(read: value)
            case .finished(let notification):
                return next.afterPublishing(notification, else: .taking)
            }
        case .notifying:
            stepped.page.backPort.isPending = true
            return before(.taking)
        case .taking, .takingLast: return try taking(stepped)
        default: return restingSteps(stepped)
        }
    }

    private func taking(_ stepped: SteppedPage) throws -> [ModelFront] {
        var next = self
        let limit = requests.published.distance(from: responses.consumed)
        switch try stepped.step(
            after: reads,
            { try next.responses.next(on: responseLane, limit: limit, looking: rules.looks) })
        {
        case .underWay(let value): return having(read: value)
        case .finished(nil):
            if phase == .takingLast { return next.before(hasLeft ? .ended : .leavingLast) }
            return canStage ? next.before(.staging) : next.beforeSleep(stepped.page)
        case .finished(let response?):
            next.received += 1
            try expect(response, 1000 + next.received)
            return next.before(phase)
        }
    }

    var ownKey: [UInt32] {
        [
            requests.staged.rawValue, requests.published.rawValue, responses.consumed.rawValue,
            responses.observed.rawValue, responses.armed.rawValue, sent, received,
        ]
    }
}
