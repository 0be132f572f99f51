import XenCore

// What the thread has done, and what came of it.
extension PortScheduler {
    /// This port has rung, and is masked.
    package mutating func rang(_ port: EventPort) {
        guard let index = table.find(port) else {
            counters.staleCount += 1
            return
        }
        count(for: index) { $0.eventCount += 1 }
        markRung(index)
    }

    /// Events were lost, so that each port may have rung.
    package mutating func overflowed() {
        counters.overflowCount += 1
        for index in table.occupied { markRung(index) }
    }

    /// The port's `poll` closure saw work.
    package mutating func polled(_ id: PortID) {
        guard let index = table.find(id) else { return }
        count(for: index) { $0.pollCount += 1 }
        switch table.entries[index].state {
        case .idle, .unarmed, .held: makeReady(index)
        case .vacant, .ready, .serving, .unmasking: break
        }
    }

    /// A handler's turn has ended.
    package mutating func served(
        _ id: PortID, _ outcome: EventThread.Outcome, now: () -> Instant
    ) {
        guard let index = table.find(id), table.entries[index].state == .serving else { return }
        noteHandled(outcome.handled, at: index)
        switch outcome {
        case .budgetUsed:
            hasSpun = false
            makeReady(index)
        case .emptied, .unarmed:
            precondition(
                outcome.isArmed || !table.entries[index].mustArm,
                "a handler left its ring unarmed in a turn that had to arm it")
            table.entries[index].mustArm = outcome.isArmed
            if table.entries[index].isMasked { endEvent(index, now) } else { settle(index) }
        }
    }

    /// A port has been unmasked, and can ring again. Whoever waits for it is told, then its handler looks again.
    package mutating func unmasked(_ id: PortID) {
        guard let index = table.find(id), current == .unmask(index) else { return }
        table.entries[index].isMasked = false
        table.entries[index].isExcused = false
        table.entries[index].activationCount += 1
        wakeSatisfied(index)
        if table.entries[index].hasHandler {
            current = .look(index)
        } else {
            current = nil
            settle(index)
        }
    }

    package mutating func ranJobs(_ count: Int) {
        counters.jobCount += UInt64(count)
        if count > 0 { hasSpun = false }
    }

    package mutating func spun(for duration: Duration, foundWork: Bool) {
        policy.spun(for: duration, foundWork: foundWork)
        if foundWork { counters.spinCount += 1 } else { counters.vainSpinCount += 1 }
    }

    package mutating func slept() {
        policy.slept()
        counters.sleepCount += 1
        hasSpun = false
    }

    private mutating func noteHandled(_ handled: Int, at index: ServedPorts.Index) {
        guard handled > 0 else { return }
        count(for: index) { $0.messageCount += UInt64(handled) }
        table.entries[index].hasWorked = true
        hasSpun = false
    }

    private mutating func markRung(_ index: ServedPorts.Index) {
        hasSpun = false
        table.entries[index].isMasked = true
        switch table.entries[index].state {
        case .idle, .unarmed: makeReady(index)
        case .vacant, .ready, .held, .serving, .unmasking: break
        }
    }

    /// Counts something for a port and for all of them.
    mutating func count(
        for index: ServedPorts.Index, _ change: (inout EventThread.PortCounters) -> Void
    ) {
        change(&counters.ports)
        change(&table.entries[index].counters)
    }
}

extension EventThread.Outcome {
    fileprivate var handled: Int {
        switch self {
        case .emptied(let handled), .budgetUsed(let handled), .unarmed(let handled): handled
        }
    }

    fileprivate var isArmed: Bool { if case .unarmed = self { false } else { true } }
}
