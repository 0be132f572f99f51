/// One case of a benchmark: a number of requests carried by ours and by a peer, in turn.
struct Contest {
    /// Carries this many requests, and returns a sum over all that it read.
    typealias Carrier = (_ requestCount: UInt64) throws -> UInt64

    let name: String
    let caseName: String
    /// What ours may take at most, as a multiple of the peer's time.
    let bar: Double
    let ours: Carrier
    let peerName: String
    /// Nil where the peer could not be built in.
    let peer: Carrier?
}

/// How long to measure.
struct Effort {
    let rounds: Int
    let roundDuration: Duration

    static let full = Effort(rounds: 11, roundDuration: .milliseconds(100))
    static let quick = Effort(rounds: 9, roundDuration: .milliseconds(10))
}
