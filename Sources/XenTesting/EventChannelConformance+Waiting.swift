import Synchronization
import XenCore
import XenEvtchn
import XenSystem

extension EventChannelConformance {
    static let waiting = [
        ConformanceCheck("a wait ends at its deadline, not before") { host in
            let channel = try host.left.events.bindUnbound(for: host.right.domain)
            for milliseconds in [0, 1, 20] {
                let deadline = Deadline.after(.milliseconds(milliseconds))
                let event = try host.left.events.wait(until: deadline)
                try expect(event == nil, "an event that nobody caused")
                try expect(deadline.hasPassed, "woken \(deadline.remaining) before the deadline")
            }
            try channel.close()
        },
        ConformanceCheck("an interruption ends the wait that comes after it, and only that one") {
            host in
            let doorbell = try Doorbell(host)
            host.left.events.interrupt()
            host.left.events.interrupt()
            let deadline = Deadline.after(host.left.patience)
            try expect(
                try host.left.events.wait(until: deadline) == nil, "an event that nobody caused")
            try expect(!deadline.hasPassed, "an interruption before the wait did not end it")
            try doorbell.right.notify()
            try expectRing(of: doorbell.left.port, on: host.left, "after an interruption")
            try doorbell.close()
        },
        ConformanceCheck("an interruption ends the wait that is under way") { host in
            let waiter = host.left.events
            let thread = try PlatformThread { waiter.interrupt() }
            let deadline = Deadline.after(host.left.patience)
            try expect(try waiter.wait(until: deadline) == nil, "an event that nobody caused")
            try expect(!deadline.hasPassed, "an interruption during the wait did not end it")
            thread.join()
        },
        ConformanceCheck("an interruption does not take an event away") { host in
            let doorbell = try Doorbell(host)
            try doorbell.right.notify()
            host.left.events.interrupt()
            var ports: [EventPort] = []
            for _ in 0..<2 {
                if let event = try host.left.events.wait(until: .after(host.left.patience)) {
                    ports.append(event.port)
                }
            }
            try expect("events of two waits", ports, is: [doorbell.left.port])
            try doorbell.close()
        },
        ConformanceCheck(
            "a port that rings while it is being bound is not lost to a waiting thread"
        ) {
            host in
            let party = host.right
            let count = 64
            let heard = Mutex<Set<EventPort>>([])
            let thread = try PlatformThread {
                let deadline = Deadline.after(party.patience)
                while heard.withLock({ $0.count }) < count,
                    let event = try? party.events.wait(until: deadline)
                {
                    heard.withLock { _ = $0.insert(event.port) }
                }
            }
            var ports: [(left: EventPort, right: EventPort)] = []
            for _ in 0..<count {
                let left = try host.left.eventBackend.bindUnbound(for: party.domain)
                // Fires once by itself, maybe before this call has returned.
                let right = try party.eventBackend.bindInterdomain(
                    to: left, of: host.left.domain)
                ports.append((left, right))
            }
            thread.join()
            let deaf = ports.filter { pair in !heard.withLock { $0.contains(pair.right) } }
            for pair in ports {
                try party.eventBackend.unbind(pair.right)
                try host.left.eventBackend.unbind(pair.left)
            }
            try expect(deaf.isEmpty, "\(deaf.count) of \(count) new ports never rang")
        },
    ]
}
