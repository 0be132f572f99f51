/// One end of a byte ring, with what it does between the ring's operations: a state that steps access by access.
protocol ModelByteEnd {
    associatedtype Phase: RawRepresentable<UInt32>

    /// The operation that comes next or is under way.
    var phase: Phase { get set }

    /// What the operation under way has read so far.
    var reads: [UInt32] { get set }

    /// The states to which one more access can lead, several where this end may choose; none while it sleeps.
    func steps(_ stepped: Stepper<BytePage>) throws -> [Self]

    /// All that tells this state from others.
    var key: [UInt32] { get }
}

extension ModelByteEnd {
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
}
