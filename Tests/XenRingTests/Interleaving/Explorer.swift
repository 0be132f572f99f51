import XenRing

/// Walks through every interleaving of a front and a back, one shared access at a time.
///
/// A state that was reached before is not walked again, so the walk is over all states; the
/// interleavings that lead through them are counted.
final class Explorer {
    private struct State {
        var page: ModelPage
        var front: ModelFront
        var back: ModelBack

        var key: [UInt32] { page.key + front.key + back.key }
    }

    private let stepped: SteppedPage
    private let rules: ModelRules
    private let total: UInt32
    private let start: UInt32
    private let initial: State
    private var interleavingsFrom: [[UInt32]: Double] = [:]

    /// Ends of interleavings at which an end sleeps although messages are left or the other has
    /// gone.
    private(set) var lostWakeUps = 0
    /// Ends at which an end has gone without all that the other had published.
    private(set) var unread = 0
    /// Ends of interleavings, and those among them at which somebody has gone.
    private(set) var (endCount, departureCount) = (0, 0)
    var stateCount: Int { interleavingsFrom.count }

    init(
        slotCount: UInt32, total: UInt32, at start: UInt32 = 0, _ rules: ModelRules = ModelRules()
    ) {
        let page = ModelPage(slotCount: Int(slotCount), at: start)
        let stepped = SteppedPage(page)
        func lane(_ direction: RingDirection) -> ModelLane {
            let mutation = rules.direction == direction ? rules.without : nil
            return ModelLane(
                direction: direction, stepped: stepped, start: start, mutation: mutation)
        }
        let index = RingIndex(start)
        let front = ModelFront(
            rules: rules, requestLane: lane(.request), responseLane: lane(.response),
            requests: RingProducer(at: index), responses: RingConsumer(at: index),
            slotCount: slotCount, total: total)
        let back = ModelBack(
            rules: rules, requestLane: lane(.request), responseLane: lane(.response),
            requests: RingConsumer(at: index), responses: RingProducer(at: index),
            slotCount: slotCount)
        (self.stepped, self.rules, self.total, self.start) = (stepped, rules, total, start)
        initial = State(page: page, front: front, back: back)
    }

    /// - Returns: how many interleavings there are. Throws what a ring throws, and `WrongMessage`.
    @discardableResult
    func run() throws -> Double { try explore(initial) }

    private func explore(_ state: State) throws -> Double {
        let key = state.key
        if let known = interleavingsFrom[key] { return known }
        let successors = try successors(of: state)
        if successors.isEmpty { judgeEnd(state) }
        var interleavings = successors.isEmpty ? 1.0 : 0.0
        for successor in successors { interleavings += try explore(successor) }
        interleavingsFrom[key] = interleavings
        return interleavings
    }

    /// Nothing moves any more: is that right?
    private func judgeEnd(_ state: State) {
        endCount += 1
        let (front, back) = (state.front, state.back)
        guard state.page.frontIsGone || state.page.backIsGone else {
            if front.received < total { lostWakeUps += 1 }
            return
        }
        departureCount += 1
        if front.phase == .asleep || back.phase == .asleep { lostWakeUps += 1 }
        let (requests, responses) = (
            state.page.requests.producer &- start, state.page.responses.producer &- start
        )
        let frontLacks = front.phase == .ended && front.received < responses
        let backLacks = back.phase == .ended && back.taken < requests
        if frontLacks || backLacks { unread += 1 }
    }

    private func successors(of state: State) throws -> [State] {
        try moves(of: state.front, from: state.page).map { page, front in
            State(page: page, front: front, back: state.back)
        }
            + moves(of: state.back, from: state.page).map { page, back in
                State(page: page, front: state.front, back: back)
            }
    }

    /// All that one end can do, with what becomes of the page.
    private func moves<End: ModelEnd>(
        of end: End, from page: ModelPage
    ) throws -> [(ModelPage, End)] {
        var moves: [(ModelPage, End)] = []
        func add(_ body: (SteppedPage) throws -> [End]) rethrows {
            stepped.page = page
            let ends = try body(stepped)
            moves += ends.map { (stepped.page, $0) }
        }
        try add(end.steps)
        add(end.noticeSteps)
        add(end.flushingSteps)
        if !rules.endings.isEmpty {
            add(end.closingSteps)
            add(end.crashingSteps)
        }
        return moves
    }
}
