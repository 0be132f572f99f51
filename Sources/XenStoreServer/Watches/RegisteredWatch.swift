import XenCore
import XenStoreWire

/// A client's wish to be told of changes at or below a path.
struct RegisteredWatch: Sendable {
    let connection: ConnectionID
    /// Its place in the order in which all watches were registered.
    let serial: UInt64
    /// Absolute or special.
    let path: PathKey
    let token: [UInt8]
    /// How many levels below the path count; nil for all.
    let depth: UInt32?
    /// The bytes of the home that the client left out of its path, and that events then leave out, too.
    let homeByteCount: Int

    /// What a quota on memory counts for it.
    var memoryByteCount: Int { path.count + token.count }

    /// The event that tells of a change at a path. Nil where path and token together are too long for a packet:
    /// as in the C daemon, that event is not sent.
    func event(at path: PathKey) -> Packet? {
        let name = path.dropping(homeByteCount)
        var payload: [UInt8] = []
        payload.reserveCapacity(name.count + token.count + 2)
        payload.append(contentsOf: name)
        payload.append(0)
        payload.append(contentsOf: token)
        payload.append(0)
        return try? Packet(.watchEvent, requestID: 0, payload: payload)
    }
}

/// Which watches a change concerns.
enum WatchMatch: Sendable {
    /// Those on the path itself only: it went because a node above it was removed.
    case exact
    /// Those on the path, and those above it that look as deep.
    case subtree
    /// A domain came or went: those on the special path that name no depth.
    case special
    /// The same with the domain's number behind the path: those on that very path, and those above it that name
    /// a depth of one or more.
    case specialOfDomain
}
