import XenRing

/// Walks through every interleaving of a front and a back, one shared access at a time.
///
/// A state that was reached before is not walked again, so the walk is over all states; the interleavings
/// that lead through them are counted.
final class Explorer {
    private struct State {
        var page: ModelPage
        var front: ModelFront
        var back: ModelBack

        var key: [UInt32] {
            [
                page.requests.producer, page.requests.event, page.responses.producer,
                page.responses.event, page.frontIsRung ? 1 : 0, page.backIsRung ? 1 : 0,
            ] + page.slots + front.key + back.key
        }
    }

    private let stepped: SteppedPage
    private let total: UInt32
    private let initial: State
    private var interleavingsFrom: [[UInt32]: Double] = [:]

    /// Ends of interleavings at which everyone sleeps although messages are left.
    private(set) var lostWakeUps = 0
    var stateCount: Int { interleavingsFrom.count }

    /// - Parameter mutation: the rule that is taken out, and the direction in which it is missing.
    init(
        slotCount: UInt32, total: UInt32, at start: UInt32 = 0,
        without mutation: (rule: Mutation, direction: RingDirection)? = nil
    ) {
        let page = ModelPage(slotCount: Int(slotCount), at: start)
        let stepped = SteppedPage(page)
        func lane(_ direction: RingDirection) -> ModelLane {
            let rule = mutation?.direction == direction ? mutation?.rule : nil
            return ModelLane(
                direction: direction, stepped: stepped, start: start, mutation: rule)
        }
        let index = RingIndex(start)
        let front = ModelFront(
            requestLane: lane(.request), responseLane: lane(.response),
            requests: RingProducer(at: index), responses: RingConsumer(at: index),
            slotCount: slotCount, total: total)
        let back = ModelBack(
            requestLane: lane(.request), responseLane: lane(.response),
            requests: RingConsumer(at: index), responses: RingProducer(at: index),
            slotCount: slotCount)
        self.stepped = stepped
        self.total = total
        initial = State(page: page, front: front, back: back)
    }

    /// - Returns: how many interleavings there are. Throws what a ring throws.
    func run() throws -> Double { try explore(initial) }

    private func explore(_ state: State) throws -> Double {
        let key = state.key
        if let known = interleavingsFrom[key] { return known }
        let successors = try successors(of: state)
        if successors.isEmpty && state.front.received < total { lostWakeUps += 1 }
        var interleavings = successors.isEmpty ? 1.0 : 0.0
        for successor in successors { interleavings += try explore(successor) }
        interleavingsFrom[key] = interleavings
        return interleavings
    }

    private func successors(of state: State) throws -> [State] {
        stepped.page = state.page
        let fronts = try state.front.steps(stepped)
        let afterFront = stepped.page
        stepped.page = state.page
        let backs = try state.back.steps(stepped)
        let afterBack = stepped.page
        return fronts.map { State(page: afterFront, front: $0, back: state.back) }
            + backs.map { State(page: afterBack, front: state.front, back: $0) }
    }
}
