/// What a server offers on a domain's ring, as told at offset 2064 of its page and by GET_FEATURE.
///
/// Source: docs/misc/xenstore-ring.txt and xs_wire.h of current Xen; Debian 12's header lacks the last two.
public struct ServerFeatures: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The ring can be brought back into step after either side restarts.
    public static let reconnection = ServerFeatures(rawValue: 1)
    /// The page has an error field.
    public static let error = ServerFeatures(rawValue: 2)
    /// WATCH takes a depth.
    public static let watchDepth = ServerFeatures(rawValue: 4)
    /// Permissions may name any domain at once.
    public static let anyDomain = ServerFeatures(rawValue: 8)
}
