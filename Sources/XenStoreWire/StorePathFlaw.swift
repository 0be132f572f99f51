/// What is wrong with bytes that claim to be a path.
enum StorePathFlaw: Hashable, Sendable {
    case empty
    case tooLong(byteCount: Int, limit: Int)
    case forbiddenCharacter
    case emptyName
    case slashAtEnd

    /// Nil when nothing is. One pass over the bytes, without branches in it.
    init?(in bytes: ArraySlice<UInt8>) {
        guard let first = bytes.first else {
            self = .empty
            return
        }
        let isRelative = first != StorePath.slash && first != StorePath.at
        let limit =
            isRelative ? StorePath.relativeByteCountLimit : StorePath.absoluteByteCountLimit
        guard bytes.count <= limit else {
            self = .tooLong(byteCount: bytes.count, limit: limit)
            return
        }
        var found: UInt8 = 0
        var previous = Self.allowed
        for byte in bytes {
            let kind = Self.kinds[Int(byte)]
            found |= kind | (kind & previous) &<< 2
            previous = kind
        }
        if found & Self.forbidden != 0 {
            self = .forbiddenCharacter
        } else if found & Self.doubleSlash != 0 {
            self = .emptyName
        } else if previous == Self.slash && bytes.count > 1 {
            self = .slashAtEnd
        } else {
            return nil
        }
    }

    private static let allowed: UInt8 = 0
    private static let forbidden: UInt8 = 1
    private static let slash: UInt8 = 2
    /// Two slashes in a row, shifted; two forbidden characters in a row make another bit.
    private static let doubleSlash: UInt8 = 8

    /// What each byte is in a path.
    private static let kinds: InlineArray<256, UInt8> = {
        var kinds = InlineArray<256, UInt8>(repeating: forbidden)
        let others = [UInt8(ascii: "-"), UInt8(ascii: "_"), StorePath.at]
        for byte in UInt8(ascii: "a")...UInt8(ascii: "z") { kinds[Int(byte)] = allowed }
        for byte in UInt8(ascii: "A")...UInt8(ascii: "Z") { kinds[Int(byte)] = allowed }
        for byte in UInt8(ascii: "0")...UInt8(ascii: "9") { kinds[Int(byte)] = allowed }
        for byte in others { kinds[Int(byte)] = allowed }
        kinds[Int(StorePath.slash)] = slash
        return kinds
    }()
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
