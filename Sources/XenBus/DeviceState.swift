/// Where one end of a device stands in the handshake, as written to its `state` node.
///
/// Numbers that no document names are kept: a peer may write anything.
/// The corresponding Xen type is `enum xenbus_state` (xen/include/public/io/xenbus.h).
public struct DeviceState: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The peer's driver or directory has gone.
    public static let unknown = DeviceState(rawValue: 0)
    /// This end has begun; for a frontend, also: it is ready for a backend.
    public static let initialising = DeviceState(rawValue: 1)
    /// The backend has told its features, and waits for the frontend's rings.
    public static let initWait = DeviceState(rawValue: 2)
    /// The frontend has published its rings, and waits for the backend to attach.
    public static let initialised = DeviceState(rawValue: 3)
    /// This end serves, or uses, what the other has published.
    public static let connected = DeviceState(rawValue: 4)
    /// This end wants to close, or has let go of the rings.
    public static let closing = DeviceState(rawValue: 5)
    /// This end has closed.
    public static let closed = DeviceState(rawValue: 6)
    /// The toolstack is changing the device, as PCI hot-plug does.
    public static let reconfiguring = DeviceState(rawValue: 7)
    /// The change is done.
    public static let reconfigured = DeviceState(rawValue: 8)

    private static let names = [
        "Unknown", "Initialising", "InitWait", "Initialised", "Connected", "Closing", "Closed",
        "Reconfiguring", "Reconfigured",
    ]
}

extension DeviceState: CustomStringConvertible {
    /// The header's name and number, as in `Connected (4)`.
    public var description: String {
        rawValue < Self.names.count
            ? "\(Self.names[Int(rawValue)]) (\(rawValue))" : "state \(rawValue)"
    }
}
