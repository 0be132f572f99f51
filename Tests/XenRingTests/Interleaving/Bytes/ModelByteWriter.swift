import XenRing

/// The writer: sends numbered bytes in messages of every size, and sleeps beside a full ring as `Writer` says.
struct ModelByteWriter: ModelByteEnd {
    enum Phase: UInt32 {
        case staging, storingLate, publishing, notifying, notifyingInVain
        case ending, checkingEnd, asleep, unmasking, unmaskingLate, finished, crashed
    }

    let lane: ModelByteLane
    let total: UInt32
    let ending: Ending
    let endingRule: EndingRule?
    /// The room for which it waits; 1 unless it wants enough.
    let wanted: Int
    var producer: ByteProducer
    var stored: RingIndex
    var sent: UInt32 = 0
    /// How much the next `stage` asks for.
    var chunk: UInt32 = 1
    var isShort = false
    var mustNotify = false
    var hasEnded = false
    var phase = Phase.staging
    var reads: [UInt32] = []

    /// The lane as it is before the operation that comes next.
    private var current: ModelByteLane {
        var lane = lane
        lane.known = producer.observed
        if sent < total { lane.next = (producer.staged, UInt8(sent + 1)) }
        return lane
    }

    func steps(_ stepped: Stepper<BytePage>) throws -> [ModelByteWriter] {
        var next = self
        switch phase {
        case .staging:
            switch try stepped.step(after: reads, { try next.stage() }) {
            case .underWay(let value): return having(read: value)
            case .finished(let count):
                next.sent += UInt32(count)
                next.isShort = count < chunk
                return next.storedBefore(next.afterStaging)
            }
        case .storingLate:
            stepped.onlyStep { lane.store(next.lateByte, at: stored) }
            next.stored = stored.advanced(by: 1)
            return next.storedBefore(mustNotify ? next.notifying : next.before(.publishing))
        case .publishing:
            switch try stepped.step(after: reads, { try next.producer.publish(on: current) }) {
            case .underWay(let value): return having(read: value)
            case .finished(let notification):
                next.mustNotify =
                    notification == .required && lane.rule != .notificationOfBytes
                return next.storedBefore(next.notifying)
            }
        case .notifying, .notifyingInVain:
            stepped.page.readerPort.ring(isInVain: phase == .notifyingInVain)
            next.mustNotify = false
            return next.afterNotifying
        case .ending:
            switch try stepped.step(
                after: reads, { try next.producer.end(with: -107, on: current) })
            {
            case .underWay(let value): return having(read: value)
            case .finished(let notification):
                next.hasEnded = true
                next.mustNotify =
                    notification == .required && endingRule != .notificationOfEnd
                return next.notifying
            }
        case .checkingEnd:
            let isOver = stepped.page.isDown || stepped.page.error != 0
            return isOver ? before(.finished) : stagings
        case .asleep:
            guard let port = stepped.page.writerPort.delivered else { return [] }
            stepped.page.writerPort = port
            return before(lane.rule == .writersLookAfterUnmask ? .checkingEnd : .unmasking)
        case .unmasking, .unmaskingLate:
            stepped.page.writerPort.unmask()
            return before(phase == .unmasking ? .checkingEnd : .asleep)
        case .finished, .crashed:
            return []
        }
    }

    private mutating func stage() throws -> Int {
        if wanted > 1 {
            let room = try producer.room(atLeast: min(wanted, Int(chunk)), on: current)
            if room < min(wanted, Int(chunk)) { return 0 }
        }
        let bytes = (0..<chunk).map { UInt8(sent + $0 + 1) }
        return try unsafe bytes.withUnsafeBytes { source in
            try unsafe producer.stage(source, on: current)
        }
    }

    /// Which byte lies at `stored`, by its number.
    private var lateByte: UInt8 { UInt8(sent - producer.staged.distance(from: stored) + 1) }

    /// Without the release of the index, what was staged is stored only now.
    private func storedBefore(_ states: [ModelByteWriter]) -> [ModelByteWriter] {
        guard lane.rule == .releaseOfBytes, stored != producer.published else { return states }
        return before(.storingLate)
    }

    /// `next` with each size that the next piece may have.
    private var stagings: [ModelByteWriter] {
        Set([1, total - sent]).sorted().map { size in
            var next = self
            (next.chunk, next.phase, next.reads) = (size, .staging, [])
            return next
        }
    }

    private var afterStaging: [ModelByteWriter] {
        isShort || sent == total ? before(.publishing) : before(.publishing) + stagings
    }

    private var notifying: [ModelByteWriter] {
        mustNotify ? before(.notifying, .notifyingInVain) : afterNotifying
    }

    private var afterNotifying: [ModelByteWriter] {
        if isShort {
            return before(lane.rule == .writersLookAfterUnmask ? .unmaskingLate : .asleep)
        }
        if sent < total { return stagings }
        return before(
            ending == .byWriter && !hasEnded
                ? .ending : .finished)
    }

    var key: [UInt32] {
        [
            producer.staged.rawValue, producer.published.rawValue, producer.observed.rawValue,
            producer.owed == .required ? 1 : 0, stored.rawValue, sent, chunk, isShort ? 1 : 0,
            mustNotify ? 1 : 0, hasEnded ? 1 : 0, phase.rawValue, UInt32(reads.count),
        ] + reads
    }
}
