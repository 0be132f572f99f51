import XenCore
import XenTesting

/// The way from the client to the server: a stream, which is late by as much as the seed says.
struct Uplink {
    private let choices: HistoryChoices
    private var parts: [(due: Deadline, bytes: [UInt8])] = []
    /// Whether anything is late.
    var isFaulty = true

    init(_ choices: HistoryChoices) { self.choices = choices }

    mutating func reset() { parts = [] }

    mutating func send(_ bytes: [UInt8], now: Deadline) {
        let isDelayed = isFaulty && choices.happens("delayed request", 0.1)
        let delay = isDelayed ? choices.number("request's delay", in: 1..<1500) : 0
        parts.append((now + .milliseconds(delay), bytes))
    }

    /// What has arrived: what follows something late is late, too.
    mutating func receive(now: Deadline) -> [UInt8] {
        let arrived = parts.prefix { $0.due <= now || !isFaulty }
        parts.removeFirst(arrived.count)
        return arrived.flatMap(\.bytes)
    }

    /// All that is under way.
    func all() -> [UInt8] { parts.flatMap(\.bytes) }
}
