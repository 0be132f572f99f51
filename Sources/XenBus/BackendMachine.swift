public import XenCore

/// The backend's end of the device handshake, as a value: observations in, actions out.
///
/// A backend that is started beside a frontend which is still connected to an earlier one begins anew:
/// it goes to InitWait and waits until the frontend has published new rings.
/// Source: xen/include/public/io/xenbus.h and blkif.h, "Startup" and "Recovery" state diagrams.
public struct BackendMachine: Hashable, Sendable {
    /// What the driver has to do, in order.
    public enum Action: Hashable, Sendable {
        /// Map the rings that the frontend published, and serve them.
        case connect(Epoch, published: [String: String])
        /// Write the state Connected, in a transaction that finds the frontend Initialised or
        /// Connected with just this published; else write nothing and look again. A frontend that
        /// restarted in the meantime would take Connected for an answer to its new rings.
        case announce(published: [String: String])
        /// Stop serving, and let go of all that is the frontend's.
        case disconnect(Epoch)
        /// Write our state; before InitWait, also our features, since the directory may be a new one.
        case setState(DeviceState)
        /// Nothing more will come.
        case finish(DeviceEnd)
    }

    /// What the machine is told.
    public enum Input: Hashable, Sendable {
        /// The frontend's state and what it published, as just read together; nil if its node is gone.
        /// A state that is none, as garbage, counts as that of a frontend that has not begun.
        case frontend(DeviceState?, published: [String: String])
        /// Our state as just read; nil if its node is gone: the toolstack has taken the device away.
        /// Initialising, which a backend never writes, is that of a device that was made anew.
        case own(DeviceState?)
        /// The frontend's rings could not be used, or broke.
        case failed
        /// Our side wants the device closed.
        case close
        /// The frontend did not take part in closing within its deadline.
        case closeExpired
    }

    enum Phase: Hashable, Sendable {
        case starting
        case waiting
        case connected
        /// We said Closing, and wait for the frontend's Closed.
        case closing
        case closed
        case finished
    }

    var phase = Phase.starting

    /// What the frontend had published for the life that we must not join, or have joined.
    private var known: [String: String] = [:]
    private var wantsEnd = false

    /// Whether a frontend that has closed may come back: the device's `online` node.
    public var isOnline: Bool

    /// The newest connection that was begun; `.none` before the first.
    public private(set) var epoch = Epoch.none

    /// A machine for a backend that has not yet written a state.
    public init(isOnline: Bool = true) { self.isOnline = isOnline }

    /// Takes one observation, and says what to do.
    public mutating func handle(_ input: Input) -> [Action] {
        switch input {
        case .frontend(nil, _): return vanish()
        case .frontend(.unknown?, let published): return observe(.initialising, published)
        case .frontend(let state?, let published): return observe(state, published)
        case .own(nil): return unplug()
        case .own(.initialising?): return beginAnew()
        case .own: return []
        case .failed: return fail()
        case .close: return close()
        case .closeExpired: return phase == .closing ? finish(.closed) : []
        }
    }

    private mutating func observe(
        _ frontend: DeviceState, _ published: [String: String]
    ) -> [Action] {
        switch (phase, frontend) {
        case (.starting, _):
            // What is connected now is connected to an earlier backend.
            known = frontend == .connected ? published : [:]
            phase = .waiting
            return [.setState(.initWait)] + observe(frontend, published)

        case (.waiting, .initialised):
            return connect(published)
        case (.waiting, .connected):
            return published == known ? [] : connect(published)
        case (.waiting, .closing):
            phase = .closing
            return [.setState(.closing)]
        case (.waiting, .initialising), (.waiting, .closed), (.closed, .closed):
            // A frontend may be closed because an earlier backend was: InitWait invites it back. Offline nobody will come.
            return isOnline ? [] : finish(.unplugged)

        case (.connected, .initialised), (.connected, .connected):
            guard published != known else { return [] }
            return [.disconnect(epoch), .setState(.initWait)] + connect(published)
        case (.connected, .initialising), (.connected, .initWait):
            phase = .waiting
            return [.disconnect(epoch), .setState(.initWait)]
        case (.connected, .closing):
            phase = .closing
            return [.disconnect(epoch), .setState(.closing)]
        case (.connected, .closed):
            return [.disconnect(epoch)] + closed()

        case (.closing, .closed):
            return wantsEnd ? finish(.closed) : closed()
        case (.closing, .initialising) where !wantsEnd, (.closed, .initialising):
            phase = .waiting
            return [.setState(.initWait)]

        default:
            return []
        }
    }

    /// The frontend's directory has gone.
    private mutating func vanish() -> [Action] {
        switch phase {
        case .connected: [.disconnect(epoch)] + finish(.peerGone)
        case .starting, .waiting, .closing, .closed: finish(.peerGone)
        case .finished: []
        }
    }

    private mutating func unplug() -> [Action] {
        switch phase {
        case .connected: [.disconnect(epoch)] + finish(.unplugged)
        case .starting, .waiting, .closing, .closed: finish(.unplugged)
        case .finished: []
        }
    }

    /// A frontend of the new device has never seen us: whatever we were at, it begins with InitWait.
    private mutating func beginAnew() -> [Action] {
        switch phase {
        case .starting, .finished: return []
        case .waiting, .connected, .closing, .closed: break
        }
        let ended: [Action] = phase == .connected ? [.disconnect(epoch)] : []
        if wantsEnd { return ended + finish(.closed) }
        phase = .starting
        return ended
    }

    private mutating func connect(_ published: [String: String]) -> [Action] {
        known = published
        epoch = epoch.next
        phase = .connected
        return [.connect(epoch, published: published), .announce(published: published)]
    }

    private mutating func closed() -> [Action] {
        guard isOnline else { return finish(.unplugged) }
        phase = .closed
        return [.setState(.closed)]
    }

    private mutating func fail() -> [Action] {
        guard phase == .connected else { return [] }
        phase = .closing
        return [.disconnect(epoch), .setState(.closing)]
    }

    private mutating func close() -> [Action] {
        wantsEnd = true
        switch phase {
        case .connected:
            phase = .closing
            return [.disconnect(epoch), .setState(.closing)]
        case .starting, .waiting, .closed:
            return finish(.closed)
        case .closing, .finished:
            return []
        }
    }

    private mutating func finish(_ end: DeviceEnd) -> [Action] {
        phase = .finished
        return [.setState(.closed), .finish(end)]
    }
}
