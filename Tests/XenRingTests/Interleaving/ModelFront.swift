import XenRing

/// The front: sends `total` numbered requests as slots come free, and takes their responses in order.
struct ModelFront: ModelEnd {
    enum Phase: UInt32 { case staging, publishing, notifying, taking, asleep }

    let requestLane: ModelLane
    let responseLane: ModelLane
    var requests: RingProducer
    var responses: RingConsumer
    let slotCount: UInt32
    let total: UInt32
    var sent: UInt32 = 0
    var received: UInt32 = 0
    var phase = Phase.staging
    var reads: [UInt32] = []

    private var canStage: Bool {
        sent < total && requests.staged.distance(from: responses.consumed) < slotCount
    }

    func steps(_ stepped: SteppedPage) throws -> [ModelFront] {
        var next = self
        switch phase {
        case .staging:
            stepped.onlyStep { next.requests.stage(sent + 1, on: requestLane) }
            next.sent += 1
            return next.canStage ? next.before(.staging, .publishing) : next.before(.publishing)
        case .publishing:
            switch stepped.step(after: reads, { next.requests.publish(on: requestLane) }) {
            case .underWay(let value): return having(read: value)
            case .finished(.required): return next.before(.notifying)
            case .finished(.notNeeded): return next.before(.taking)
            }
        case .notifying:
            stepped.page.backIsRung = true
            return before(.taking)
        case .taking:
            let limit = requests.published.distance(from: responses.consumed)
            switch try stepped.step(
                after: reads,
                {
                    try next.responses.next(on: responseLane, limit: limit)
                })
            {
            case .underWay(let value): return having(read: value)
            case .finished(nil): return canStage ? next.before(.staging) : next.before(.asleep)
            case .finished(let response?):
                next.received += 1
                try expect(response, 1000 + next.received)
                return next.before(.taking)
            }
        case .asleep:
            guard stepped.page.frontIsRung else { return [] }
            stepped.page.frontIsRung = false
            return before(.taking)
        }
    }

    var key: [UInt32] {
        [
            requests.staged.rawValue, requests.published.rawValue, responses.consumed.rawValue,
            responses.observed.rawValue, responses.armed.rawValue, sent, received, phase.rawValue,
            UInt32(reads.count),
        ] + reads
    }
}
