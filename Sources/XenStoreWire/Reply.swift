public import XenCore

/// Reads the payloads of replies, and writes them. Each throws `.protocolViolation` for what no server may answer.
///
/// Source: docs/misc/xenstore.txt, "Xenstore protocol details".
public enum Reply {
    /// Success without more to say.
    public static let acknowledgement: [UInt8] = [UInt8(ascii: "O"), UInt8(ascii: "K"), 0]

    /// The children of a node, in the server's order.
    public static func names(_ payload: [UInt8]) throws(StoreError) -> [[UInt8]] {
        guard let fields = Fields.all(payload) else { throw violation("list of names", payload) }
        return fields.map { Array($0) }
    }

    /// A node's entries, the owner's first; never empty.
    public static func permissions(_ payload: [UInt8]) throws(StoreError) -> [Permission] {
        var entries: [Permission] = []
        for field in Fields.all(payload) ?? [] {
            guard let entry = Permission(bytes: field) else {
                throw violation("permissions", payload)
            }
            entries.append(entry)
        }
        guard !entries.isEmpty else { throw violation("permissions", payload) }
        return entries
    }

    /// The id of a transaction that has been started.
    public static func transaction(_ payload: [UInt8]) throws(StoreError) -> TransactionID {
        guard let id = UInt32(decimal: text(payload)), id != 0 else {
            throw violation("transaction id", payload)
        }
        return TransactionID(rawValue: id)
    }

    /// A path, as GET_DOMAIN_PATH answers it.
    public static func path(_ payload: [UInt8]) throws(StoreError) -> StorePath {
        do { return try StorePath(bytes: Array(text(payload))) } catch {
            throw violation("path", payload)
        }
    }

    /// `T` or `F`, as IS_DOMAIN_INTRODUCED answers it.
    public static func boolean(_ payload: [UInt8]) throws(StoreError) -> Bool {
        switch text(payload) {
        case [UInt8(ascii: "T")]: true
        case [UInt8(ascii: "F")]: false
        default: throw violation("truth value", payload)
        }
    }

    /// A domain's number, as its node `domid` holds it.
    public static func domain(_ payload: [UInt8]) throws(StoreError) -> DomainID {
        guard let id = UInt16(decimal: text(payload)) else { throw violation("domain id", payload) }
        return DomainID(id)
    }

    /// What changed, and the token of the watch that it concerns.
    public static func event(_ payload: [UInt8]) throws(StoreError) -> (
        path: StorePath, token: [UInt8]
    ) {
        var fields = Fields(payload)
        guard let bytes = fields.next(), let token = fields.next(),
            let path = StorePath(told: bytes)
        else { throw violation("watch event", payload) }
        return (path, Array(token))
    }

    /// A piece of a long list of children.
    public static func part(_ payload: [UInt8]) throws(StoreError) -> DirectoryPart {
        guard var fields = Fields.all(payload), let first = fields.first,
            let generation = UInt64(decimal: first)
        else { throw violation("part of a list of names", payload) }
        fields.removeFirst()
        let isLast = fields.last?.isEmpty ?? false
        if isLast { fields.removeLast() }
        guard isLast || !fields.isEmpty, !fields.contains(where: \.isEmpty) else {
            throw violation("part of a list of names", payload)
        }
        return DirectoryPart(
            generation: generation, names: fields.map { Array($0) }, isLast: isLast)
    }

    /// A reply's text, up to its NUL: servers differ in sending one.
    static func text(_ payload: [UInt8]) -> ArraySlice<UInt8> {
        payload.last == 0 ? payload.dropLast() : payload[...]
    }

    static func violation(_ what: String, _ payload: [UInt8]) -> StoreError {
        let shown = String(decoding: payload.prefix(80).map { $0 == 0 ? 0x7C : $0 }, as: UTF8.self)
        return StoreError(.protocolViolation, "the server answered '\(shown)', which is no \(what)")
    }
}

/// Some of a node's children, as DIRECTORY_PART gives them.
public struct DirectoryPart: Hashable, Sendable {
    /// Changes whenever the list does: parts with different ones do not belong together.
    public var generation: UInt64
    public var names: [[UInt8]]
    public var isLast: Bool

    public init(generation: UInt64, names: [[UInt8]], isLast: Bool) {
        self.generation = generation
        self.names = names
        self.isLast = isLast
    }

    /// The piece as it travels.
    public var payload: [UInt8] {
        Fields.encode([decimal(generation)] + names + (isLast ? [[]] : []))
    }

    /// How many bytes of the whole list this piece covers: add them to the offset for the next.
    public var listByteCount: Int { names.reduce(0) { $0 + $1.count + 1 } }
}
