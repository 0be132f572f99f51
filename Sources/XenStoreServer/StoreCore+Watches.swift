import XenCore
import XenStoreWire

extension StoreCore {
    mutating func watch(
        _ path: StorePath, _ token: [UInt8], _ depth: UInt32?, _ context: inout RequestContext
    ) throws(StoreErrorName) {
        // A depth needs a feature that this server does not offer.
        guard depth == nil else { throw .invalid }
        let watch = try registration(path, token, context.client)
        guard var connection = connections[context.connection] else { throw .inputOutput }
        guard !connection.watches.contains(where: { $0.path == watch.path && $0.token == token })
        else { throw .exists }
        guard context.client.isPrivileged || connection.watches.count < quota.watches else {
            throw .noSpace
        }
        connection.watches.append(watch)
        connections[context.connection] = connection
        context.outputsAfterReply +=
            Self.event(path, token).map { [.send(context.connection, $0)] } ?? []
    }

    mutating func unwatch(
        _ path: StorePath, _ token: [UInt8], _ context: RequestContext
    ) throws(StoreErrorName) {
        let watch = try registration(path, token, context.client)
        let index = connections[context.connection]?.watches
            .firstIndex { $0.path == watch.path && $0.token == token }
        guard let index else { throw .noEntry }
        connections[context.connection]?.watches.remove(at: index)
    }

    private func registration(
        _ path: StorePath, _ token: [UInt8], _ client: StoreClientIdentity
    ) throws(StoreErrorName) -> RegisteredWatch {
        let isRelative = !path.isAbsolute && !path.isSpecial
        return RegisteredWatch(
            path: try absolute(path, client), token: token,
            base: isRelative ? .home(of: client.domain) : nil)
    }

    /// A packet for each watch that a change concerns and whose owner may learn of it.
    func events(for changes: [WatchChange]) -> [StoreOutput] {
        var outputs: [StoreOutput] = []
        let watchers = connections.filter { !$0.value.watches.isEmpty }.sorted { $0.key < $1.key }
        for change in changes {
            for (id, connection) in watchers {
                guard let client = identity(of: id), change.isVisible(to: client) else { continue }
                for watch in connection.watches {
                    if let path = watch.eventPath(for: change.fired.path, change.fired.match),
                        let packet = Self.event(path, watch.token)
                    {
                        outputs.append(.send(id, packet))
                    }
                }
            }
        }
        return outputs
    }

    func specialChange(_ path: StorePath) -> WatchChange {
        WatchChange(FiredPath(path, .subtree), before: tree, after: tree)
    }

    /// Nil where path and token together are too long for a packet: as in the C daemon, that event is not sent.
    private static func event(_ path: StorePath, _ token: [UInt8]) -> Packet? {
        try? Packet(.watchEvent, requestID: 0, payload: Fields.encode([path.bytes, token]))
    }
}
