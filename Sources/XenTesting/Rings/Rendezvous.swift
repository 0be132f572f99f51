public import XenCore

/// How the two halves of a check, in processes of any two domains, tell each other what they have made and how it
/// went: each receives the other's texts in the order in which they were sent. A test inside one process has
/// `LocalRendezvous`; between domains it is the store, or whatever else joins them.
public protocol Rendezvous: Sendable {
    /// Sends a text of a few hundred bytes at the most. Does not wait for the other half.
    func send(_ text: String) throws

    /// Blocks until the other half's next text is there, or the deadline has passed: nil then.
    func receive(until deadline: Deadline) throws -> String?
}

/// The other half has said nothing for so long that its process must have gone. Whatever checks are left cannot be run.
public struct RendezvousSilence: Error, CustomStringConvertible {
    /// For how long.
    public let duration: Duration
    /// What was waited for.
    public let awaited: String

    public var description: String {
        "the other half has said nothing for \(duration), when \(awaited) was expected"
    }
}
