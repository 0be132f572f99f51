import XenCore
import XenStoreWire

/// Reads the children of a node: at once, or in parts when they do not fit one reply, again from the start when they
/// change meanwhile.
///
///     var listing = DirectoryListing(path)
///     while true { if let names = try listing.take(reply(to: listing.request)) { return names } }
struct DirectoryListing: Sendable {
    private let path: StorePath
    private let deadline: Deadline
    /// What was read in parts, since the list changed last.
    private var names: [[UInt8]] = []
    /// Where the next part begins; nil as long as the list may fit one reply.
    private var offset: Int?
    private var generation: UInt64?
    private var restartCount = 0

    private static let restartLimit = 16

    /// What each name takes besides its bytes, about.
    private static let byteCountOfAnArray = 64

    /// The most bytes that the names may take.
    private let byteCountLimit: Int

    /// - Parameters:
    ///   - deadline: from then on nothing more is asked.
    ///   - byteCountLimit: the most bytes that the names may take; as it is, far more than any node has.
    init(
        _ path: StorePath, until deadline: Deadline = .after(.seconds(60)),
        byteCountLimit: Int = 1 << 27
    ) {
        self.path = path
        self.deadline = deadline
        self.byteCountLimit = byteCountLimit
    }

    /// What to ask next.
    var request: Request {
        guard let offset else { return .directory(path) }
        return .directoryPart(path, offset: UInt32(truncatingIfNeeded: offset))
    }

    /// Takes the answer. Returns the children once they are all there; each can be appended to the path.
    ///
    /// Throws what the server refused, `.conflict` when the list changed during each of 16 readings, `.limitReached` when
    /// it is too long, `.timedOut` when the deadline passes before its end, and `.protocolViolation`.
    mutating func take(
        _ reply: Result<[UInt8], StoreError>
    ) throws(StoreError) -> [StorePath]? {
        if let paths = try takeNext(reply) { return paths }
        guard !deadline.hasPassed else {
            throw StoreError(.timedOut, "the server did not list all children of \(path) in time")
        }
        return nil
    }

    private mutating func takeNext(
        _ reply: Result<[UInt8], StoreError>
    ) throws(StoreError) -> [StorePath]? {
        guard let offset else { return try takeWhole(reply) }
        let part = try Reply.part(try reply.get())
        guard generation == nil || generation == part.generation else {
            try restart()
            return nil
        }
        generation = part.generation
        names += part.names
        if part.isLast { return try paths() }
        let next = offset + part.listByteCount
        guard next + names.count * Self.byteCountOfAnArray <= byteCountLimit else {
            throw StoreError(
                .limitReached,
                "\(path) has more children than fit \(byteCountLimit) bytes, or no end")
        }
        self.offset = next
        return nil
    }

    private mutating func takeWhole(
        _ reply: Result<[UInt8], StoreError>
    ) throws(StoreError) -> [StorePath]? {
        do {
            names = try Reply.names(try reply.get())
            return try paths()
        } catch  where error.name == .tooBig {
            offset = 0
            return nil
        }
    }

    private mutating func restart() throws(StoreError) {
        restartCount += 1
        guard restartCount < Self.restartLimit else {
            throw StoreError(
                .conflict,
                "the children of \(path) changed during each of \(Self.restartLimit) readings")
        }
        (names, offset, generation) = ([], 0, nil)
    }

    private func paths() throws(StoreError) -> [StorePath] {
        var paths: [StorePath] = []
        for name in names {
            guard let child = StorePath(told: name[...]), !name.contains(UInt8(ascii: "/")) else {
                throw StoreError(
                    .protocolViolation,
                    "the server lists '\(String(decoding: name.prefix(80), as: UTF8.self))' below "
                        + "\(path), which no node can be called")
            }
            paths.append(child)
        }
        return paths
    }
}
