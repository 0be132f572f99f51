/// One case of a row: the same work done by ours and by each peer, in turn.
struct Contest {
    /// Within its row, as "batch 8".
    let name: String
    var measure = Measure.time(per: "request")
    /// Of the usual duration of a round; less where a row has many cases.
    var share = 1.0
    /// Where the case stands in a picture of lines.
    var place: Place?
    /// The least that a round does, as where one item takes milliseconds.
    var leastCount: UInt64 = 1024
    /// Whether a brief run leaves it out.
    var isLong = false
    /// What a reader of the figures should know, as that a peer is missing.
    var remark: String?
    let ours: Contender
    /// What ours is compared with, each with a bar of its own. A bar in cache-line ping-pongs is the peer
    /// `.pingPong`, a bar that is a fixed number the peer `.fixed`, and a bar over another case of ours
    /// a peer that carries that case.
    let peers: [Contender]
}

/// Of a case that differs from others in a number.
struct Place: Codable {
    /// What is done, and drawn as one line.
    let line: String
    let size: Int
}

/// What a contest compares. Less is better.
enum Measure: Hashable {
    /// Nanoseconds, in repeated rounds.
    case time(per: String)
    /// Something counted that comes out the same in every run, as notifications: three rounds make sure of it.
    case count(of: String, per: String, in: UInt64)
    /// Something that a whole run has one of, as its worst pause, in five rounds of this many items.
    case figure(unit: String, in: UInt64)

    var unit: String {
        switch self {
        case .time(let item): "ns/\(item)"
        case .count(let thing, let item, _): "\(thing)/\(item)"
        case .figure(let unit, _): unit
        }
    }
}

/// Ours, or who it is compared with.
struct Contender {
    var name = "ours"
    /// What ours may cost beside this one; nil where it is only shown.
    var bar: Bar?
    /// Whether it reads what ours reads, so that both sums have to be the same.
    var doesSameWork = true
    /// Does the contest's work this many times over.
    let carry: (_ count: UInt64) throws -> Outcome
}

/// As a multiple of a peer's cost.
enum Bar: Hashable {
    case atMost(Double)
    case equal
}

/// What one run gave.
struct Outcome {
    /// Over all that was read, so that no work can be left out.
    let sum: UInt64
    /// The nanoseconds or the things counted in all of the run. Nil: the harness's clock, around all of it.
    var amount: Double?

    /// Of a run of `count` items, which `.figure` measures.
    static func figure(_ value: Double, of count: UInt64, sum: UInt64) -> Outcome {
        Outcome(sum: sum, amount: value * Double(count))
    }
}

extension Contender {
    /// The cache-line ping-pong of this machine, in this run.
    static func pingPong(bar: Double?) -> Contender {
        Contender(
            name: "ping-pong, one way", bar: bar.map(Bar.atMost), doesSameWork: false,
            carry: playPingPong)
    }

    /// A number that ours is held against.
    static func fixed(_ value: Double, _ name: String, bar: Bar) -> Contender {
        Contender(name: name, bar: bar, doesSameWork: false) { count in
            Outcome(sum: count, amount: value * Double(count))
        }
    }
}

/// How long to measure.
struct Effort {
    let rounds: Int
    let roundDuration: Duration

    static let full = Effort(rounds: 11, roundDuration: .milliseconds(100))
    static let quick = Effort(rounds: 9, roundDuration: .milliseconds(10))
}
