import XenRing

/// A ring's page, the ports of both ends, what each was told of the other, and the rule by which
/// one access at a time is let through.
struct ModelPage: SteppablePage {
    static var freshMemo: LaneMemo { LaneMemo() }

    struct Words {
        var producer: UInt32
        var event: UInt32
    }

    /// A port: of one end, which the other notifies.
    struct Port {
        var isPending = false
        var isMasked = false
        var key: UInt32 { (isPending ? 1 : 0) | (isMasked ? 2 : 0) }
    }

    var requests: Words
    var responses: Words
    var slots: [UInt32]
    var frontPort = Port()
    var backPort = Port()
    /// What the store says of an end, and what wakes the other.
    var frontIsGone = false
    var backIsGone = false

    init(slotCount: Int, at start: UInt32) {
        requests = Words(producer: start, event: start &+ 1)
        responses = Words(producer: start, event: start &+ 1)
        slots = [UInt32](repeating: 0, count: slotCount)
    }

    subscript(direction: RingDirection) -> Words {
        get { direction == .request ? requests : responses }
        set { if direction == .request { requests = newValue } else { responses = newValue } }
    }

    /// The port of the end that consumes in this direction.
    subscript(consumerOf direction: RingDirection) -> Port {
        get { direction == .request ? backPort : frontPort }
        set { if direction == .request { backPort = newValue } else { frontPort = newValue } }
    }

    /// Whether the end that produces in this direction has gone.
    subscript(producerOfIsGone direction: RingDirection) -> Bool {
        get { direction == .request ? frontIsGone : backIsGone }
        set { if direction == .request { frontIsGone = newValue } else { backIsGone = newValue } }
    }

    var key: [UInt32] {
        [
            requests.producer, requests.event, responses.producer, responses.event,
            frontPort.key | backPort.key << 2 | (frontIsGone ? 16 : 0) | (backIsGone ? 32 : 0),
        ] + slots
    }
}

/// A page that can be accessed step by step.
protocol SteppablePage {
    /// What a lane with a rule taken out remembers for the length of one operation.
    associatedtype Memo
    static var freshMemo: Memo { get }
}

typealias SteppedPage = Stepper<ModelPage>

/// Runs an operation of the ring one shared access at a time.
///
/// An operation is a function of what it reads. So it is run again from its start for each access:
/// what it read before is replayed, one new access is let through, and if it wants more, the rest
/// of the run counts for nothing.
final class Stepper<Page: SteppablePage> {
    var page: Page
    private var replay: ArraySlice<UInt32> = []
    private var latest: UInt32?
    private var wantsMore = false
    /// What mutated lanes remember for the length of one run.
    var memo = Page.freshMemo

    init(_ page: Page) { self.page = page }

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
        (replay, latest, wantsMore, memo) = (reads[...], nil, false, Page.freshMemo)
        do {
            let result = try operation()
            return wantsMore ? .underWay(latest ?? 0) : .finished(result)
        } catch {
            if wantsMore { return .underWay(latest ?? 0) }
            throw error
        }
    }

    /// Runs an operation that has one access at most.
    func onlyStep(_ operation: () -> Void) {
        guard case .finished = step(after: [], operation) else {
            preconditionFailure("this operation has more than one access")
        }
    }

    func access(_ body: (inout Page) -> UInt32) -> UInt32 {
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
