public import XenCore

/// The frontend's end of the device handshake, as a value: observations in, actions out.
///
/// Watches are hints, so the machine is told what the backend's state *is*, never what changed;
/// states that came and went unseen do not confuse it. A backend that falls back to InitWait, or
/// vanishes, ends the epoch, and so does a resume of our own domain; the next one begins with new rings.
/// Source: xen/include/public/io/xenbus.h and blkif.h, "Startup" and "Recovery" state diagrams.
public struct FrontendMachine: Hashable, Sendable {
    /// What the driver has to do, in order.
    public enum Action: Hashable, Sendable {
        /// Make rings and ports for this epoch, and publish them together with the state Initialised,
        /// in a transaction that finds the backend in InitWait; else publish nothing and report `.lost`.
        /// Otherwise Connected, written for our last rings, could be taken for an answer to these.
        case publish(Epoch)
        /// The backend is attached: read what it published, and start sending.
        case connect(Epoch)
        /// Stop using this epoch's rings; what is unanswered will be issued again.
        case retire(Epoch)
        /// Tell the device that its domain was resumed: what it made before is dead already.
        case resume
        /// Find both ends' directories again, and write Initialising.
        case relocate
        /// Write our state.
        case setState(DeviceState)
        /// Nothing more will come.
        case finish(DeviceEnd)
    }

    /// What the machine is told.
    public enum Input: Hashable, Sendable {
        /// The backend's state as just read, nil if its node is gone; and its `online` node:
        /// whether a backend that has closed waits for us to come back.
        case backend(DeviceState?, isOnline: Bool)
        /// Publishing or connecting failed, or the backend is known to have died.
        case lost
        /// Our domain was restored or migrated: it has another life, and the toolstack has made the device anew.
        case resumed
        /// Our state as just read; nil if its node is gone: the toolstack has taken the device away.
        /// One that we did not write is that of a device that was made anew, so our domain was resumed.
        case own(DeviceState?)
        /// Our side wants the device closed.
        case close
        /// The backend did not take part in closing within its deadline.
        case closeExpired
    }

    enum Phase: Hashable, Sendable {
        /// We wrote Initialising and wait for a backend in InitWait.
        case waiting
        /// Our rings of this epoch are published.
        case published
        case connected
        /// We found a backend connected to somebody's earlier life, and make it close.
        case resetting
        /// The backend closed the device, or refused our rings; it may come back.
        case refused
        /// We want to close.
        case closing
        case finished
    }

    var phase = Phase.waiting

    /// The newest epoch that was begun; `.none` before the first.
    public private(set) var epoch = Epoch.none

    /// A machine for a frontend that has just written the state Initialising.
    public init() {}

    /// Takes one observation, and says what to do.
    public mutating func handle(_ input: Input) -> [Action] {
        switch input {
        case .backend(let state, let isOnline): return observe(state ?? .unknown, isOnline)
        case .lost: return lose()
        case .resumed: return resume()
        case .own(nil): return unplug()
        case .own(let state?): return expects(state) ? [] : resume()
        case .close: return close()
        case .closeExpired: return phase == .closing ? finish(.closed) : []
        }
    }

    private mutating func observe(_ backend: DeviceState, _ isOnline: Bool) -> [Action] {
        switch (phase, backend) {
        case (.waiting, .initWait):
            return publish()
        case (.waiting, .connected):
            phase = .resetting
            return [.setState(.closing)]
        case (.waiting, .closing):
            phase = .resetting
            return [.setState(.closed)]

        case (.resetting, .closing):
            return [.setState(.closed)]
        case (.resetting, .closed), (.resetting, .unknown):
            phase = .waiting
            return [.setState(.initialising)]
        case (.refused, .closed) where isOnline:
            // It waits for us to come back.
            phase = .waiting
            return [.setState(.initialising)]
        case (.resetting, .initWait), (.refused, .initWait):
            phase = .waiting
            return [.setState(.initialising)] + publish()

        case (.published, .connected):
            phase = .connected
            return [.connect(epoch), .setState(.connected)]
        case (.published, .closing), (.published, .closed),
            (.connected, .closing), (.connected, .closed):
            phase = .refused
            return [.retire(epoch), .setState(.closed)]

        case (.connected, .initWait):
            phase = .waiting
            return [.retire(epoch), .setState(.initialising)] + publish()
        case (.connected, .unknown), (.connected, .initialising), (.connected, .initialised):
            return lose()

        case (.closing, .closing):
            return [.setState(.closed)]
        case (.closing, .closed), (.closing, .unknown), (.closing, .initWait),
            (.closing, .initialising):
            return finish(.closed)

        default:
            return []
        }
    }

    private mutating func publish() -> [Action] {
        epoch = epoch.next
        phase = .published
        return [.publish(epoch)]
    }

    private mutating func lose() -> [Action] {
        switch phase {
        case .published, .connected:
            phase = .waiting
            return [.retire(epoch), .setState(.initialising)]
        case .waiting, .resetting, .refused, .closing, .finished:
            return []
        }
    }

    /// Whether our state node can say so. Where we are at the start, a device that was made anew looks the same.
    func expects(_ own: DeviceState) -> Bool {
        switch phase {
        case .published: own == .initialised
        case .connected: own == .connected
        case .waiting, .resetting, .refused, .closing, .finished: true
        }
    }

    /// A backend of the new life has never seen us: whatever we were at, it begins with Initialising.
    private mutating func resume() -> [Action] {
        switch phase {
        case .published, .connected:
            phase = .waiting
            return [.resume, .retire(epoch), .relocate]
        case .waiting, .resetting, .refused:
            phase = .waiting
            return [.resume, .relocate]
        case .closing:
            return [.resume, .relocate] + finish(.closed)
        case .finished:
            return []
        }
    }

    private mutating func unplug() -> [Action] {
        switch phase {
        case .published, .connected: [.retire(epoch)] + finish(.unplugged)
        case .waiting, .resetting, .refused, .closing: finish(.unplugged)
        case .finished: []
        }
    }

    private mutating func close() -> [Action] {
        switch phase {
        case .connected:
            phase = .closing
            return [.retire(epoch), .setState(.closing)]
        case .published:
            return [.retire(epoch)] + finish(.closed)
        case .waiting, .resetting, .refused:
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
