import XenCore

// Ports that ring in vain are kept waiting.
extension PortScheduler {
    /// The handler is through with an event: the port is unmasked, unless it rings in vain too often.
    mutating func endEvent(_ index: ServedPorts.Index, _ now: () -> Instant) {
        if table.entries[index].hasWorked {
            table.entries[index].hasWorked = false
            table.entries[index].spuriousInARow = 0
        } else if !table.entries[index].isExcused {
            table.entries[index].spuriousInARow += 1
            if table.entries[index].hasHandler { count(for: index) { $0.spuriousCount += 1 } }
            if let pause = limits.pause(afterSpurious: table.entries[index].spuriousInARow) {
                return hold(index, until: now() + pause)
            }
        }
        table.entries[index].state = .unmasking
        current = .unmask(index)
    }

    private mutating func hold(_ index: ServedPorts.Index, until due: Instant) {
        count(for: index) { $0.stormCount += 1 }
        table.entries[index].state = .held
        table.entries[index].due = due
        held.append(index, to: &table)
        hastenTime(to: due)
    }

    /// Has `next` look at the clock no later than this.
    mutating func hastenTime(to instant: Instant) {
        earliest = min(earliest ?? instant, instant)
    }

    /// Lets pauses and waits end. Costs nothing before the earliest may have.
    mutating func passTime(to now: Instant, _ earliest: Instant) {
        guard earliest <= now else { return }
        self.earliest = nil
        for index in table.occupied {
            if let due = table.entries[index].due {
                if due <= now { makeReady(index) } else { hastenTime(to: due) }
            }
            expireWaiters(of: index, now)
        }
    }
}

extension EventThread.Limits {
    /// How long a port is kept masked after so many events without work; nil for not at all.
    fileprivate func pause(afterSpurious count: Int) -> Duration? {
        guard count > spuriousInARow else { return nil }
        var pause = shortestPause
        for _ in 0..<min(30, count - spuriousInARow - 1) {
            guard pause < longestPause else { break }
            pause *= 2
        }
        return min(pause, longestPause)
    }
}
