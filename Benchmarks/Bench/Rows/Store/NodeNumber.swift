/// One of the nodes that loads read, as `cstore_node` numbers them.
struct NodeNumber {
    private let number: Int

    /// Items go through 1000 nodes in a stride that meets all.
    init(ofItem item: UInt64) { number = Int(item &* 7919 % 1000) }

    /// "/bench/AA/BB/CC" by its digits.
    var path: [UInt8] {
        digits([14, 13, 11, 10, 8, 7], in: Array("/bench/AA/BB/CC".utf8))
    }

    /// 8 digits.
    var value: [UInt8] { digits([7, 6, 5, 4, 3, 2, 1, 0], in: Array("AABBCCDD".utf8)) }

    /// Puts digits into these places, the last one first.
    private func digits(_ places: [Int], in bytes: [UInt8]) -> [UInt8] {
        var (bytes, rest) = (bytes, number)
        for place in places {
            bytes[place] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        return bytes
    }
}
