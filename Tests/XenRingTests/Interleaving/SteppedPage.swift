import XenRing

/// A ring's page, its two doorbells, and the rule by which one access at a time is let through.
struct ModelPage {
    struct Words {
        var producer: UInt32
        var event: UInt32
    }

    var requests: Words
    var responses: Words
    var slots: [UInt32]
    var frontIsRung = false
    var backIsRung = false

    init(slotCount: Int, at start: UInt32) {
        requests = Words(producer: start, event: start &+ 1)
        responses = Words(producer: start, event: start &+ 1)
        slots = [UInt32](repeating: 0, count: slotCount)
    }

    subscript(direction: RingDirection) -> Words {
        get { direction == .request ? requests : responses }
        set { if direction == .request { requests = newValue } else { responses = newValue } }
    }
}

/// Runs an operation of the ring one shared access at a time.
///
/// An operation is a function of what it reads. So it is run again from its start for each access: what it read
/// before is replayed, one new access is let through, and if it wants more, the rest of the run counts for nothing.
final class SteppedPage {
    var page: ModelPage
    private var replay: ArraySlice<UInt32> = []
    private var latest: UInt32?
    private var wantsMore = false
    /// What mutated lanes remember for the length of one run.
    var memo = LaneMemo()

    init(_ page: ModelPage) { self.page = page }

    enum Outcome<Result> {
        case finished(Result)
        /// It wants more accesses; the newest gave this.
        case underWay(UInt32)
    }

    /// Lets one more access of `operation` through.
    ///
    /// - Parameter reads: what its accesses gave so far.
    func step<Result>(
        after reads: [UInt32], _ operation: () throws -> Result
    ) rethrows -> Outcome<Result> {
        (replay, latest, wantsMore, memo) = (reads[...], nil, false, LaneMemo())
        do {
            let result = try operation()
            return wantsMore ? .underWay(latest ?? 0) : .finished(result)
        } catch {
            if wantsMore { return .underWay(latest ?? 0) }
            throw error
        }
    }

    /// Runs an operation that has one access only.
    func onlyStep(_ operation: () -> Void) {
        guard case .finished = step(after: [], operation) else {
            preconditionFailure("this operation has more than one access")
        }
    }

    func access(_ body: (inout ModelPage) -> UInt32) -> UInt32 {
        if let recorded = replay.popFirst() { return recorded }
        guard latest == nil else {
            wantsMore = true
            return 0
        }
        let value = body(&page)
        latest = value
        return value
    }
}
