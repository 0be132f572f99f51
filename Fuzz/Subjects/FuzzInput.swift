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

    /// A number below `bound`.
    func number(below bound: Int) -> Int { Int(word()) % bound }
}
