import XenCore

/// The other end of a case, by a name, so that a process of its own can be asked to play it.
struct Part {
    let name: String
    /// Ends after `count` items, and returns a sum over all that it read.
    let play: @Sendable (_ props: Props, _ count: UInt64) throws -> UInt64
}

/// What both ends of a case have in hand.
struct Props: Sendable {
    /// A page; all zeros before anyone wrote to it.
    let memory: SharedMemory
    /// Such as the ends of pipes, where the case takes any.
    let descriptors: [Int32]
}

/// Where the other end is.
enum Housing: String, CaseIterable {
    case threads = "two threads"
    case processes = "two processes"
}
