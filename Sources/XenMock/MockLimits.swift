/// What one domain of a `MockHypervisor` may hold at a time.
public struct MockLimits: Hashable, Sendable {
    /// How a domain's kernel and the hypervisor tell each other which ports ring: it bounds their number.
    public enum EventInterface: Hashable, Sendable {
        /// Two levels of bits, as old kernels have it: ports 0 to 4095 in a 64-bit domain.
        case twoLevel
        /// Queues in memory (`EVTCHNOP_init_control`): ports 0 to 131071.
        case queues

        /// No port has this number or a greater one (xen/include/public/event_channel.h).
        var portCount: Int {
            switch self {
            case .twoLevel: 4096
            case .queues: 1 << 17
            }
        }
    }

    /// Pages granted, those in quarantine included. Linux's gntalloc starts with 1024.
    public var grantCount: Int
    /// Ports open. xl starts a guest with 1023 (`event_channels` in xl.cfg(5)).
    public var portCount: Int
    public var eventInterface: EventInterface

    public init(
        grantCount: Int = 1024, portCount: Int = 1023, eventInterface: EventInterface = .queues
    ) {
        self.grantCount = grantCount
        self.portCount = portCount
        self.eventInterface = eventInterface
    }

    /// Port 0 is reserved.
    var greatestPort: Int { min(portCount, eventInterface.portCount - 1) }
}
