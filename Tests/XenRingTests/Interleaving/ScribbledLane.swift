import XenRing

/// Memory that the peer scribbles into once, before an access of ours that it chooses.
final class ScribbledPage {
    struct Scribble {
        let accessNumber: Int
        let body: (inout ModelPage) -> Void
    }

    private(set) var page: ModelPage
    private(set) var accessCount = 0
    /// What we wrote, in words.
    private(set) var trace: [String] = []
    private let scribble: Scribble?

    init(slotCount: Int, _ scribble: Scribble?) {
        page = ModelPage(slotCount: slotCount, at: 0)
        self.scribble = scribble
    }

    /// Sets the page up, before anything counts.
    func prepare(_ body: (inout ModelPage) -> Void) { body(&page) }

    func access<Value>(_ body: (inout ModelPage) -> Value) -> Value {
        accessCount += 1
        if let scribble, scribble.accessNumber == accessCount { scribble.body(&page) }
        return body(&page)
    }

    func note(_ what: String) { trace.append(what) }
}

/// One direction of a ring in such memory.
struct ScribbledLane: RingLane {
    let direction: RingDirection
    let shared: ScribbledPage

    func observeProducer() -> RingIndex {
        RingIndex(shared.access { $0[direction].producer })
    }

    func publishProducer(_ index: RingIndex) {
        shared.note("\(direction) producer \(index.rawValue)")
        shared.access { $0[direction].producer = index.rawValue }
    }

    func observeEvent() -> RingIndex { RingIndex(shared.access { $0[direction].event }) }

    func armEvent(_ index: RingIndex) {
        shared.note("\(direction) event \(index.rawValue)")
        shared.access { $0[direction].event = index.rawValue }
    }

    func load(at index: RingIndex) -> UInt32 {
        let position = self.position(of: index)
        return shared.access { $0.slots[position] }
    }

    func store(_ message: UInt32, at index: RingIndex) {
        shared.note("message \(message) at \(index.rawValue)")
        let position = self.position(of: index)
        shared.access { $0.slots[position] = message }
    }

    private func position(of index: RingIndex) -> Int {
        index.position(mask: UInt32(shared.page.slots.count - 1))
    }
}
