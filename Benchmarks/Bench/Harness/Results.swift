/// What was measured: `results.json`, from which tables and charts are made.
struct Results: Codable {
    var rows: [RowResult] = []

    /// Takes a row in, in place of an older one of its name, in the order of `names`.
    mutating func add(_ row: RowResult, order names: [String]) {
        rows.removeAll { $0.name == row.name }
        rows.append(row)
        rows.sort { (names.firstIndex(of: $0.name) ?? 0) < (names.firstIndex(of: $1.name) ?? 0) }
    }
}

struct RowResult: Codable {
    let name: String
    let summary: String
    let machine: Machine
    let command: String
    let seconds: Double
    var cases: [CaseResult]
}

struct CaseResult: Codable {
    let name: String
    let place: Place?
    let unit: String
    /// The median over the rounds.
    let ours: Double
    let allocationsPerItem: Double?
    let peers: [PeerResult]
    /// What other programs took of the processors meanwhile; nil where it is unknown.
    let otherLoad: Double?
    /// What a reader should know besides.
    let remark: String?

    /// Whether other programs took so much of the processors that the figures mean little.
    var isSpoiled: Bool { (otherLoad ?? 0) > 0.15 }
}

struct PeerResult: Codable {
    let name: String
    /// The median, in the case's unit.
    let value: Double
    /// The median of ours over this peer's, round by round, and its range. Absent where the peer's is nothing.
    let ratio: Double?
    let lowestRatio: Double?
    let highestRatio: Double?
    /// What the ratio may be at most; absent where the peer is only shown.
    let bar: Double?
    let isMet: Bool?
}

/// Where a row was measured.
struct Machine: Codable {
    let processor: String
    let processorCount: Int
    let system: String
    /// Nanoseconds that a cache line takes one way between two processors, in this run.
    let pingPong: Double
}

extension CaseResult {
    init(_ contest: Contest, _ measurement: Measurement) {
        let ours = measurement.series[0]
        self.init(
            name: contest.name, place: contest.place, unit: contest.measure.unit,
            ours: rounded(median(ours.values) ?? 0),
            allocationsPerItem: measurement.allocationsPerItem,
            peers: zip(contest.peers, measurement.series.dropFirst()).map {
                PeerResult($0, ours: ours, theirs: $1)
            },
            otherLoad: measurement.otherLoad.map(rounded), remark: contest.remark)
    }
}

extension PeerResult {
    init(_ peer: Contender, ours: Series, theirs: Series) {
        let ratios = ours.ratios(over: theirs).filter(\.isFinite)
        let middle = median(ratios).map(rounded)
        let (bar, isMet): (Double?, Bool?) =
            switch peer.bar {
            case nil: (nil, nil)
            case .atMost(let most): (most, middle.map { $0 <= most } ?? false)
            case .equal: (1, ours.values == theirs.values)
            }
        self.init(
            name: peer.name, value: rounded(median(theirs.values) ?? 0), ratio: middle,
            lowestRatio: ratios.first.map(rounded), highestRatio: ratios.last.map(rounded),
            bar: bar, isMet: isMet)
    }
}

/// To three digits after the point, which is more than most measurements are worth.
private func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
