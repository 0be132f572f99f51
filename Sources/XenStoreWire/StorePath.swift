public import XenCore

/// A path of the store that is well formed: absolute, relative to the domain's home, or special (`@...`).
///
/// Characters `[A-Za-z0-9-/_@]`; no `//`, no `/` at the end but for the root, not empty; absolute ones up to
/// 3072 bytes, relative ones up to 2048 (docs/misc/xenstore.txt, introduction; xs_wire.h).
public struct StorePath: Hashable, Sendable {
    /// The path as it travels, without a NUL.
    public let bytes: [UInt8]

    /// The most bytes that an absolute path may have.
    public static let absoluteByteCountLimit = 3072

    /// The most bytes that a relative path may have.
    public static let relativeByteCountLimit = 2048

    /// The node that all others are below.
    public static let root = StorePath(trusted: [slash])

    /// What to watch for domains that appear. Needs privilege or permission.
    public static let introduceDomain = StorePath(trusted: Array("@introduceDomain".utf8))

    /// What to watch for domains that shut down, crash or go. Needs privilege or permission.
    public static let releaseDomain = StorePath(trusted: Array("@releaseDomain".utf8))

    static let slash = UInt8(ascii: "/")
    static let at = UInt8(ascii: "@")

    /// For bytes that are known to be a path.
    package init(trusted bytes: [UInt8]) { self.bytes = bytes }

    /// Copies bytes that claim to be a path. Nil when they are none.
    package init?(checking bytes: Span<UInt8>) {
        guard StorePathFlaw(in: bytes) == nil else { return nil }
        self.bytes = Array(copying: bytes)
    }

    /// Copies bytes that a server calls a path or a name. Nil when no node can be called so.
    ///
    /// A relative one may be longer than a request's, since the server looks at the whole path only.
    package init?(told bytes: ArraySlice<UInt8>) {
        let limit = Self.absoluteByteCountLimit - 1
        guard StorePathFlaw(in: bytes.span, relativeByteCountLimit: limit) == nil else {
            return nil
        }
        self.bytes = Array(bytes)
    }

    /// Checks bytes that claim to be a path. Throws `.invalidPath`.
    public init(bytes: [UInt8]) throws(StoreError) {
        if let flaw = StorePathFlaw(in: bytes.span) {
            throw StoreError(
                .invalidPath, "'\(String(decoding: bytes.prefix(200), as: UTF8.self))' \(flaw)")
        }
        self.bytes = bytes
    }

    /// Checks text that claims to be a path. Throws `.invalidPath`.
    public init(_ text: String) throws(StoreError) { try self.init(bytes: Array(text.utf8)) }

    /// The home of a domain, `/local/domain/N`.
    public static func home(of domain: DomainID) -> StorePath {
        StorePath(trusted: Array("/local/domain/\(domain.rawValue)".utf8))
    }

    public var isAbsolute: Bool { bytes.first == Self.slash }

    /// Whether this names a special event, not a node.
    public var isSpecial: Bool { bytes.first == Self.at }

    /// The path of a node below this one, where `@` may begin a name as any other character may.
    ///
    /// Throws `.invalidPath` when it would be too long or `suffix` is absolute.
    public func appending(_ suffix: StorePath) throws(StoreError) -> StorePath {
        guard !suffix.isAbsolute else {
            throw StoreError(
                .invalidPath, "'\(suffix)' is absolute, so it cannot follow '\(self)'")
        }
        return try StorePath(bytes: child(suffix).bytes)
    }

    /// The path of a child that a server lists. It may be longer than a request's path; then the server refuses it.
    package func child(_ name: StorePath) -> StorePath {
        StorePath(trusted: self == .root ? bytes + name.bytes : bytes + [Self.slash] + name.bytes)
    }

    /// The node that this one is a child of; nil for the root, a special path, and a relative path of one name.
    public var parent: StorePath? {
        guard !isSpecial, self != .root, let index = bytes.lastIndex(of: Self.slash) else {
            return nil
        }
        return index == 0 ? .root : StorePath(trusted: Array(bytes[..<index]))
    }

    /// The last name of the path; empty for the root.
    public var name: ArraySlice<UInt8> {
        bytes[((bytes.lastIndex(of: Self.slash) ?? -1) + 1)...]
    }

    /// The names on the way from the root, or from the home for a relative path.
    public var components: [ArraySlice<UInt8>] { bytes.split(separator: Self.slash) }

    /// Whether this is `ancestor` or lies below it.
    public func isWithin(_ ancestor: StorePath) -> Bool {
        guard ancestor != .root else { return isAbsolute }
        guard bytes.starts(with: ancestor.bytes) else { return false }
        return bytes.count == ancestor.bytes.count || bytes[ancestor.bytes.count] == Self.slash
    }

    /// Whether the first `count` bytes are a path. What a server asks of each request: without a copy.
    package static func isWellFormed(_ bytes: [UInt8], count: Int) -> Bool {
        StorePathFlaw(in: bytes.span.extracting(first: count)) == nil
    }

    /// The path as seen from `base`, which it lies below; nil when it does not.
    public func relative(to base: StorePath) -> StorePath? {
        guard isWithin(base), bytes.count > base.bytes.count + (base == .root ? 0 : 1) else {
            return nil
        }
        return StorePath(trusted: Array(bytes[(base.bytes.count + (base == .root ? 0 : 1))...]))
    }
}

extension StorePath: ExpressibleByStringLiteral {
    /// A path written in the program. A malformed one is a bug there, and stops it.
    public init(stringLiteral text: StaticString) {
        let bytes = Array(text.description.utf8)
        if let flaw = StorePathFlaw(in: bytes.span) {
            preconditionFailure("path '\(text)' \(flaw)")
        }
        self.init(trusted: bytes)
    }
}

extension StorePath: CustomStringConvertible {
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}
