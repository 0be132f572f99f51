import DequeModule
import XenCore

/// The ports of one handle on a device that has no mask: which of them have rung, and which may be returned.
/// A value without I/O; whoever carries it reads the device and writes ports back to it.
struct PortTable: Sendable {
    private var gates: [EventPort: PortGate] = [:]
    /// Ports that have rung and wait to be returned, each once.
    private var waiting: Deque<EventPort> = []
    /// Events were lost, and nobody has been told yet.
    var hasUntoldLoss = false

    /// Whether there is something to return or to tell.
    var isReadable: Bool { hasUntoldLoss || !waiting.isEmpty }

    var isEmpty: Bool { gates.isEmpty }

    var ports: Set<EventPort> { Set(gates.keys) }

    /// Events that were reported and not returned.
    var unreturnedCount: Int { gates.values.count { $0.isWaiting || $0.isPending } }

    mutating func open(_ port: EventPort) { gates[port] = PortGate() }

    /// Forgets a port, and its event with it.
    mutating func close(_ port: EventPort) {
        if gates.removeValue(forKey: port)?.isWaiting == true { takeBack(port) }
    }

    /// The device has reported a port. One that was closed since it rang is ignored.
    mutating func ring(_ port: EventPort) { _ = change(port) { $0.ring() } }

    /// The next port to return.
    mutating func next() -> EventPort? {
        guard let port = waiting.popFirst() else { return nil }
        if let index = gates.index(forKey: port) { _ = gates.values[index].deliver() }
        return port
    }

    mutating func mask(_ port: EventPort) { _ = change(port) { $0.mask() } }

    /// - Returns: whether the device has to let the port ring.
    mutating func unmask(_ port: EventPort) -> Bool { change(port) { $0.unmask() } == .mayRing }

    /// - Returns: whether the device has to let the port ring.
    mutating func rearm(_ port: EventPort) -> Bool { change(port) { $0.rearm() } == .mayRing }

    /// The device did not let the port ring: it is as if it had not been rearmed.
    mutating func undoRearm(_ port: EventPort) { gates[port]?.undoRearm() }

    /// After the device has lost events.
    ///
    /// - Parameter rearm: lets the device ring a port. Where it returns false, the port is returned as if it had rung,
    ///   and is rearmed once more after that.
    mutating func recover(_ rearm: (EventPort) -> Bool) {
        for index in gates.indices where gates.values[index].recover() == .mayRing {
            let port = gates[index].key
            if !rearm(port) { ring(port) }
        }
    }

    private mutating func change(
        _ port: EventPort, _ body: (inout PortGate) -> PortGate.Change
    ) -> PortGate.Change {
        guard let index = gates.index(forKey: port) else { return .nothing }
        let change = body(&gates.values[index])
        switch change {
        case .waits: waiting.append(port)
        case .waitsNoMore: takeBack(port)
        case .nothing, .mayRing: break
        }
        return change
    }

    private mutating func takeBack(_ port: EventPort) { waiting.removeAll { $0 == port } }
}
