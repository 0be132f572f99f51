/// What a packet asks for or answers: the `type` of its header. Unknown ones are kept as they came.
///
/// The corresponding Xen type is `enum xsd_sockmsg_type` (xen/include/public/io/xs_wire.h; docs/misc/xenstore.txt,
/// "Defined Xenstore message types", for 23 to 26).
public struct StoreOperation: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let control = StoreOperation(rawValue: 0)
    public static let directory = StoreOperation(rawValue: 1)
    public static let read = StoreOperation(rawValue: 2)
    public static let getPermissions = StoreOperation(rawValue: 3)
    public static let watch = StoreOperation(rawValue: 4)
    public static let unwatch = StoreOperation(rawValue: 5)
    public static let transactionStart = StoreOperation(rawValue: 6)
    public static let transactionEnd = StoreOperation(rawValue: 7)
    public static let introduce = StoreOperation(rawValue: 8)
    public static let release = StoreOperation(rawValue: 9)
    public static let getDomainPath = StoreOperation(rawValue: 10)
    public static let write = StoreOperation(rawValue: 11)
    public static let makeDirectory = StoreOperation(rawValue: 12)
    public static let remove = StoreOperation(rawValue: 13)
    public static let setPermissions = StoreOperation(rawValue: 14)
    public static let watchEvent = StoreOperation(rawValue: 15)
    public static let error = StoreOperation(rawValue: 16)
    public static let isDomainIntroduced = StoreOperation(rawValue: 17)
    public static let resume = StoreOperation(rawValue: 18)
    public static let setTarget = StoreOperation(rawValue: 19)
    /// Removed from the protocol; no server knows it.
    public static let restrict = StoreOperation(rawValue: 20)
    public static let resetWatches = StoreOperation(rawValue: 21)
    public static let directoryPart = StoreOperation(rawValue: 22)
    public static let getFeature = StoreOperation(rawValue: 23)
    public static let setFeature = StoreOperation(rawValue: 24)
    public static let getQuota = StoreOperation(rawValue: 25)
    public static let setQuota = StoreOperation(rawValue: 26)
    /// Guaranteed to stay unknown to every server.
    public static let invalid = StoreOperation(rawValue: 65535)

    private static let names = [
        "CONTROL", "DIRECTORY", "READ", "GET_PERMS", "WATCH", "UNWATCH", "TRANSACTION_START",
        "TRANSACTION_END", "INTRODUCE", "RELEASE", "GET_DOMAIN_PATH", "WRITE", "MKDIR", "RM",
        "SET_PERMS", "WATCH_EVENT", "ERROR", "IS_DOMAIN_INTRODUCED", "RESUME", "SET_TARGET",
        "RESTRICT", "RESET_WATCHES", "DIRECTORY_PART", "GET_FEATURE", "SET_FEATURE", "GET_QUOTA",
        "SET_QUOTA",
    ]
}

extension StoreOperation: CustomStringConvertible {
    /// The protocol's name for it, as in `GET_PERMS`.
    public var description: String {
        rawValue < UInt32(Self.names.count) ? Self.names[Int(rawValue)] : "operation \(rawValue)"
    }
}
