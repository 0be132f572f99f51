import XenCore
import XenEvtchn
import XenSystem

/// What every `EventChannelBackend` must do.
public enum EventChannelConformance {
    public static let checks =
        ringing + waiting + refusals + masking + handles + eventThread
}

extension EventChannelConformance {
    static let ringing = [
        ConformanceCheck("each side can ring the other") { host in
            let doorbell = try Doorbell(host)
            for _ in 0..<10 {
                try doorbell.right.notify()
                try expectRing(of: doorbell.left.port, on: host.left, "from the right")
                try doorbell.left.notify()
                try expectRing(of: doorbell.right.port, on: host.right, "from the left")
            }
            try doorbell.close()
        },
        ConformanceCheck("binding fires the new port once, and only that one") { host in
            let doorbell = try Doorbell(host)
            try expectSilence(on: host.left, "after the peer has bound")
            try expectSilence(on: host.right, "after the first event")
            try doorbell.close()
        },
        ConformanceCheck("a port that rang is silent until it is unmasked, and forgets nothing") {
            host in
            let doorbell = try Doorbell(host)
            try doorbell.right.notify()
            guard let event = try host.left.events.wait(until: .after(host.left.patience)) else {
                throw ConformanceFailure("expected \(doorbell.left.port) to ring, but nothing did")
            }
            for _ in 0..<3 { try doorbell.right.notify() }
            try expectSilence(on: host.left, "while it is masked")
            try event.unmask()
            try expectRing(of: doorbell.left.port, on: host.left, "after unmasking")
            try expectSilence(on: host.left, "after three rings that were merged into one")
            try doorbell.close()
        },
        ConformanceCheck("an event that is dropped leaves its port able to ring") { host in
            let doorbell = try Doorbell(host)
            for _ in 0..<3 {
                try doorbell.right.notify()
                _ = try host.left.events.wait(until: .after(host.left.patience))
            }
            try doorbell.right.notify()
            try expectRing(of: doorbell.left.port, on: host.left, "after dropped events")
            try doorbell.close()
        },
        ConformanceCheck("of many ports each rings for itself") { host in
            let right = host.right.eventBackend
            let left = host.left.eventBackend
            var pairs: [(left: EventPort, right: EventPort)] = []
            for _ in 0..<16 {
                let port = try left.bindUnbound(for: host.right.domain)
                let bound = try right.bindInterdomain(to: port, of: host.left.domain)
                try expectRing(of: bound, on: host.right, "after binding")
                pairs.append((port, bound))
            }
            for pair in pairs { try right.notify(pair.right) }
            var rung: Set<EventPort> = []
            for _ in pairs {
                guard let port = try left.nextPending(until: .after(host.left.patience)) else {
                    break
                }
                rung.insert(port)
            }
            try expect("ports that rang", rung, is: Set(pairs.map(\.left)))
            for pair in pairs {
                try left.unbind(pair.left)
                try right.unbind(pair.right)
            }
        },
        ConformanceCheck("when the peer closes, ringing it is harmless, and it can bind again") {
            host in
            let left = try host.left.events.bindUnbound(for: host.right.domain)
            for _ in 0..<3 {
                let right = try host.right.events.bindInterdomain(
                    to: left.port, of: host.left.domain)
                try expectRing(of: right.port, on: host.right, "after binding")
                try right.close()
                try left.notify()
                try expectSilence(on: host.left, "after the peer's close")
            }
            try left.close()
        },
        ConformanceCheck("round trips between two threads lose nothing") { host in
            let doorbell = try Doorbell(host)
            let rounds = host.rounds(1000)
            let echo = host.right.eventBackend
            let port = doorbell.right.port
            let patience = host.right.patience
            let thread = try PlatformThread {
                for _ in 0..<rounds {
                    guard (try? echo.nextPending(until: .after(patience))) == port else { return }
                    try? echo.unmask(port)
                    try? echo.notify(port)
                }
            }
            for round in 1...rounds {
                try doorbell.left.notify()
                try expectRing(of: doorbell.left.port, on: host.left, "in round \(round)")
            }
            thread.join()
            try doorbell.close()
        },
    ]
}
