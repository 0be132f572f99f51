import XenRing

/// A rule that is taken out of the ring, to see that the explorer misses it.
enum Mutation: CaseIterable {
    /// The consumer sets the event index, but does not look again.
    case noFinalLook
    /// The consumer's final look overtakes its store of the event index, as without its fence.
    case noConsumerFence
    /// The producer goes by the event index of the beginning, and does not look at the present one.
    case noEventLook
    /// The producer's look at the event index overtakes its store of the producer index.
    case noProducerFence
}

/// What a mutated lane remembers within one operation.
struct LaneMemo {
    var observed: RingIndex?
    var hasArmed = false
    var delayedStore: ((inout ModelPage) -> UInt32)?
}

/// One direction of a ring in a model page, each access a step of its own.
struct ModelLane: RingLane {
    let direction: RingDirection
    let stepped: SteppedPage
    let start: UInt32
    var mutation: Mutation?

    func observeProducer() -> RingIndex {
        if mutation == .noFinalLook, stepped.memo.hasArmed, let seen = stepped.memo.observed {
            return seen
        }
        let index = RingIndex(stepped.access { $0[direction].producer })
        stepped.memo.observed = index
        flushDelayedStore()
        return index
    }

    func publishProducer(_ index: RingIndex) {
        store(delayed: mutation == .noProducerFence) { $0[direction].producer = index.rawValue }
    }

    func observeEvent() -> RingIndex {
        if mutation == .noEventLook { return RingIndex(start &+ 1) }
        let index = RingIndex(stepped.access { $0[direction].event })
        flushDelayedStore()
        return index
    }

    func armEvent(_ index: RingIndex) {
        stepped.memo.hasArmed = true
        store(delayed: mutation == .noConsumerFence) { $0[direction].event = index.rawValue }
    }

    func load(at index: RingIndex) -> UInt32 {
        stepped.access { $0.slots[index.position(mask: UInt32($0.slots.count - 1))] }
    }

    func store(_ message: UInt32, at index: RingIndex) {
        store(delayed: false) {
            $0.slots[index.position(mask: UInt32($0.slots.count - 1))] = message
        }
    }

    private func store(delayed: Bool, _ body: @escaping (inout ModelPage) -> Void) {
        let access = { (page: inout ModelPage) -> UInt32 in
            body(&page)
            return 0
        }
        if delayed { stepped.memo.delayedStore = access } else { _ = stepped.access(access) }
    }

    private func flushDelayedStore() {
        if let store = stepped.memo.delayedStore.take() { _ = stepped.access(store) }
    }
}
