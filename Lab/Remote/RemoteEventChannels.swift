import XenCore
import XenEvtchn

/// The event channels of a party elsewhere: each call is made there, each wait included.
final class RemoteEventChannels: EventChannelBackend {
    private let caller: PartyCaller
    private let handle: UInt32

    init(_ caller: PartyCaller, _ handle: UInt32) {
        self.caller = caller
        self.handle = handle
    }

    func bindUnbound(for domain: DomainID) throws(EventChannelError) -> EventPort {
        try caller.onEvents(.bindUnbound, handle, wire(domain), returning: EventPort.self)
    }

    func bindInterdomain(
        to remotePort: EventPort, of domain: DomainID
    ) throws(EventChannelError) -> EventPort {
        try caller.onEvents(
            .bindInterdomain, handle, wire(remotePort, domain), returning: EventPort.self)
    }

    func bindVirtualInterrupt(
        _ interrupt: VirtualInterrupt
    ) throws(EventChannelError) -> EventPort {
        try caller.onEvents(
            .bindVirtualInterrupt, handle, wire(interrupt), returning: EventPort.self)
    }

    func unbind(_ port: EventPort) throws(EventChannelError) {
        try caller.onEvents(.unbind, handle, wire(port))
    }

    func notify(_ port: EventPort) throws(EventChannelError) {
        try caller.onEvents(.notify, handle, wire(port))
    }

    func mask(_ port: EventPort) throws(EventChannelError) {
        try caller.onEvents(.mask, handle, wire(port))
    }

    func unmask(_ port: EventPort) throws(EventChannelError) {
        try caller.post(.unmask, handle, wire(port))
    }

    func rearm(_ port: EventPort) throws(EventChannelError) {
        try caller.post(.rearm, handle, wire(port))
    }

    func nextPending(until deadline: Deadline) throws(EventChannelError) -> EventPort? {
        let remaining = deadline.remaining
        return try caller.onEvents(
            .nextPending, handle, wire(Int(deadline.remainingMilliseconds)), lasting: remaining,
            returning: EventPort?.self)
    }

    func interrupt() { _ = caller.call(.interrupt, handle, []) }

    func restrict(to domain: DomainID) throws(EventChannelError) {
        try caller.onEvents(.restrict, handle, wire(domain))
    }

    /// Nothing here becomes readable when something rings elsewhere.
    var descriptor: Int32 {
        get throws(EventChannelError) {
            throw EventChannelError(.unavailable, "a party elsewhere has no descriptor here")
        }
    }

    /// `Epoch.none` if the other end does not say.
    var epoch: Epoch {
        (try? caller.onEvents(.epoch, handle, returning: Epoch.self)) ?? .none
    }

    var staleEventCount: Int {
        (try? caller.onEvents(.staleEventCount, handle, returning: Int.self)) ?? 0
    }

    func successorAfterResume() throws(EventChannelError) -> any EventChannelBackend {
        RemoteEventChannels(
            caller, try caller.onEvents(.successor, handle, returning: UInt32.self))
    }
}
