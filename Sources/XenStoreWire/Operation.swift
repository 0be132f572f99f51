/// What a packet asks for or answers: the `type` of its header. Unknown ones are kept as they came.
///
/// The corresponding Xen type is `enum xsd_sockmsg_type` (xen/include/public/io/xs_wire.h; docs/misc/xenstore.txt,
/// "Defined Xenstore message types", for 23 to 26).
public struct Operation: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let control = Operation(rawValue: 0)
    public static let directory = Operation(rawValue: 1)
    public static let read = Operation(rawValue: 2)
    public static let getPermissions = Operation(rawValue: 3)
    public static let watch = Operation(rawValue: 4)
    public static let unwatch = Operation(rawValue: 5)
    public static let transactionStart = Operation(rawValue: 6)
    public static let transactionEnd = Operation(rawValue: 7)
    public static let introduce = Operation(rawValue: 8)
    public static let release = Operation(rawValue: 9)
    public static let getDomainPath = Operation(rawValue: 10)
    public static let write = Operation(rawValue: 11)
    public static let makeDirectory = Operation(rawValue: 12)
    public static let remove = Operation(rawValue: 13)
    public static let setPermissions = Operation(rawValue: 14)
    public static let watchEvent = Operation(rawValue: 15)
    public static let error = Operation(rawValue: 16)
    public static let isDomainIntroduced = Operation(rawValue: 17)
    public static let resume = Operation(rawValue: 18)
    public static let setTarget = Operation(rawValue: 19)
    /// Removed from the protocol; no server knows it.
    public static let restrict = Operation(rawValue: 20)
    public static let resetWatches = Operation(rawValue: 21)
    public static let directoryPart = Operation(rawValue: 22)
    public static let getFeature = Operation(rawValue: 23)
    public static let setFeature = Operation(rawValue: 24)
    public static let getQuota = Operation(rawValue: 25)
    public static let setQuota = Operation(rawValue: 26)
    /// Guaranteed to stay unknown to every server.
    public static let invalid = Operation(rawValue: 65535)

    private static let names = [
        "CONTROL", "DIRECTORY", "READ", "GET_PERMS", "WATCH", "UNWATCH", "TRANSACTION_START",
        "TRANSACTION_END", "INTRODUCE", "RELEASE", "GET_DOMAIN_PATH", "WRITE", "MKDIR", "RM",
        "SET_PERMS", "WATCH_EVENT", "ERROR", "IS_DOMAIN_INTRODUCED", "RESUME", "SET_TARGET",
        "RESTRICT", "RESET_WATCHES", "DIRECTORY_PART", "GET_FEATURE", "SET_FEATURE", "GET_QUOTA",
        "SET_QUOTA",
    ]
}

extension Operation: CustomStringConvertible {
    /// The protocol's name for it, as in `GET_PERMS`.
    public var description: String {
        rawValue < UInt32(Self.names.count) ? Self.names[Int(rawValue)] : "operation \(rawValue)"
    }
}
