#if LibXen
    package import CXen
    import Synchronization
    public import XenCore
    import XenSystem

    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    extension EventChannels {
        /// Over real Xen. Throws `.unavailable`, saying what is missing, on a machine without it.
        public static func open() throws(EventChannelError) -> EventChannels {
            EventChannels(try LibXenEventChannels())
        }
    }

    /// Real Xen's event channels, through libxenevtchn and /dev/xen/evtchn.
    ///
    /// Not for use in the child of a fork.
    public final class LibXenEventChannels: EventChannelBackend {
        public let epoch: Epoch
        let device: EventDevice
        let wakeup: Wakeup
        /// Signalled while the state is readable.
        private let readiness: Wakeup
        /// The device and `readiness`.
        let readable: Epoll
        let state: Mutex<State>
        /// Set under the lock of `state`, read also without it.
        let hasEnded = Atomic<Bool>(false)

        struct State {
            var table = PortTable()
            var isSignalled = false
            var restriction: DomainID?
            var staleEventCount = 0
            var successor: LibXenEventChannels?
        }

        /// Opens the device. Throws `.unavailable` when there is none.
        public convenience init() throws(EventChannelError) {
            // Safe: libxenevtchn's own functions.
            try unsafe self.init(library: EventDevice.library())
        }

        /// Takes over a descriptor of /dev/xen/evtchn that somebody else opened: an earlier self before `exec`, or a
        /// parent that may open it (`xenevtchn_fdopen`).
        ///
        /// It belongs to the back end from the moment this returns, and is the caller's still when this throws. It
        /// becomes non-blocking, for all who share it.
        /// - Parameters:
        ///   - descriptor: an open descriptor of the device. Do not use or close it any more.
        ///   - ports: those that are bound to it already. They are unmasked; each may ring although nobody rang, so
        ///     look at what its peer writes. `EventChannels.adopt` makes their owners. An event of a port that is
        ///     not named here is dropped.
        public convenience init(
            adopting descriptor: Int32, ports: [EventPort] = []
        ) throws(EventChannelError) {
            // Safe: libxenevtchn's own functions.
            try unsafe self.init(
                adopting: descriptor, ports: ports, library: EventDevice.library())
        }

        package convenience init(
            adopting descriptor: Int32, ports: [EventPort], library: UnsafePointer<cxen_events>
        ) throws(EventChannelError) {
            try self.init(unsafe EventDevice(adopting: descriptor, library))
            state.withLock { state in
                for port in ports {
                    state.table.open(port)
                    // Whatever state its former user left it in. A device that refuses leaves it as if it had rung.
                    if (try? device.unmask(port)) == nil { state.table.ring(port) }
                }
                showReadiness(&state)
            }
            _ = close(descriptor)
        }

        /// Over any table of functions: libxenevtchn's, or a test's.
        package convenience init(library: UnsafePointer<cxen_events>) throws(EventChannelError) {
            try self.init(unsafe EventDevice(opening: library))
        }

        init(
            _ device: EventDevice, epoch: Epoch = .none.next, staleEventCount: Int = 0
        ) throws(EventChannelError) {
            self.device = device
            self.epoch = epoch
            state = Mutex(State(staleEventCount: staleEventCount))
            do {
                wakeup = try Wakeup()
                readiness = try Wakeup()
                readable = try Epoll()
                try readable.add(device.descriptor, .readable, token: 0)
                try readable.add(readiness.descriptor, .readable, token: 0)
            } catch {
                throw EventChannelError(
                    .limitReached, errorNumber: error.errorNumber,
                    "a way to wait for events: \(error.call)")
            }
        }

        public var descriptor: Int32 { readable.descriptor }
    }

    // Ports.
    extension LibXenEventChannels {
        public func bindUnbound(for domain: DomainID) throws(EventChannelError) -> EventPort {
            try newPort("a port for \(domain)") { () throws(SystemFailure) in
                try device.bindUnbound(for: domain)
            }
        }

        public func bindInterdomain(
            to remotePort: EventPort, of domain: DomainID
        ) throws(EventChannelError) -> EventPort {
            try newPort("a port for \(remotePort) of \(domain)") { () throws(SystemFailure) in
                try device.bindInterdomain(to: remotePort, of: domain)
            }
        }

        public func bindVirtualInterrupt(
            _ interrupt: VirtualInterrupt
        ) throws(EventChannelError) -> EventPort {
            try openPort { () throws(SystemFailure) in
                try device.bindVirtualInterrupt(interrupt)
            } _: {
                EventChannelError(binding: interrupt, $0)
            }
        }

        private func newPort(
            _ what: @autoclosure () -> String, _ bind: () throws(SystemFailure) -> EventPort
        ) throws(EventChannelError) -> EventPort {
            try openPort(bind) { EventChannelError(binding: what(), $0) }
        }

        /// Binds under the lock that readers take: the port may ring, and be read by a waiting thread, before we know
        /// its number; taken for a closed one it would stay silent for ever.
        private func openPort(
            _ bind: () throws(SystemFailure) -> EventPort,
            _ explain: (ErrorNumber) -> EventChannelError
        ) throws(EventChannelError) -> EventPort {
            try state.withLock { (state) throws(EventChannelError) in
                try refuseIfEnded()
                do throws(SystemFailure) {
                    let port = try bind()
                    state.table.open(port)
                    return port
                } catch {
                    throw explain(error.errorNumber)
                }
            }
        }

        public func unbind(_ port: EventPort) throws(EventChannelError) {
            try state.withLock { (state) throws(EventChannelError) in
                try refuseIfEnded()
                state.table.close(port)
                defer { showReadiness(&state) }
                do throws(SystemFailure) {
                    try device.unbind(port)
                } catch {
                    throw EventChannelError(closingOrRinging: port, error.errorNumber)
                }
                drain(&state.table)
            }
        }

        /// Takes all that the device has to report into the table. After a close nothing is left there that could be
        /// taken for an event of the next port with the same number.
        private func drain(_ table: inout PortTable) {
            do {
                while let port = try device.read() { table.ring(port) }
            } catch {
                // An overflow. Any other failure meets the next wait, which reports it.
                if error.errorNumber == .tooBig, (try? recover(&table)) != nil {
                    table.hasUntoldLoss = true
                }
            }
        }

        public func notify(_ port: EventPort) throws(EventChannelError) {
            try refuseIfEnded()
            do {
                try device.notify(port)
            } catch {
                throw EventChannelError(closingOrRinging: port, error.errorNumber)
            }
        }

        public func restrict(to domain: DomainID) throws(EventChannelError) {
            try state.withLock { (state) throws(EventChannelError) in
                try refuseIfEnded()
                do throws(SystemFailure) {
                    try device.restrict(to: domain)
                    state.restriction = domain
                } catch {
                    throw EventChannelError(restrictingTo: domain, error.errorNumber)
                }
            }
        }
    }

    // Masking.
    extension LibXenEventChannels {
        public func mask(_ port: EventPort) throws(EventChannelError) {
            try state.withLock { (state) throws(EventChannelError) in
                try refuseIfEnded()
                state.table.mask(port)
                showReadiness(&state)
            }
        }

        public func unmask(_ port: EventPort) throws(EventChannelError) {
            try letRing(port) { $0.unmask(port) }
        }

        public func rearm(_ port: EventPort) throws(EventChannelError) {
            try letRing(port) { $0.rearm(port) }
        }

        private func letRing(
            _ port: EventPort, _ change: (inout PortTable) -> Bool
        ) throws(EventChannelError) {
            try state.withLock { (state) throws(EventChannelError) in
                try refuseIfEnded()
                defer { showReadiness(&state) }
                guard change(&state.table) else { return }
                do throws(SystemFailure) {
                    try device.unmask(port)
                } catch {
                    state.table.undoRearm(port)
                    throw EventChannelError(
                        .refused, errorNumber: error.errorNumber,
                        "\(port) cannot be unmasked: try again")
                }
            }
        }

        func showReadiness(_ state: inout State) {
            let isReadable = state.table.isReadable || hasEnded.load(ordering: .relaxed)
            guard isReadable != state.isSignalled else { return }
            state.isSignalled = isReadable
            if isReadable { readiness.signal() } else { readiness.reset() }
        }
    }
#endif
