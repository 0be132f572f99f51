import XenRing

/// The reader: takes one byte or all there are, gives their room back now or later, and sleeps as `Reader` says.
struct ModelByteReader: ModelByteEnd {
    enum Phase: UInt32 {
        case taking, loadingLate, committing, notifying, notifyingInVain
        case checkingEnd, ending, asleep, unmasking, unmaskingLate, checkingPeer, checkingPeerLate
        case finished, crashed
    }

    let lane: ModelByteLane
    let ending: Ending
    let endingRule: EndingRule?
    /// The bytes for which it waits, as long as the writer has so many to send; 1 unless it wants enough.
    let wanted: UInt32
    let total: UInt32
    var consumer: ByteConsumer
    var loaded: RingIndex
    var received: UInt32 = 0
    var chunk: UInt32 = 1
    var isDry = false
    var mustNotify = false
    var knowsOfCrash = false
    var hasEnded = false
    var phase = Phase.taking
    var reads: [UInt32] = []

    private var current: ModelByteLane {
        var lane = lane
        lane.known = consumer.observed
        return lane
    }

    func steps(_ stepped: Stepper<BytePage>) throws -> [ModelByteReader] {
        var next = self
        switch phase {
        case .taking:
            switch try stepped.step(after: reads, { try next.take() }) {
            case .underWay(let value): return having(read: value)
            case .finished(let bytes):
                if lane.rule != .releaseOfRoom { try next.receive(bytes) }
                next.isDry = bytes.count < chunk
                return next.loadedBefore(next.isDry ? next.before(.committing) : next.afterTaking)
            }
        case .loadingLate:
            var byte: UInt8 = 0
            stepped.onlyStep { byte = lane.byte(at: loaded) }
            next.loaded = loaded.advanced(by: 1)
            try next.receive([byte])
            return next.loadedBefore(mustNotify ? next.notifying : next.before(.committing))
        case .committing:
            switch try stepped.step(after: reads, { try next.consumer.commit(on: current) }) {
            case .underWay(let value): return having(read: value)
            case .finished(let notification):
                next.mustNotify = notification == .required && lane.rule != .notificationOfRoom
                return next.loadedBefore(next.notifying)
            }
        case .notifying, .notifyingInVain:
            stepped.page.writerPort.ring(isInVain: phase == .notifyingInVain)
            next.mustNotify = false
            return next.afterNotifying
        case .checkingEnd:
            switch try stepped.step(after: reads, { try next.look() }) {
            case .underWay(let value): return having(read: value)
            case .finished(.some): return next.before(.finished)
            case .finished(nil):
                // It found bytes instead of the end.
                return next.consumer.observed != next.consumer.taken ? next.takings : next.sleeping
            }
        case .ending:
            switch try stepped.step(
                after: reads, { try next.consumer.end(with: -32, on: current) })
            {
            case .underWay(let value): return having(read: value)
            case .finished(let notification):
                next.hasEnded = true
                next.mustNotify =
                    notification == .required && endingRule != .notificationOfEnd
                return next.notifying
            }
        case .asleep:
            guard let port = stepped.page.readerPort.delivered else { return [] }
            stepped.page.readerPort = port
            if lane.rule == .readersLookAfterUnmask { return before(.checkingPeer) }
            return before(.unmasking)
        case .unmasking, .unmaskingLate:
            stepped.page.readerPort.unmask()
            return before(phase == .unmasking ? .checkingPeer : .asleep)
        case .checkingPeer:
            next.knowsOfCrash = stepped.page.isDown
            return next.takings
        case .checkingPeerLate:
            return stepped.page.isDown ? before(.finished) : next.sleeping
        case .finished, .crashed:
            return []
        }
    }

    private mutating func take() throws -> [UInt8] {
        let enough = Int(min(wanted, total - received))
        if wanted > 1, try consumer.available(atLeast: enough, on: current) < enough { return [] }
        var bytes = [UInt8](repeating: 0, count: Int(chunk))
        let count = try unsafe bytes.withUnsafeMutableBytes { buffer in
            try unsafe consumer.take(into: buffer, on: current)
        }
        return Array(bytes.prefix(count))
    }

    private mutating func look() throws(RingError) -> Int32? {
        guard endingRule == .lookAfterEnd else { return try consumer.ending(on: current) }
        guard try consumer.available(on: current) == 0 else { return nil }
        let error = lane.observeError()
        return error == 0 ? nil : error
    }

    private mutating func receive(_ bytes: [UInt8]) throws(WrongMessage) {
        for byte in bytes {
            received += 1
            guard byte == received else {
                throw WrongMessage(message: UInt32(byte), expected: received)
            }
        }
    }

    /// Without the release of the index, what was taken is loaded only now.
    private func loadedBefore(_ states: [ModelByteReader]) -> [ModelByteReader] {
        guard lane.rule == .releaseOfRoom, loaded != consumer.released else { return states }
        return before(.loadingLate)
    }

    /// Each way to take: one byte, or all that the ring can hold.
    private var takings: [ModelByteReader] {
        Set([1, lane.capacity]).sorted().map { size in
            var next = self
            (next.chunk, next.phase, next.reads) = (size, .taking, [])
            return next
        }
    }

    private var afterTaking: [ModelByteReader] { before(.committing) + takings }

    private var notifying: [ModelByteReader] {
        mustNotify ? before(.notifying, .notifyingInVain) : afterNotifying
    }

    private var afterNotifying: [ModelByteReader] {
        if hasEnded { return before(.finished) }
        if ending == .byReader, received > 0 { return before(.ending) }
        guard isDry else { return takings }
        switch ending {
        case .never, .byReader, .readerCrashes: return sleeping
        case .byWriter: return before(.checkingEnd)
        case .writerCrashes:
            if endingRule == .lookAfterCrash { return before(.checkingPeerLate) }
            return knowsOfCrash ? before(.finished) : sleeping
        }
    }

    private var sleeping: [ModelByteReader] {
        before(lane.rule == .readersLookAfterUnmask ? .unmaskingLate : .asleep)
    }

    var key: [UInt32] {
        [
            consumer.taken.rawValue, consumer.released.rawValue, consumer.observed.rawValue,
            consumer.owed == .required ? 1 : 0, loaded.rawValue, received, chunk, isDry ? 1 : 0,
            mustNotify ? 1 : 0, knowsOfCrash ? 1 : 0, hasEnded ? 1 : 0, phase.rawValue,
            UInt32(reads.count),
        ] + reads
    }
}
