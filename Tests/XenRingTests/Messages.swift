import XenRing

/// Messages of any size, without padding.
struct Wide<let count: Int>: RingMessage {
    static var byteCount: Int { count * 8 }
    var words: InlineArray<count, UInt64>

    init(_ value: UInt64) { words = InlineArray { value &+ UInt64($0) } }

    var value: UInt64 { words[0] }

    /// Whether every word is the one that `init` wrote. Allocates nothing, not even in a debug build.
    var isWhole: Bool {
        var index = 0
        while index < count, words[index] == value &+ UInt64(index) { index += 1 }
        return index == count
    }
}

/// The same in units of 4 bytes.
struct Narrow<let count: Int>: RingMessage {
    static var byteCount: Int { count * 4 }
    var words: InlineArray<count, UInt32>

    init(_ value: UInt64) {
        words = InlineArray { UInt32(truncatingIfNeeded: value) &+ UInt32($0) }
    }

    var value: UInt64 { UInt64(words[0]) }
}

/// What the tests need of a message.
protocol NumberedMessage: RingMessage {
    init(_ value: UInt64)
    var value: UInt64 { get }
}

extension Wide: NumberedMessage {}
extension Narrow: NumberedMessage {}
