public import XenCore

/// What one domain may do with a node. The first of a node's entries names its owner, who may do all,
/// and what every domain without an entry may do. (docs/misc/xenstore.txt, introduction.)
public struct Permission: Hashable, Sendable {
    /// What is allowed, as the letter that travels.
    public enum Access: UInt8, Hashable, Sendable {
        case none = 0x6E  // n
        case read = 0x72  // r
        case write = 0x77  // w
        case readWrite = 0x62  // b

        public var allowsReading: Bool { self == .read || self == .readWrite }
        public var allowsWriting: Bool { self == .write || self == .readWrite }
    }

    public var domain: DomainID
    public var access: Access

    public init(_ access: Access, for domain: DomainID) {
        self.domain = domain
        self.access = access
    }

    /// Reads an entry such as `r3`. Nil when it is none.
    public init?(bytes: ArraySlice<UInt8>) {
        guard let first = bytes.first, let access = Access(rawValue: first),
            let domain = UInt16(decimal: bytes.dropFirst())
        else { return nil }
        self.init(access, for: DomainID(domain))
    }

    /// The entry as it travels, without a NUL.
    public var bytes: [UInt8] { [access.rawValue] + Array(String(domain.rawValue).utf8) }
}

extension Permission: CustomStringConvertible {
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}
