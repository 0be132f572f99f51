import XenCore
import XenEvtchn
import XenSystem

// What concerns the whole handle, and virtual interrupts.
extension EventChannelConformance {
    static let handles = [
        ConformanceCheck("the descriptor is readable while an event waits, and not before or after")
        {
            host in
            let doorbell = try Doorbell(host)
            let descriptor = try host.left.events.descriptor
            try expectReadable(descriptor, false, "before anything rang")
            host.left.events.interrupt()
            try expectReadable(descriptor, false, "after an interruption")
            try expect(try host.left.events.wait(until: .now) == nil, "an event that nobody caused")
            for round in 1...3 {
                try doorbell.right.notify()
                try waitUntilReadable(descriptor, until: .after(host.left.patience))
                for _ in 0..<2 { try expectReadable(descriptor, true, "in round \(round)") }
                guard let event = try host.left.events.wait(until: .now) else {
                    throw ConformanceFailure("the descriptor is readable, but nothing rang")
                }
                try doorbell.right.notify()
                try expectReadable(descriptor, false, "while the port is silent")
                try event.unmask()
                try waitUntilReadable(descriptor, until: .after(host.left.patience))
                try expectReadable(descriptor, true, "after unmasking")
                try expectRing(of: doorbell.left.port, on: host.left, "in round \(round)")
                try expectReadable(descriptor, false, "at the end of round \(round)")
            }
            try doorbell.close()
        },
        ConformanceCheck(
            "what rang before a port was masked makes the descriptor readable once it is unmasked"
        ) {
            host in
            let doorbell = try Doorbell(host)
            let descriptor = try host.left.events.descriptor
            try doorbell.right.notify()
            // A device that has not reported the ring yet may do so later, and be readable with nothing to return.
            try waitUntilReadable(descriptor, until: .after(host.left.patience))
            try doorbell.left.mask()
            try expect(try host.left.events.wait(until: .now) == nil, "an event of a masked port")
            try expectReadable(descriptor, false, "while the port is masked")
            try doorbell.left.unmask()
            try waitUntilReadable(descriptor, until: .after(host.left.patience))
            try expectReadable(descriptor, true, "after unmasking")
            try expectRing(of: doorbell.left.port, on: host.left, "after unmasking")
            try doorbell.close()
        },
        ConformanceCheck(
            "a virtual interrupt is bound once in a domain, and again after it was closed"
        ) {
            host in
            // A processor's own, so that any domain may have it, and one that no kernel takes.
            let interrupt = VirtualInterrupt.profiler
            for _ in 0..<2 {
                let channel = try host.left.events.bindVirtualInterrupt(interrupt)
                try expectRefusal(of: "\(interrupt), bound twice", as: .alreadyBound) {
                    () throws(EventChannelError) in
                    try host.left.events.bindVirtualInterrupt(interrupt).close()
                }
                try channel.notify()
                try expectSilence(on: host.left, "after ringing an interrupt's port from this end")
                try channel.close()
            }
            for number: UInt32 in [VirtualInterrupt.count, 1 << 31, .max] {
                let none = VirtualInterrupt(rawValue: number)
                try expectRefusal(of: "\(none)", as: .refused) { () throws(EventChannelError) in
                    try host.left.events.bindVirtualInterrupt(none).close()
                }
            }
        },
        ConformanceCheck(
            "a restricted handle makes ports for one domain alone, for good, and keeps what it has"
        ) {
            host in
            let doorbell = try Doorbell(host)
            let waiting = try host.right.events.bindUnbound(for: host.left.domain)
            for domain in [.dom0, DomainID.firstReserved, DomainID(.max)] {
                try expectRefusal(of: "a restriction to \(domain)", as: .refused) {
                    () throws(EventChannelError) in try host.left.events.restrict(to: domain)
                }
            }
            try host.left.events.restrict(to: host.stranger)
            for domain in [host.stranger, host.right.domain, DomainID(1)] {
                try expectRefusal(of: "a second restriction", as: .notPermitted) {
                    () throws(EventChannelError) in try host.left.events.restrict(to: domain)
                }
                try expectRefusal(of: "an unbound port", as: .notPermitted) {
                    () throws(EventChannelError) in
                    try host.left.events.bindUnbound(for: domain).close()
                }
            }
            try expectRefusal(of: "another domain's port", as: .notPermitted) {
                () throws(EventChannelError) in
                try host.left.events.bindInterdomain(
                    to: waiting.port, of: host.right.domain
                ).close()
            }
            try expectRefusal(of: "a virtual interrupt", as: .notPermitted) {
                () throws(EventChannelError) in
                try host.left.events.bindVirtualInterrupt(.profiler).close()
            }
            // The stranger does not exist; what matters is that the handle lets the question through.
            try expectRefusal(of: "a port of its own domain", as: .badRemotePort) {
                () throws(EventChannelError) in
                try host.left.events.bindInterdomain(to: EventPort(1), of: host.stranger).close()
            }
            try doorbell.right.notify()
            try expectRing(of: doorbell.left.port, on: host.left, "after the restriction")
            try doorbell.left.notify()
            try expectRing(of: doorbell.right.port, on: host.right, "after the restriction")
            try doorbell.close()
            try waiting.close()
        },
        ConformanceCheck("after a resume the old handle is stale, and a new one takes its place") {
            host in
            let old = host.left.events
            let descriptor = try old.descriptor
            let new = try old.afterResume()
            try expect("the epoch of the new handle", new.epoch, is: old.epoch.next)
            try expect("its epoch, asked for again", try old.afterResume().epoch, is: new.epoch)
            try expect(
                try old.afterResume().descriptor == new.descriptor,
                "a second call returned another handle")
            try expectReadable(descriptor, true, "on the old handle")
            try expectRefusal(of: "a wait", as: .stale) { () throws(EventChannelError) in
                _ = try old.wait(until: .after(host.left.patience))
            }
            try expectRefusal(of: "a new port", as: .stale) { () throws(EventChannelError) in
                try old.bindUnbound(for: host.right.domain).close()
            }
            try expectRefusal(of: "an interrupt", as: .stale) { () throws(EventChannelError) in
                try old.bindVirtualInterrupt(.profiler).close()
            }
            try expectRefusal(of: "a restriction", as: .stale) { () throws(EventChannelError) in
                try old.restrict(to: host.stranger)
            }
            let near = try new.bindUnbound(for: host.right.domain)
            let far = try host.right.events.bindInterdomain(to: near.port, of: host.left.domain)
            try far.notify()
            guard let event = try new.wait(until: .after(host.left.patience)) else {
                throw ConformanceFailure("the new handle heard nothing")
            }
            try expect("the port that rings", event.port, is: near.port)
            try event.unmask()
            try far.close()
            try near.close()
            try expect("events that came too late", new.staleEventCount, is: 0)
        },
        ConformanceCheck("a wait that is under way ends when its handle goes stale") { host in
            let events = host.left.events
            let thread = try PlatformThread { _ = try? events.afterResume() }
            try expectRefusal(of: "the wait", as: .stale) { () throws(EventChannelError) in
                _ = try events.wait(until: .after(host.left.patience))
            }
            thread.join()
        },
    ]
}

private func expectReadable(_ descriptor: Int32, _ expected: Bool, _ moment: String) throws {
    let isReadable = try poll([(descriptor, .readable)], until: .now).isReadable(0)
    try expect("whether the descriptor is readable \(moment)", isReadable, is: expected)
}
