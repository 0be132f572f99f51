public import XenCore

/// The server's word for a refusal, as an ERROR packet carries it. Unknown names are kept.
///
/// The corresponding Xen table is `xsd_errors` (xen/include/public/io/xs_wire.h).
public struct StoreErrorName: RawRepresentable, Hashable, Sendable, Error {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    public static let invalid = StoreErrorName(rawValue: "EINVAL")
    public static let accessDenied = StoreErrorName(rawValue: "EACCES")
    public static let exists = StoreErrorName(rawValue: "EEXIST")
    public static let isDirectory = StoreErrorName(rawValue: "EISDIR")
    public static let noEntry = StoreErrorName(rawValue: "ENOENT")
    public static let noMemory = StoreErrorName(rawValue: "ENOMEM")
    public static let noSpace = StoreErrorName(rawValue: "ENOSPC")
    public static let inputOutput = StoreErrorName(rawValue: "EIO")
    public static let notEmpty = StoreErrorName(rawValue: "ENOTEMPTY")
    public static let notImplemented = StoreErrorName(rawValue: "ENOSYS")
    public static let readOnly = StoreErrorName(rawValue: "EROFS")
    public static let busy = StoreErrorName(rawValue: "EBUSY")
    public static let again = StoreErrorName(rawValue: "EAGAIN")
    public static let isConnected = StoreErrorName(rawValue: "EISCONN")
    public static let tooBig = StoreErrorName(rawValue: "E2BIG")
    public static let notPermitted = StoreErrorName(rawValue: "EPERM")

    /// The name of a kernel's errno, for servers that answer with one.
    public init(_ number: ErrorNumber) { self.init(rawValue: number.description) }

    /// Reads the payload of an ERROR packet, with or without its NUL. Never fails: what is no text is replaced.
    public init(payload: [UInt8]) {
        self.init(rawValue: String(decoding: payload.prefix { $0 != 0 }, as: UTF8.self))
    }

    /// The payload of an ERROR packet.
    public var payload: [UInt8] {
        var payload: [UInt8] = []
        payload.reserveCapacity(rawValue.utf8.count + 1)
        payload.append(contentsOf: rawValue.utf8)
        payload.append(0)
        return payload
    }
}

extension StoreErrorName: CustomStringConvertible {
    public var description: String { rawValue }
}
