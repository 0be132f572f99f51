import CAllocationCount
import XenCore
import XenEvtchn
import XenRing
import XenSystem

/// A channel that stays where it is: reading a variable of its own type would allocate.
private final class Served: Sendable {
    let channel: ServedChannel
    init(_ channel: consuming ServedChannel) { self.channel = channel }
}

/// A backend's driver: an actor on an event thread, which drains its ring in the thread's turns.
actor ServingDriver {
    private let thread: EventThread
    private var ring: BackRing<Wide<14>, Wide<2>>
    private var served: Served?
    private(set) var tally = Tally("back")
    private(set) var failure: (any Error)?
    private var allocationsBefore: UInt64 = 0

    init(_ thread: EventThread, _ memory: SharedMemory) {
        self.thread = thread
        ring = BackRing(attachingTo: memory)
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        // Safe: this actor keeps the thread.
        unsafe thread.asUnownedSerialExecutor()
    }

    func begin(_ channel: consuming EventChannel) throws -> EventThread.PortID {
        let served = try thread.serve(channel, on: self, poll: { $0.look() }) { driver, turn in
            driver.serve(turn)
        }
        let id = served.id
        self.served = Served(served)
        return id
    }

    func end() { served = nil }

    private func look() -> Bool {
        tally.looks += 1
        return (try? ring.seesRequests()) ?? true
    }

    private func serve(_ turn: EventThread.Turn) -> EventThread.Outcome {
        // All that this thread allocated since its first turn, whoever did: the loop, the mock, the ring.
        let allocations = allocation_count_of_this_thread()
        if allocationsBefore == 0 { allocationsBefore = allocations }
        tally.ringAllocations = allocations - allocationsBefore
        do { return try drain(turn) } catch {
            failure = error
            return .emptied(handled: 0)
        }
    }

    private func drain(_ turn: EventThread.Turn) throws -> EventThread.Outcome {
        var handled = 0
        var isEmpty = false
        while handled < turn.budget {
            guard let request = try turn.mustArm ? ring.next() : ring.nextSeen() else {
                isEmpty = true
                break
            }
            ring.push(Wide(request.isWhole ? ~request.value : 0))
            handled += 1
        }
        tally.messages += UInt64(handled)
        if ring.publish() == .required {
            tally.notifications += 1
            try served?.channel.notify()
        }
        guard isEmpty else { return .budgetUsed(handled: handled) }
        return turn.mustArm ? .emptied(handled: handled) : .unarmed(handled: handled)
    }
}

/// A frontend's driver: sends `total` requests as slots come free, and takes their answers.
actor RequestingDriver {
    private let thread: EventThread
    private var ring: FrontRing<Wide<14>, Wide<2>>
    private var served: Served?
    private let total: UInt64
    private var sent: UInt64 = 0
    private let isOver: ThreadSignal
    private(set) var tally = Tally("front")
    private(set) var failure: (any Error)?
    private var allocationsBefore: UInt64 = 0

    init(_ thread: EventThread, _ memory: SharedMemory, total: UInt64, isOver: ThreadSignal) {
        self.thread = thread
        self.total = total
        self.isOver = isOver
        ring = FrontRing(initializing: memory)
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        // Safe: this actor keeps the thread.
        unsafe thread.asUnownedSerialExecutor()
    }

    func begin(_ channel: consuming EventChannel) throws -> EventThread.PortID {
        let served = try thread.serve(channel, on: self, poll: { $0.look() }) { driver, turn in
            driver.reap(turn)
        }
        let id = served.id
        self.served = Served(served)
        return id
    }

    func end() { served = nil }

    private func look() -> Bool {
        tally.looks += 1
        return (try? ring.seesResponses()) ?? true
    }

    private func reap(_ turn: EventThread.Turn) -> EventThread.Outcome {
        // All that this thread allocated since its first turn, whoever did: the loop, the mock, the ring.
        let allocations = allocation_count_of_this_thread()
        if allocationsBefore == 0 { allocationsBefore = allocations }
        tally.ringAllocations = allocations - allocationsBefore
        do { return try exchange(turn) } catch {
            failure = error
            isOver.signal()
            return .emptied(handled: 0)
        }
    }

    private func exchange(_ turn: EventThread.Turn) throws -> EventThread.Outcome {
        var handled = 0
        var isEmpty = false
        while handled < turn.budget {
            guard let response = try turn.mustArm ? ring.next() : ring.nextSeen() else {
                isEmpty = true
                break
            }
            guard response.value == ~(tally.messages + UInt64(handled)) else {
                throw WrongAnswer(number: response.value)
            }
            handled += 1
        }
        tally.messages += UInt64(handled)
        while sent < total, ring.push(Wide(sent)) { sent += 1 }
        if ring.publish() == .required {
            tally.notifications += 1
            try served?.channel.notify()
        }
        if tally.messages == total { isOver.signal() }
        guard isEmpty else { return .budgetUsed(handled: handled) }
        return turn.mustArm ? .emptied(handled: handled) : .unarmed(handled: handled)
    }
}
