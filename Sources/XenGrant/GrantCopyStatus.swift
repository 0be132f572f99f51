/// What became of one segment of a grant copy.
///
/// The corresponding Xen type is `enum grant_status`, `GNTST_*` (xen/include/public/grant_table.h).
/// Codes that are not named here are kept as they are, and mean failure.
public struct GrantCopyStatus: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int16

    public init(rawValue: Int16) { self.rawValue = rawValue }

    /// All bytes were copied.
    public static let done = GrantCopyStatus(rawValue: 0)
    /// The grant was revoked, made for another domain, or made for reading only: Xen has one code
    /// for these.
    public static let failed = GrantCopyStatus(rawValue: -1)
    /// No such domain.
    public static let badDomain = GrantCopyStatus(rawValue: -2)
    /// A reference beyond the end of the peer's table.
    public static let badReference = GrantCopyStatus(rawValue: -3)
    /// A security policy forbids it.
    public static let permissionDenied = GrantCopyStatus(rawValue: -8)
    /// The page behind the grant is not there, or may not be copied.
    public static let badPage = GrantCopyStatus(rawValue: -9)
    /// The bytes do not lie within one page. Nothing was copied.
    public static let outsidePage = GrantCopyStatus(rawValue: -10)
    /// The peer's page was not at hand until the deadline (the host had paged it out).
    public static let again = GrantCopyStatus(rawValue: -12)

    private static let names: [GrantCopyStatus: String] = [
        .done: "done", .failed: "failed", .badDomain: "bad domain",
        .badReference: "bad reference", .permissionDenied: "permission denied",
        .badPage: "bad page", .outsidePage: "outside the page", .again: "try again",
    ]
}

extension GrantCopyStatus: CustomStringConvertible {
    public var description: String { Self.names[self] ?? "grant status \(rawValue)" }
}

extension [GrantCopyStatus] {
    /// The segments that were not copied, or not all of them.
    public var failedIndices: [Int] { indices.filter { self[$0] != .done } }
}
