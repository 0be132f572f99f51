import XenCore
import XenEvtchn

extension EventChannelConformance {
    static let refusals = [
        ConformanceCheck("a remote port that does not exist cannot be bound to") { host in
            for number: UInt32 in [0, 1 << 17, 1 << 31, .max - 1, .max] {
                let port = EventPort(number)
                try expectRefusal(of: "\(port)", as: .badRemotePort) {
                    () throws(EventChannelError) in
                    try host.right.events.bindInterdomain(to: port, of: host.left.domain).close()
                }
            }
        },
        ConformanceCheck("a port of a domain that does not exist cannot be bound to") { host in
            try expectRefusal(of: "a stranger's port", as: .badRemotePort) {
                () throws(EventChannelError) in
                try host.right.events.bindInterdomain(to: EventPort(1), of: host.stranger).close()
            }
        },
        ConformanceCheck("a port that waits for another domain cannot be bound to") { host in
            let channel = try host.left.events.bindUnbound(for: host.stranger)
            try expectRefusal(of: "a stranger's port", as: .badRemotePort) {
                () throws(EventChannelError) in
                try host.right.events.bindInterdomain(
                    to: channel.port, of: host.left.domain
                ).close()
            }
            try channel.close()
        },
        ConformanceCheck("a port that is bound cannot be bound to again") { host in
            let doorbell = try Doorbell(host)
            for _ in 0..<2 {
                try expectRefusal(of: "a bound port", as: .badRemotePort) {
                    () throws(EventChannelError) in
                    try host.right.events.bindInterdomain(
                        to: doorbell.left.port, of: host.left.domain
                    ).close()
                }
            }
            try doorbell.close()
        },
        ConformanceCheck("a port that is not the handle's can be neither rung nor closed") { host in
            let backend = host.left.eventBackend
            let closed = try backend.bindUnbound(for: host.right.domain)
            try backend.unbind(closed)
            let others = [0, 1 << 17, 1 << 31, .max - 1, .max].map { EventPort($0) }
            for port in [closed] + others {
                try expectRefusal(of: "ringing \(port)", as: .badPort) {
                    () throws(EventChannelError) in
                    try backend.notify(port)
                }
                try expectRefusal(of: "closing \(port)", as: .badPort) {
                    () throws(EventChannelError) in
                    try backend.unbind(port)
                }
            }
        },
        ConformanceCheck("a port that was closed since it rang is not reported") { host in
            let doorbell = try Doorbell(host)
            let other = try Doorbell(host)
            try doorbell.right.notify()
            try other.right.notify()
            try doorbell.close()
            try expectRing(of: other.left.port, on: host.left, "after the first port was closed")
            try expectSilence(on: host.left, "after the second port rang")
            try other.close()
        },
        ConformanceCheck("unmasking a port that was closed since it rang does nothing") { host in
            let doorbell = try Doorbell(host)
            try doorbell.right.notify()
            guard let event = try host.left.events.wait(until: .after(host.left.patience)) else {
                throw ConformanceFailure("expected \(doorbell.left.port) to ring, but nothing did")
            }
            try doorbell.close()
            try event.unmask()
            try expectSilence(on: host.left, "after unmasking a closed port")
        },
    ]
}
