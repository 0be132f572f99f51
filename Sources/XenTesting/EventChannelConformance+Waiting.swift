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
    ]
}
