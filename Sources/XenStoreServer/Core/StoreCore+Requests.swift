import XenCore
import XenStoreWire

/// From a packet to what it asks for.
extension StoreCore {
    /// The reply's payload; nil when it comes later.
    mutating func perform(
        _ packet: Packet, _ context: RequestContext, _ outputs: inout [StoreOutput]
    ) throws(StoreErrorName) -> [UInt8]? {
        let operation = packet.operation
        if packet.isPartOfTransaction {
            // Who may not ask for an operation is told so before anything else.
            try checkRight(to: operation, context)
            guard context.transactionSlot != nil else { throw .noEntry }
        }
        let payload = packet.payload
        switch operation {
        case .read: return try read(try onePath(payload, context), context).value
        case .write:
            let (path, value) = try pathAndValue(payload, context)
            try write(path, value, context, &outputs)
        case .directory: return try list(try onePath(payload, context), context).payload
        case .getPermissions:
            return try permissions(try onePath(payload, context, orSpecial: true), context)
        case .makeDirectory:
            try makeDirectory(try onePath(payload, context), context, &outputs)
        case .remove: try remove(try onePath(payload, context), context, &outputs)
        case .transactionStart: return Fields.encode(try startTransaction(context).rawValue)
        case .transactionEnd: try endTransaction(commit: try outcome(payload), context, &outputs)
        default: return try performRarer(packet, context, &outputs)
        }
        return Reply.acknowledgement
    }

    private func checkRight(
        to operation: StoreOperation, _ context: RequestContext
    ) throws(StoreErrorName) {
        switch operation {
        case .introduce, .release, .isDomainIntroduced, .resume, .setTarget, .control,
            .setFeature, .getQuota, .setQuota:
            guard context.client.isPrivileged else { throw .accessDenied }
        case .watchEvent, .error, .restrict: throw .notImplemented
        default:
            guard operation.rawValue <= StoreOperation.setQuota.rawValue else {
                throw .notImplemented
            }
        }
    }

    private mutating func performRarer(
        _ packet: Packet, _ context: RequestContext, _ outputs: inout [StoreOutput]
    ) throws(StoreErrorName) -> [UInt8]? {
        try checkRight(to: packet.operation, context)
        switch try Request(decoding: packet.operation, payload: packet.payload) {
        case .directoryPart(let path, let offset):
            return try part(try absolute(path, context), offset, context)
        case .setPermissions(let path, let entries):
            try setPermissions(
                try absolute(path, context, orSpecial: true), entries, context, &outputs)
        case .watch(let path, let token, let depth):
            let event = try watch(path, token, depth, context)
            Self.reply(.watch, Reply.acknowledgement, context, &outputs)
            if let event { outputs.append(.send(context.connection, event)) }
            return nil
        case .unwatch(let path, let token): try unwatch(path, token, context)
        case .resetWatches: resetWatches(at: context.slot)
        case .introduce(let domain, _, let port):
            try introduce(domain, port, context, &outputs)
            return nil
        case .release(let domain):
            try requireGuest(domain)
            release(domain, &outputs)
        case .resume(let domain):
            try requireGuest(domain)
            domains[domain]?.hasShutDown = false
        case .isDomainIntroduced(let domain):
            let isIntroduced = domain == .oneself || domains[domain]?.isIntroduced ?? false
            return Fields.encode([Array((isIntroduced ? "T" : "F").utf8)])
        case .getDomainPath(let domain): return Fields.encode([StorePath.home(of: domain).bytes])
        case .setTarget(let domain, let target): try setTarget(of: domain, target)
        case .getFeature(let domain): return try featureReply(domain, context)
        case .setFeature(let domain, let features): try setFeatures(features, of: domain)
        case .getQuota(let domain, let name): return try quotaReply(domain, name)
        case .setQuota(let domain, let name, let limit): try setQuota(domain, name, limit)
        case .control(let arguments): return try control(arguments, context, &outputs)
        case .read, .write, .directory, .getPermissions, .makeDirectory, .remove,
            .transactionStart, .transactionEnd:
            // `perform` has dealt with them.
            throw .invalid
        }
        return Reply.acknowledgement
    }

    /// Whether TRANSACTION_END asks for a commit.
    private func outcome(_ payload: [UInt8]) throws(StoreErrorName) -> Bool {
        guard payload.count == 2, payload[1] == 0 else { throw .invalid }
        switch payload[0] {
        case UInt8(ascii: "T"): return true
        case UInt8(ascii: "F"): return false
        default: throw .invalid
        }
    }

    // MARK: - Paths
    //
    // Mutating, though they change nothing: the whole core, half a kilobyte, would be copied for a call that only looks.

    /// The path that a payload consists of, with one NUL at its end.
    private mutating func onePath(
        _ payload: [UInt8], _ context: RequestContext, orSpecial: Bool = false
    ) throws(StoreErrorName) -> PathKey {
        guard let end = Fields.firstEnd(in: payload), end == payload.count - 1 else {
            throw .invalid
        }
        return try path(payload, end, context, orSpecial)
    }

    private mutating func pathAndValue(
        _ payload: [UInt8], _ context: RequestContext
    ) throws(StoreErrorName) -> (PathKey, [UInt8]) {
        guard let end = Fields.firstEnd(in: payload) else { throw .invalid }
        return (try path(payload, end, context, false), Array(payload[(end + 1)...]))
    }

    private mutating func path(
        _ payload: [UInt8], _ count: Int, _ context: RequestContext, _ orSpecial: Bool
    ) throws(StoreErrorName) -> PathKey {
        guard StorePath.isWellFormed(payload, count: count) else { throw .invalid }
        let first = payload[0]
        if first == UInt8(ascii: "/") {
            return try checked(PathKey(storage: payload, count: count), context)
        }
        if first == UInt8(ascii: "@") {
            guard orSpecial else { throw .invalid }
            return try checked(PathKey(storage: payload, count: count), context)
        }
        let home = connections[context.slot].home
        var bytes: [UInt8] = []
        bytes.reserveCapacity(home.count + count)
        bytes.append(contentsOf: home)
        bytes.append(contentsOf: payload[..<count])
        return try checked(PathKey(bytes), context)
    }

    /// The absolute form of a path that has been decoded.
    mutating func absolute(
        _ path: StorePath, _ context: RequestContext, orSpecial: Bool = false
    ) throws(StoreErrorName) -> PathKey {
        guard orSpecial || !path.isSpecial else { throw .invalid }
        guard !path.isAbsolute, !path.isSpecial else {
            return try checked(PathKey(path.bytes), context)
        }
        return try checked(
            PathKey(connections[context.slot].home + path.bytes), context)
    }

    private mutating func checked(
        _ path: PathKey, _ context: RequestContext
    ) throws(StoreErrorName) -> PathKey {
        guard !context.client.isPrivileged else { return path }
        try check(
            path.countedByteCount, \.pathByteCount, \.pathByteCount, context.client, or: .invalid)
        return path
    }
}

extension Packet {
    /// Whether the transaction that it names counts: watches know of none.
    var isPartOfTransaction: Bool {
        transaction != .none && operation != .watch && operation != .unwatch
    }
}
