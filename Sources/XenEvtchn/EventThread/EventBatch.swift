public import XenCore

/// The ports that have rung since the batch before: one entry each, in the order in which they rang.
public struct EventBatch: Hashable, Sendable, RandomAccessCollection {
    /// A port, and how often it has become able to ring again since the batch before.
    public struct Entry: Hashable, Sendable {
        public let id: EventThread.PortID
        public let port: EventPort
        public let count: UInt64
    }

    let entries: [Entry]

    public var startIndex: Int { entries.startIndex }
    public var endIndex: Int { entries.endIndex }
    public subscript(index: Int) -> Entry { entries[index] }
}
