/// What is wrong with bytes that claim to be a path.
enum StorePathFlaw: Hashable, Sendable {
    case empty
    case tooLong(byteCount: Int, limit: Int)
    case forbiddenCharacter
    case emptyName
    case slashAtEnd

    /// Nil when nothing is. One pass over the bytes, without a branch for any of them.
    init?(
        in bytes: Span<UInt8>, relativeByteCountLimit: Int = StorePath.relativeByteCountLimit
    ) {
        guard !bytes.isEmpty else {
            self = .empty
            return
        }
        let isRelative = bytes[0] != StorePath.slash && bytes[0] != StorePath.at
        let limit = isRelative ? relativeByteCountLimit : StorePath.absoluteByteCountLimit
        guard bytes.count <= limit else {
            self = .tooLong(byteCount: bytes.count, limit: limit)
            return
        }
        var found: UInt8 = 0
        var previous: UInt8 = 0
        for index in bytes.indices {
            // Safe: one of the span's own indices.
            let kind = Self.kinds[Int(unsafe bytes[unchecked: index])]
            found |= kind | (kind & previous) &<< 2
            previous = kind
        }
        if found & Self.forbidden != 0 {
            self = .forbiddenCharacter
        } else if found & Self.slash &<< 2 != 0 {
            self = .emptyName
        } else if previous == Self.slash && bytes.count > 1 {
            self = .slashAtEnd
        } else {
            return nil
        }
    }

    private static let forbidden: UInt8 = 1
    private static let slash: UInt8 = 2

    /// What each byte is in a path; 0 is a character of a name. Written out, so that it needs no making.
    private static let kinds: InlineArray<256, UInt8> = [
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 2,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0,
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    ]
}

extension StorePathFlaw: CustomStringConvertible {
    /// For a sentence that begins with the path.
    var description: String {
        switch self {
        case .empty: "is empty"
        case .tooLong(let byteCount, let limit): "has \(byteCount) bytes, and the limit is \(limit)"
        case .forbiddenCharacter: "has a character outside [A-Za-z0-9-/_@]"
        case .emptyName: "has an empty name in it ('//')"
        case .slashAtEnd: "ends in '/'"
        }
    }
}
