import XenCore
package import XenRing

/// A message of traffic whose every byte follows from its number and a seed, so that the other end knows whether it
/// is whole.
package protocol TrafficMessage: RingMessage {
    init(traffic number: UInt32, seed: UInt64)

    /// Nil if a byte is not the one that belongs there.
    func trafficNumber(seed: UInt64) -> Int?

    /// Depends on every byte.
    var trafficSum: UInt64 { get }
}

/// A number, then words that depend on seed, number and place.
struct NumberedWords<let count: Int>: TrafficMessage {
    static var byteCount: Int { count * 4 }
    private let words: InlineArray<count, UInt32>

    init(traffic number: UInt32, seed: UInt64) {
        words = InlineArray { Self.word(seed, number, $0) }
    }

    func trafficNumber(seed: UInt64) -> Int? {
        let number = words[0]
        for place in 1..<count where words[place] != Self.word(seed, number, place) { return nil }
        return Int(number)
    }

    var trafficSum: UInt64 {
        (0..<count).reduce(0) { SplitMix.mix($0 ^ UInt64(words[$1])) }
    }

    private static func word(_ seed: UInt64, _ number: UInt32, _ place: Int) -> UInt32 {
        if place == 0 { return number }
        return UInt32(
            truncatingIfNeeded: SplitMix.mix(seed ^ (UInt64(number) << 32 | UInt64(place))))
    }
}

/// The same in units of 8 bytes, as C aligns a message that holds a `uint64_t`.
struct NumberedLongWords<let count: Int>: TrafficMessage {
    static var byteCount: Int { count * 8 }
    private let words: InlineArray<count, UInt64>

    init(traffic number: UInt32, seed: UInt64) {
        words = InlineArray { Self.word(seed, UInt64(number), $0) }
    }

    func trafficNumber(seed: UInt64) -> Int? {
        let number = words[0]
        for place in 1..<count where words[place] != Self.word(seed, number, place) { return nil }
        return Int(exactly: number)
    }

    var trafficSum: UInt64 { (0..<count).reduce(0) { SplitMix.mix($0 ^ words[$1]) } }

    private static func word(_ seed: UInt64, _ number: UInt64, _ place: Int) -> UInt64 {
        place == 0 ? number : SplitMix.mix(seed ^ (number << 32 | UInt64(place)))
    }
}

/// The bytes of an endless stream.
enum NumberedBytes {
    /// - Parameter position: of the first byte, counted from the stream's beginning.
    static func bytes(at position: Int, count: Int, seed: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        var word: UInt64 = 0
        for place in position..<position + count {
            if bytes.isEmpty || place % 8 == 0 {
                word = SplitMix.mix(seed &+ UInt64(place / 8)) >> UInt64(place % 8 * 8)
            }
            bytes.append(UInt8(truncatingIfNeeded: word))
            word >>= 8
        }
        return bytes
    }
}
