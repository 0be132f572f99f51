public import XenCore
import XenSystem

/// Our end of an event channel that an event thread serves. Closed when it goes.
public struct ServedChannel: ~Copyable, Sendable {
    // In this order: first the thread forgets the port, then its number is given back.
    private let registration: PortRegistration
    private let channel: EventChannel

    init(registration: consuming PortRegistration, channel: consuming EventChannel) {
        self.registration = registration
        self.channel = channel
    }

    /// The local port: what a peer needs in order to bind to it.
    public var port: EventPort { channel.port }

    /// What the event thread knows it by.
    public var id: EventThread.PortID { registration.id }

    /// Rings the peer. Harmless when the peer is gone. Does not block.
    public func notify() throws(EventChannelError) { try channel.notify() }

    /// From now on no event of this port is served, until `unmask()`; what rings meanwhile is served then.
    /// Work that `poll` sees is handled all the same.
    public func mask() throws(EventChannelError) { try channel.mask() }

    /// Ends `mask()`.
    public func unmask() throws(EventChannelError) { try channel.unmask() }

    /// Ends the serving and gives the port back. The peer is not told; who waits for it gets `.badPort`.
    ///
    /// Afterwards the handler does not run, and what it uses can go: from another thread than the event thread
    /// this blocks while a turn of the handler, or a look by `poll`, is under way.
    public consuming func close() throws(EventChannelError) {
        registration.end()
        try channel.close()
    }
}

/// A port's place in an event thread. Given up when it goes.
struct PortRegistration: ~Copyable, Sendable {
    let id: EventThread.PortID
    let loop: EventLoop

    consuming func end() {}

    deinit {
        let leaver = loop.isCurrent ? nil : ThreadSignal()
        let removal = loop.change { $0.remove(id, leaver: leaver) }
        for told in removal.told { told.waiter.end(told.result) }
        if removal.mustWait { leaver?.wait(until: nil) }
    }
}
