import XenCore

/// A connection's name in a test: its domain's number, and a letter for others of that domain, as in `0b`.
struct ConnectionName: Hashable, Comparable, Sendable, CustomStringConvertible {
    let domain: DomainID
    let description: String

    /// Nil for what does not begin with a domain's number.
    init?(_ text: some StringProtocol) {
        guard let number = UInt16(text.prefix { $0.isNumber }) else { return nil }
        domain = DomainID(number)
        description = String(text)
    }

    static func < (left: Self, right: Self) -> Bool { left.description < right.description }
}
