/// The bytes that decide everything in one run: what we do, and what the peer writes when. Zeros follow their end.
package final class FuzzInput {
    private let bytes: [UInt8]
    private var position = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position >= bytes.count }

    func byte() -> UInt8 {
        guard position < bytes.count else { return 0 }
        defer { position += 1 }
        return bytes[position]
    }

    func word() -> UInt32 {
        (0..<4).reduce(0) { word, _ in word << 8 | UInt32(byte()) }
    }

    /// Some bytes, fewer at the end of the input.
    func bytes(_ count: Int) -> [UInt8] {
        let end = min(bytes.count, position + count)
        defer { position = end }
        return Array(bytes[position..<end])
    }

    /// All bytes that are left.
    func rest() -> [UInt8] { bytes(bytes.count - position) }

    /// A number below `bound`, which is at most 256, from one byte.
    func choice(below bound: Int) -> Int { Int(byte()) % bound }

    /// One of some values, by one byte.
    func pick<Value>(_ values: [Value]) -> Value { values[choice(below: values.count)] }

    /// A number below `bound`.
    func number(below bound: Int) -> Int { Int(word()) % bound }
}
