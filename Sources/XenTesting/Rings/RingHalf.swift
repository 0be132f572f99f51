import XenCore
import XenEvtchn

/// One half of a check while it runs: its party, and its way to the other half. For one thread.
final class RingHalf {
    let party: ConformanceParty
    /// The other half's domain.
    let peer: DomainID

    private let rendezvous: any Rendezvous
    /// Texts that came while something else was waited for.
    private var early: [Message] = []
    private var peerVerdict: Message?

    init(_ party: ConformanceParty, peer: DomainID, rendezvous: any Rendezvous) {
        self.party = party
        self.peer = peer
        self.rendezvous = rendezvous
    }

    /// Longer than the other half waits for an event, so that it can say what it waited for.
    private var longPatience: Duration { party.patience * 3 }
}

extension RingHalf {
    /// Tells the other half some numbers.
    func tell(_ numbers: [UInt32]) throws { try say(.numbers(numbers)) }

    /// The other half's numbers.
    func hear(_ what: String, count: Int? = nil) throws -> [UInt32] {
        guard case .numbers(let numbers) = try next(what), numbers.count == count ?? numbers.count
        else { throw ConformanceFailure("the halves are out of step: expected \(what)") }
        return numbers
    }

    /// Waits until the other half is here too.
    func meet(_ what: String, saying place: String = "") throws {
        try say(.here(place))
        guard case .here(place) = try next(what) else {
            throw ConformanceFailure("the halves are out of step: expected \(what)")
        }
    }

    /// Ends the half: tells the other one how it went, and hears of it.
    func conclude(_ outcome: Result<Void, any Error>) throws {
        var awaited = "its verdict"
        var duration = longPatience
        switch outcome {
        case .success: try say(.passed)
        case .failure(let error):
            try say(.failed("\(error)"))
            if error is RendezvousSilence { throw error }
            awaited += " (this half ended with: \(error))"
            // The other half need not come to an end of its own: it looks for our word in each wait.
            duration = party.patience
        }
        while peerVerdict == nil { note(try receive(awaited, within: duration)) }
        try outcome.get()
        if case .failed(let reason) = peerVerdict { throw Self.failure(of: reason) }
    }

    private static func failure(of reason: String) -> ConformanceFailure {
        ConformanceFailure("the other half failed: \(reason)")
    }
}

// Events.
extension RingHalf {
    /// Blocks until a port of this half rings, and lets it ring again. The other half's failure ends the wait early.
    func nextRing(_ what: String) throws -> EventPort {
        let deadline = Deadline.after(party.patience)
        while true {
            let soon = min(deadline, .after(.seconds(1)))
            if let port = try ring(until: soon) { return port }
            try lookAtPeer()
            if deadline.hasPassed {
                throw ConformanceFailure(
                    "\(what): expected an event within \(party.patience), but nothing rang")
            }
        }
    }

    /// The next port of this half that rings, and may ring again by then; nil for none by the deadline.
    func ring(until deadline: Deadline) throws -> EventPort? {
        guard let event = try party.events.wait(until: deadline) else { return nil }
        let port = event.port
        try event.unmask()
        return port
    }

    /// Throws if the other half has failed.
    func lookAtPeer() throws {
        while let text = try rendezvous.receive(until: .now) { note(try Message(text)) }
        if case .failed(let reason) = peerVerdict { throw Self.failure(of: reason) }
    }
}

// The texts.
extension RingHalf {
    private func say(_ message: Message) throws { try rendezvous.send(message.text) }

    private func next(_ what: String) throws -> Message {
        while early.isEmpty {
            switch peerVerdict {
            case .failed(let reason): throw Self.failure(of: reason)
            case nil: note(try receive(what, within: longPatience))
            default: throw ConformanceFailure("the other half ended where \(what) was expected")
            }
        }
        return early.removeFirst()
    }

    private func receive(_ what: String, within duration: Duration) throws -> Message {
        guard let text = try rendezvous.receive(until: .after(duration)) else {
            throw RendezvousSilence(duration: duration, awaited: what)
        }
        return try Message(text)
    }

    private func note(_ message: Message) {
        switch message {
        case .passed, .failed: peerVerdict = message
        case .numbers, .here: early.append(message)
        }
    }
}
