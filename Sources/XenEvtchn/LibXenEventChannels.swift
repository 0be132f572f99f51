#if LibXen
    import CXen
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
    @safe
    public final class LibXenEventChannels: EventChannelBackend, @unchecked Sendable {
        // Safe: set once, and the device may be used from any thread.
        private let library: UnsafePointer<cxen_events>
        private let handle: OpaquePointer
        private let wakeup: Wakeup
        /// The ports of this handle: the device still reports one that rang before it was closed.
        private let ports = Mutex<Set<EventPort>>([])

        /// Opens the device. Throws `.unavailable` when there is none.
        public init() throws(EventChannelError) {
            guard let library = unsafe cxen_load_events() else {
                // Safe: the text is this thread's, and is copied.
                let problem = unsafe String(cString: cxen_load_problem())
                throw EventChannelError(
                    .unavailable,
                    "libxenevtchn.so.1 cannot be loaded (\(problem)): apt-get install libxenevtchn1"
                )
            }
            guard let handle = unsafe library.pointee.open(cxen_quiet_logger(), 0) else {
                throw EventChannelError(device: .current)
            }
            do {
                wakeup = try Wakeup()
            } catch {
                _ = unsafe library.pointee.close(handle)
                throw EventChannelError(
                    .limitReached, errorNumber: error.errorNumber, "a way to interrupt a wait")
            }
            unsafe self.library = library
            unsafe self.handle = handle
            // A port that another reader took must not make the next read block.
            let descriptor = unsafe library.pointee.fd(handle)
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        }

        deinit { _ = unsafe library.pointee.close(handle) }

        public func bindUnbound(for domain: DomainID) throws(EventChannelError) -> EventPort {
            try newPort("a port for \(domain)") {
                unsafe library.pointee.bind_unbound(handle, UInt32(domain.rawValue))
            }
        }

        public func bindInterdomain(
            to remotePort: EventPort, of domain: DomainID
        ) throws(EventChannelError) -> EventPort {
            try newPort("a port for \(remotePort) of \(domain)") {
                unsafe library.pointee.bind_interdomain(
                    handle, UInt32(domain.rawValue), remotePort.rawValue)
            }
        }

        /// Binds under the lock that `readPort` takes: the port may ring, and be read by a waiting thread,
        /// before we know its number; taken for a closed one it would stay masked for ever.
        private func newPort(
            _ what: String, _ bind: () -> Int32
        ) throws(EventChannelError) -> EventPort {
            let (result, failure) = ports.withLock { ports in
                let result = bind()
                let failure = ErrorNumber.current
                if result >= 0 { ports.insert(EventPort(UInt32(result))) }
                return (result, failure)
            }
            guard result >= 0 else { throw EventChannelError(binding: what, failure) }
            return EventPort(UInt32(result))
        }

        public func unbind(_ port: EventPort) throws(EventChannelError) {
            ports.withLock { _ = $0.remove(port) }
            guard unsafe library.pointee.unbind(handle, port.rawValue) == 0 else {
                throw EventChannelError(closingOrRinging: port, .current)
            }
        }

        public func notify(_ port: EventPort) throws(EventChannelError) {
            guard unsafe library.pointee.notify(handle, port.rawValue) == 0 else {
                throw EventChannelError(closingOrRinging: port, .current)
            }
        }

        public func unmask(_ port: EventPort) throws(EventChannelError) {
            guard unsafe library.pointee.unmask(handle, port.rawValue) == 0 else {
                throw EventChannelError(
                    .refused, errorNumber: .current, "\(port) cannot be unmasked")
            }
        }

        public func nextPending(until deadline: Deadline) throws(EventChannelError) -> EventPort? {
            let descriptor = unsafe library.pointee.fd(handle)
            while true {
                let ready: PollOutcome
                do {
                    ready = try poll(
                        [(wakeup.descriptor, .readable), (descriptor, .readable)], until: deadline)
                } catch {
                    throw EventChannelError(
                        .refused, errorNumber: error.errorNumber, "waiting for an event failed")
                }
                if ready.isReadable(0) {
                    wakeup.reset()
                    return nil
                }
                if ready.isReadable(1) {
                    if let port = try readPort(descriptor) { return port }
                } else if deadline.hasPassed {
                    return nil
                }
            }
        }

        /// Nil when what was ready is gone, or is of a port that was closed since it rang.
        private func readPort(_ descriptor: Int32) throws(EventChannelError) -> EventPort? {
            let result = unsafe library.pointee.pending(handle)
            if result >= 0 {
                let port = EventPort(UInt32(result))
                return ports.withLock { $0.contains(port) } ? port : nil
            }
            switch ErrorNumber.current {
            case .again, .interrupted:
                return nil
            case .tooBig:
                _ = cxen_reset_events(descriptor)
                // Any port may have rung and be masked now.
                for port in ports.withLock(\.self) { try? unmask(port) }
                throw EventChannelError(
                    .overflow, errorNumber: .tooBig, "events were lost: look at every ring")
            case let failure:
                throw EventChannelError(
                    .refused, errorNumber: failure, "/dev/xen/evtchn cannot be read")
            }
        }

        public func interrupt() { wakeup.signal() }
    }

    extension EventChannelError {
        fileprivate init(device failure: ErrorNumber) {
            let advice =
                switch failure {
                case .accessDenied, .notPermitted: "needs root"
                default: "this machine does not run under Xen, or load the module xen-evtchn"
                }
            self.init(.unavailable, errorNumber: failure, "/dev/xen/evtchn: \(failure): \(advice)")
        }

        fileprivate init(binding what: String, _ failure: ErrorNumber) {
            let code: Code =
                switch failure {
                case .invalid, .noSuchProcess: .badRemotePort
                case .noSpace, .noMemory: .limitReached
                default: .refused
                }
            self.init(code, errorNumber: failure, "\(what) cannot be had")
        }

        fileprivate init(closingOrRinging port: EventPort, _ failure: ErrorNumber) {
            let code: Code =
                switch failure {
                case .invalid, .notConnected: .badPort
                default: .refused
                }
            self.init(
                code, errorNumber: failure, "\(port) cannot be rung or closed: is it open here?")
        }
    }
#endif
