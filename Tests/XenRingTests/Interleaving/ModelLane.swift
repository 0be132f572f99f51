import XenRing

/// What a mutated lane remembers within one operation.
struct LaneMemo {
    var observed: RingIndex?
    var hasArmed = false
    var delayedStore: ((inout ModelPage) -> UInt32)?
    /// The slots as they were read before the producer index.
    var earlySlots: [UInt32]?
    /// Messages that are on their way to their slots.
    var buffered: [BufferedStore] = []
}

/// A message that was stored, and has not reached memory.
struct BufferedStore {
    let position: Int
    let message: UInt32
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
        if mutation == .noAcquire, stepped.memo.earlySlots == nil {
            stepped.memo.earlySlots = stepped.page.slots.indices.map { slot in
                stepped.access { $0.slots[slot] }
            }
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
        let position = self.position(of: index)
        if let early = stepped.memo.earlySlots { return early[position] }
        return stepped.access { $0.slots[position] }
    }

    func store(_ message: UInt32, at index: RingIndex) {
        let position = self.position(of: index)
        if mutation == .noRelease || mutation == .publishBeforeStore {
            stepped.memo.buffered.append(BufferedStore(position: position, message: message))
        } else {
            store(delayed: false) { $0.slots[position] = message }
        }
    }

    private func position(of index: RingIndex) -> Int {
        index.position(mask: UInt32(stepped.page.slots.count - 1))
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
