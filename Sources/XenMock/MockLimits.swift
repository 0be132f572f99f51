/// What one domain of a `MockHypervisor` may hold at a time.
public struct MockLimits: Hashable, Sendable {
    /// Pages granted, those in quarantine included. Linux's gntalloc starts with 1024.
    public var grantCount: Int
    /// Ports open. xl starts a guest with 1023 (`event_channels` in xl.cfg(5)).
    public var portCount: Int

    public init(grantCount: Int = 1024, portCount: Int = 1023) {
        self.grantCount = grantCount
        self.portCount = portCount
    }
}
