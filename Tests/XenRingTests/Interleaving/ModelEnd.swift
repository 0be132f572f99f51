/// One end of a ring, with what it does between the ring's operations: a state that steps access by access.
protocol ModelEnd {
    associatedtype Phase: RawRepresentable<UInt32>

    /// The operation that comes next or is under way.
    var phase: Phase { get set }

    /// What the operation under way has read so far.
    var reads: [UInt32] { get set }

    /// The states to which one more access can lead, several where this end may choose; none while it sleeps.
    func steps(_ stepped: SteppedPage) throws -> [Self]

    /// All that tells this state from others.
    var key: [UInt32] { get }
}

extension ModelEnd {
    /// This state, with its operation finished, before each of the operations that may follow.
    func before(_ phases: Phase...) -> [Self] {
        phases.map { phase in
            var next = self
            (next.phase, next.reads) = (phase, [])
            return next
        }
    }

    /// This state, with its operation one access further.
    func having(read value: UInt32) -> [Self] {
        var next = self
        next.reads.append(value)
        return [next]
    }

    func expect(_ message: UInt32, _ expected: UInt32) throws(WrongMessage) {
        guard message == expected else { throw WrongMessage(message: message, expected: expected) }
    }
}

/// A message was lost, repeated or overwritten.
struct WrongMessage: Error {
    let message: UInt32
    let expected: UInt32
}
