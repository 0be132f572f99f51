/// One domain's end of an event channel.
///
/// The corresponding Xen type is `evtchn_port_t` (xen/include/public/event_channel.h).
@frozen
public struct EventPort: RawRepresentable, Hashable, Comparable, Sendable {
    public let rawValue: UInt32

    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    @inlinable
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }

    @inlinable
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension EventPort: CustomStringConvertible {
    public var description: String { "port \(rawValue)" }
}
