import XenCore
import XenEvtchn

/// An event channel between the parties, connected and quiet.
struct Doorbell: ~Copyable {
    let left: EventChannel
    let right: EventChannel

    init(_ host: ConformanceHost) throws {
        let left = try host.left.events.bindUnbound(for: host.right.domain)
        let right = try host.right.events.bindInterdomain(to: left.port, of: host.left.domain)
        // A port that binds to another one fires once although nobody rang.
        try expectRing(of: right.port, on: host.right, "after binding")
        self.left = left
        self.right = right
    }

    consuming func close() throws {
        try right.close()
        try left.close()
    }
}

/// Expects this port to ring, and lets it ring again.
func expectRing(of port: EventPort, on party: ConformanceParty, _ moment: String) throws {
    guard let event = try party.events.wait(until: .after(party.patience)) else {
        throw ConformanceFailure("\(moment): expected \(port) to ring, but nothing did")
    }
    try expect("the port that rings \(moment)", event.port, is: port)
    try event.unmask()
}

/// Expects no port of this handle to ring.
func expectSilence(on party: ConformanceParty, _ moment: String) throws {
    if let event = try party.events.wait(until: shortWhile) {
        throw ConformanceFailure("\(moment): expected silence, but \(event.port) rang")
    }
}
