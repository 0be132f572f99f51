#if LibXen
    import CXen
    import Synchronization
    import XenCore
    import XenSystem

    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    /// An open /dev/xen/evtchn: the calls of libxenevtchn, each with its error. Closed when it goes.
    ///
    /// A call that a signal interrupts is made again.
    @safe
    final class EventDevice: @unchecked Sendable {
        // Safe: set once, and the device may be used from any thread.
        private let library: UnsafePointer<cxen_events>
        private let handle: OpaquePointer

        /// Non-blocking: a port that another reader took must not make a read block.
        private init(_ library: UnsafePointer<cxen_events>, _ handle: OpaquePointer) {
            unsafe self.library = library
            unsafe self.handle = handle
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        }

        /// Keeps the descriptor open for good.
        private let isAbandoned = Atomic<Bool>(false)

        /// The device is not closed when this goes: its ports died at a resume, and Linux does not survive that.
        func abandon() { isAbandoned.store(true, ordering: .relaxed) }

        /// Ends `abandon()`: no port of before is left in it.
        func reclaim() { isAbandoned.store(false, ordering: .relaxed) }

        deinit {
            if !isAbandoned.load(ordering: .relaxed) { _ = unsafe library.pointee.close(handle) }
        }

        /// The same device, opened anew.
        func opened() throws(EventChannelError) -> EventDevice {
            try unsafe EventDevice(opening: library)
        }

        /// libxenevtchn's functions.
        static func library() throws(EventChannelError) -> UnsafePointer<cxen_events> {
            guard let library = unsafe cxen_load_events() else {
                // Safe: the text is this thread's, and is copied.
                let problem = unsafe String(cString: cxen_load_problem())
                throw EventChannelError(
                    .unavailable,
                    "libxenevtchn.so.1 cannot be loaded (\(problem)): apt-get install libxenevtchn1"
                )
            }
            return unsafe library
        }

        convenience init(
            opening library: UnsafePointer<cxen_events>
        ) throws(EventChannelError) {
            guard let handle = unsafe library.pointee.open(cxen_quiet_logger(), 0) else {
                throw EventChannelError(opening: .current)
            }
            unsafe self.init(library, handle)
        }

        /// Takes the descriptor over. It is the caller's still when this throws.
        convenience init(
            adopting descriptor: Int32, _ library: UnsafePointer<cxen_events>
        ) throws(EventChannelError) {
            // A copy, so that closing the library's handle after a failure does not close the caller's.
            let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
            guard copy >= 0 else { throw EventChannelError(adopting: descriptor, .current) }
            guard let handle = unsafe library.pointee.adopt(cxen_quiet_logger(), copy, 0) else {
                let failure = ErrorNumber.current
                _ = close(copy)
                throw EventChannelError(adopting: descriptor, failure)
            }
            unsafe self.init(library, handle)
        }

        // Safe, here and below: the handle is open until deinit, and the library's calls take no other memory.
        var descriptor: Int32 { unsafe library.pointee.fd(handle) }

        func bindUnbound(for domain: DomainID) throws(SystemFailure) -> EventPort {
            try port("xenevtchn_bind_unbound_port") {
                unsafe library.pointee.bind_unbound(handle, UInt32(domain.rawValue))
            }
        }

        func bindInterdomain(
            to remotePort: EventPort, of domain: DomainID
        ) throws(SystemFailure) -> EventPort {
            try port("xenevtchn_bind_interdomain") {
                unsafe library.pointee.bind_interdomain(
                    handle, UInt32(domain.rawValue), remotePort.rawValue)
            }
        }

        func bindVirtualInterrupt(
            _ interrupt: VirtualInterrupt
        ) throws(SystemFailure) -> EventPort {
            try port("xenevtchn_bind_virq") {
                unsafe library.pointee.bind_virq(handle, interrupt.rawValue)
            }
        }

        func unbind(_ port: EventPort) throws(SystemFailure) {
            try check("xenevtchn_unbind") { unsafe library.pointee.unbind(handle, port.rawValue) }
        }

        func notify(_ port: EventPort) throws(SystemFailure) {
            try check("xenevtchn_notify") { unsafe library.pointee.notify(handle, port.rawValue) }
        }

        func unmask(_ port: EventPort) throws(SystemFailure) {
            try check("xenevtchn_unmask") { unsafe library.pointee.unmask(handle, port.rawValue) }
        }

        func restrict(to domain: DomainID) throws(SystemFailure) {
            try check("xenevtchn_restrict") {
                unsafe library.pointee.restrict_to(handle, domain.rawValue)
            }
        }

        /// Forgets all that was rung and not read, and ends an overflow.
        func reset() throws(SystemFailure) {
            try check("IOCTL_EVTCHN_RESET") { unsafe library.pointee.reset(handle) }
        }

        /// A port that has rung, which the device keeps silent from now on. Nil when there is none.
        ///
        /// Throws EFBIG when events came faster than they were read, until `reset()`.
        func read() throws(SystemFailure) -> EventPort? {
            do {
                return try port("xenevtchn_pending") { unsafe library.pointee.pending(handle) }
            } catch {
                if error.errorNumber == .again { return nil }
                throw error
            }
        }

        private func port(
            _ call: StaticString, _ body: () -> Int32
        ) throws(SystemFailure) -> EventPort {
            EventPort(UInt32(try check(call, body)))
        }

        @discardableResult
        private func check(
            _ call: StaticString, _ body: () -> Int32
        ) throws(SystemFailure) -> Int32 {
            while true {
                let result = body()
                if result >= 0 { return result }
                let failure = ErrorNumber.current
                if failure != .interrupted { throw SystemFailure("\(call)", failure) }
            }
        }
    }

    extension EventChannelError {
        fileprivate init(opening failure: ErrorNumber) {
            let advice =
                switch failure {
                case .accessDenied, .notPermitted: "needs root"
                default: "this machine does not run under Xen, or load the module xen-evtchn"
                }
            self.init(.unavailable, errorNumber: failure, "/dev/xen/evtchn: \(failure): \(advice)")
        }

        fileprivate init(adopting descriptor: Int32, _ failure: ErrorNumber) {
            self.init(
                .unavailable, errorNumber: failure,
                "descriptor \(descriptor) cannot be taken over: is it open?")
        }
    }
#endif
