/// Why a device's driver has come to its end in good order. New reasons may be added.
public struct DeviceEnd: Hashable, Sendable, CustomStringConvertible {
    public let description: String

    /// This side asked for it.
    public static let closed = DeviceEnd(description: "closed")
    /// The toolstack has taken the device away.
    public static let unplugged = DeviceEnd(description: "unplugged")
    /// The other end's directory has gone: its domain was destroyed, saved or migrated, or the device detached.
    public static let peerGone = DeviceEnd(description: "the other end is gone")
}
