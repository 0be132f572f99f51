/// An `errno` of the kernel or the hypervisor, which share one numbering (xen/include/public/errno.h).
public struct ErrorNumber: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int32

    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let notPermitted = ErrorNumber(rawValue: 1)
    public static let noEntry = ErrorNumber(rawValue: 2)
    public static let noSuchProcess = ErrorNumber(rawValue: 3)
    public static let interrupted = ErrorNumber(rawValue: 4)
    public static let inputOutput = ErrorNumber(rawValue: 5)
    public static let noDevice = ErrorNumber(rawValue: 6)
    public static let listTooLong = ErrorNumber(rawValue: 7)
    public static let badDescriptor = ErrorNumber(rawValue: 9)
    public static let again = ErrorNumber(rawValue: 11)
    public static let noMemory = ErrorNumber(rawValue: 12)
    public static let accessDenied = ErrorNumber(rawValue: 13)
    public static let badAddress = ErrorNumber(rawValue: 14)
    public static let busy = ErrorNumber(rawValue: 16)
    public static let exists = ErrorNumber(rawValue: 17)
    public static let invalid = ErrorNumber(rawValue: 22)
    public static let tooBig = ErrorNumber(rawValue: 27)
    public static let noSpace = ErrorNumber(rawValue: 28)
    public static let notImplemented = ErrorNumber(rawValue: 38)
    public static let notSupported = ErrorNumber(rawValue: 95)
    public static let notConnected = ErrorNumber(rawValue: 107)

    private static let names: [Int32: String] = [
        1: "EPERM", 2: "ENOENT", 3: "ESRCH", 4: "EINTR", 5: "EIO", 6: "ENXIO", 7: "E2BIG",
        9: "EBADF",
        11: "EAGAIN", 12: "ENOMEM", 13: "EACCES", 14: "EFAULT", 16: "EBUSY", 17: "EEXIST",
        19: "ENODEV",
        20: "ENOTDIR", 21: "EISDIR", 22: "EINVAL", 23: "ENFILE", 24: "EMFILE", 25: "ENOTTY",
        27: "EFBIG",
        28: "ENOSPC", 30: "EROFS", 32: "EPIPE", 34: "ERANGE", 38: "ENOSYS", 39: "ENOTEMPTY",
        71: "EPROTO", 95: "EOPNOTSUPP", 98: "EADDRINUSE", 104: "ECONNRESET", 106: "EISCONN",
        107: "ENOTCONN", 110: "ETIMEDOUT", 111: "ECONNREFUSED",
    ]
}

extension ErrorNumber: CustomStringConvertible {
    /// The symbolic name, as in `EINVAL`.
    public var description: String { Self.names[rawValue] ?? "errno \(rawValue)" }
}
