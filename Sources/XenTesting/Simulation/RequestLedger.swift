/// A checker for whoever makes requests: each ends exactly once.
///
/// It stands apart from the parties: whoever plays the requests' user tells it what that user saw.
public final class RequestLedger {
    /// How a request ended for its user.
    public enum Ending: Hashable, Sendable {
        case answered
        /// With an error that says what happened.
        case failed
        /// It may or may not have been carried out: its user died, or was told so.
        case inDoubt
    }

    private var open: Set<Int> = []
    private var endings: [Ending: Int] = [:]

    /// The requests that were begun.
    public private(set) var count = 0

    public init() {}

    /// The requests that have not ended.
    public var openCount: Int { open.count }

    /// How many requests ended this way.
    public func count(of ending: Ending) -> Int { endings[ending, default: 0] }

    /// - Returns: the new request's number: 0, 1 and so on.
    public func begin() -> Int {
        defer { count += 1 }
        open.insert(count)
        return count
    }

    /// Throws when that request has ended before, or never began.
    public func end(_ number: Int, _ ending: Ending) throws(SimulationFailure) {
        guard open.remove(number) != nil else {
            throw SimulationFailure(
                "each request ends exactly once",
                number < count && number >= 0
                    ? "request \(number) ended again, \(ending)"
                    : "\(ending): request \(number), which nobody made")
        }
        endings[ending, default: 0] += 1
    }

    /// Throws when a request has not ended.
    public func expectAllEnded() throws(SimulationFailure) {
        guard let first = open.min() else { return }
        throw SimulationFailure(
            "each request ends exactly once",
            "\(open.count) of \(count) requests never ended, the first is \(first)")
    }
}
