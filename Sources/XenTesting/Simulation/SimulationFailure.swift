/// A promise that a history broke.
public struct SimulationFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The promise, in the same words in every history: shrinking keeps to histories that break the same one.
    public let promise: String
    /// What happened to what.
    public let message: String

    public init(_ promise: String, _ message: String) {
        self.promise = promise
        self.message = message
    }

    public var description: String { "\(promise): \(message)" }
}
