/// A line of the results: in the table, and in `.build/bench/results.json`.
struct Row: Codable {
    let name: String
    let `case`: String
    let unit: String
    let ours: Double
    let peer: String
    /// The peer's value, in the same unit; absent where the peer could not be built in.
    let peerValue: Double?
    /// The median of ours over the peer's, round by round, and its range.
    let ratio: Double?
    let lowestRatio: Double?
    let highestRatio: Double?
    let bar: Double
    let met: Bool?
    let allocationsPerRequest: Double?

    init(_ contest: Contest, _ measurement: Measurement) {
        name = contest.name
        `case` = contest.caseName
        unit = "ns/request"
        ours = rounded(measurement.ours)
        peer = contest.peerName
        peerValue = measurement.peer.map(rounded)
        ratio = measurement.ratio.map(rounded)
        lowestRatio = measurement.ratios.first.map(rounded)
        highestRatio = measurement.ratios.last.map(rounded)
        bar = contest.bar
        met = ratio.map { $0 <= contest.bar }
        allocationsPerRequest = measurement.allocationsPerRequest
    }
}

/// To two decimals, which is more than the measurement is worth.
private func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
