/// All requests without a reply, each in its slot: begun, found by id and ended in constant time.
struct PendingRequests: Sendable {
    private struct Slot: Sendable {
        var generation: UInt32 = 1
        var pending: PendingRequest?
    }

    private var slots: [Slot] = []
    private var free: [Int] = []

    /// How many there are.
    var count: Int { slots.count - free.count }

    /// The handles of all, in no order that means anything.
    var handles: [RequestHandle] {
        slots.indices.compactMap { slots[$0].pending == nil ? nil : handle($0) }
    }

    private func handle(_ index: Int) -> RequestHandle {
        RequestHandle(slot: index, generation: slots[index].generation)
    }

    /// Nil when every slot is taken.
    mutating func insert(_ pending: PendingRequest) -> RequestHandle? {
        if let index = free.popLast() {
            slots[index].pending = pending
            return handle(index)
        }
        guard slots.count < RequestHandle.slotLimit else { return nil }
        slots.append(Slot(pending: pending))
        return handle(slots.count - 1)
    }

    /// The request, or nil once it has ended.
    subscript(handle: RequestHandle) -> PendingRequest? {
        get { contains(handle) ? slots[handle.slot].pending : nil }
        _modify {
            precondition(contains(handle), "only a request that waits can change")
            yield &slots[handle.slot].pending
        }
    }

    func isQueued(_ handle: RequestHandle) -> Bool {
        contains(handle) && slots[handle.slot].pending?.stage == .queued
    }

    func contains(_ handle: RequestHandle) -> Bool {
        handle.slot < slots.count && slots[handle.slot].pending != nil
            && self.handle(handle.slot) == handle
    }

    /// Ends a request; its handle is nobody's from now on. Nil when it has ended before.
    @discardableResult
    mutating func remove(_ handle: RequestHandle) -> PendingRequest? {
        guard contains(handle) else { return nil }
        let pending = slots[handle.slot].pending.take()
        let generation = slots[handle.slot].generation
        slots[handle.slot].generation = generation == 0xFFF ? 1 : generation + 1
        free.append(handle.slot)
        return pending
    }
}
