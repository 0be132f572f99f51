import Synchronization
import XenCore
import XenEvtchn
import XenSystem

extension EventChannelConformance {
    static let masking = [
        ConformanceCheck(
            "a masked port is silent, and what rings meanwhile rings once it is unmasked"
        ) {
            host in
            let doorbell = try Doorbell(host)
            for ringCount in [0, 1, 3] {
                try doorbell.left.mask()
                for _ in 0..<ringCount { try doorbell.right.notify() }
                try expectSilence(on: host.left, "while the port is masked")
                try doorbell.left.unmask()
                if ringCount > 0 {
                    try expectRing(of: doorbell.left.port, on: host.left, "after unmasking")
                }
                // Of several rings a kernel may have kept one, and the handle another.
                if ringCount > 1 { _ = try host.left.events.wait(until: shortWhile) }
                try expectSilence(on: host.left, "after that")
            }
            try doorbell.right.notify()
            try expectRing(of: doorbell.left.port, on: host.left, "when all is over")
            try doorbell.close()
        },
        ConformanceCheck("a mask holds for an event that has rung and was not returned yet") {
            host in
            let doorbell = try Doorbell(host)
            let other = try Doorbell(host)
            try doorbell.right.notify()
            try doorbell.left.mask()
            try other.right.notify()
            try expectRing(of: other.left.port, on: host.left, "beside the masked port")
            try expectSilence(on: host.left, "from the masked port")
            try doorbell.left.unmask()
            try expectRing(of: doorbell.left.port, on: host.left, "after unmasking")
            try doorbell.close()
            try other.close()
        },
        ConformanceCheck("dealing with an event does not undo a mask that was set meanwhile") {
            host in
            let doorbell = try Doorbell(host)
            try doorbell.right.notify()
            guard let event = try host.left.events.wait(until: .after(host.left.patience)) else {
                throw ConformanceFailure("expected \(doorbell.left.port) to ring, but nothing did")
            }
            try doorbell.left.mask()
            try event.unmask()
            try doorbell.right.notify()
            try expectSilence(on: host.left, "while the port is masked")
            try doorbell.left.unmask()
            try expectRing(of: doorbell.left.port, on: host.left, "after unmasking")
            try doorbell.right.notify()
            try expectRing(of: doorbell.left.port, on: host.left, "once more")
            try doorbell.close()
        },
        ConformanceCheck("masking a port that is not the handle's does nothing") { host in
            let doorbell = try Doorbell(host)
            for port in [doorbell.right.port, EventPort(0), EventPort(.max)] {
                try host.left.eventBackend.mask(port)
                try host.left.eventBackend.rearm(port)
                try host.left.eventBackend.unmask(port)
            }
            try doorbell.left.notify()
            try expectRing(
                of: doorbell.right.port, on: host.right, "although the other side masked")
            try doorbell.close()
        },
        ConformanceCheck("masking and unmasking in one thread while another waits loses nothing") {
            host in
            let doorbell = try Doorbell(host)
            let (waiter, port, patience) = (
                host.left.eventBackend, doorbell.left.port, host.left.patience
            )
            let isMasked = Mutex(false)
            let mistakes = Mutex(0)
            let rounds = host.rounds(300)
            let thread = try PlatformThread {
                for _ in 0..<rounds {
                    guard (try? waiter.nextPending(until: .after(patience))) == port else { return }
                    if isMasked.withLock(\.self) { mistakes.withLock { $0 += 1 } }
                    try? waiter.rearm(port)
                    try? waiter.notify(port)
                }
            }
            for round in 1...rounds {
                try doorbell.left.mask()
                isMasked.withLock { $0 = true }
                try doorbell.right.notify()
                isMasked.withLock { $0 = false }
                try doorbell.left.unmask()
                // The other thread has heard it, and answers.
                try expectRing(of: doorbell.right.port, on: host.right, "in round \(round)")
            }
            thread.join()
            try expect("events of a masked port", mistakes.withLock(\.self), is: 0)
            try doorbell.close()
        },
    ]
}
