/// One thing that happened in a history and might as well not have: a fault, or a step of the work.
///
/// Its text is its kind and a number that counts the chances for this kind, as in `lost.17`.
public struct HistoryChoice: Hashable, Sendable {
    public let kind: String
    /// How many chances for this kind came before.
    public let ordinal: Int

    public init(kind: String, ordinal: Int) {
        self.kind = kind
        self.ordinal = ordinal
    }
}

extension HistoryChoice: LosslessStringConvertible {
    public var description: String { "\(kind).\(ordinal)" }

    /// Nil for what is no kind, a dot and a number.
    public init?(_ description: String) {
        guard let dot = description.lastIndex(of: "."), dot != description.startIndex,
            let ordinal = Int(description[description.index(after: dot)...]), ordinal >= 0
        else { return nil }
        self.init(kind: String(description[..<dot]), ordinal: ordinal)
    }
}
