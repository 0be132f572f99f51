#if LibXen
    import CXen
    public import XenCore
    import XenSystem

    /// What real Xen knows of its domains, through libxencall and /dev/xen/privcmd: for dom0, or another domain that
    /// Xen lets control others.
    ///
    /// It asks by `XEN_DOMCTL_getdomaininfo` (xen/include/public/domctl.h), whose form changes with Xen's version:
    /// a program built with the headers of one Xen is refused by another, as programs with libxenctrl are.
    @safe
    public final class LibXenDomains: DomainBackend, @unchecked Sendable {
        // Safe: set once, and libxencall may be used from any thread.
        private let library: UnsafePointer<cxen_domains>
        private let handle: OpaquePointer

        /// Opens the device. Throws `.unavailable`, saying what is missing, on a machine without it.
        public convenience init() throws(DomainError) {
            guard let library = unsafe cxen_load_domains() else {
                // Safe: the text is this thread's, and is copied.
                let problem = unsafe String(cString: cxen_load_problem())
                throw DomainError(
                    .unavailable,
                    "libxencall.so.1 cannot be loaded (\(problem)): apt-get install libxencall1")
            }
            try unsafe self.init(library: library)
        }

        /// Over these functions, which stay for good: libxencall's, or a test's.
        init(library: UnsafePointer<cxen_domains>) throws(DomainError) {
            guard let handle = unsafe library.pointee.open(cxen_quiet_logger(), 0) else {
                throw DomainError(opening: .current)
            }
            unsafe self.library = library
            unsafe self.handle = handle
        }

        deinit { _ = unsafe library.pointee.close(handle) }

        public func status(of domain: DomainID) throws(DomainError) -> DomainStatus? {
            var state: cxen_domain_state = cxen_domain_running
            // Safe: the handle is open until deinit, and the state is this frame's.
            guard unsafe library.pointee.look(handle, domain.rawValue, &state) == 0 else {
                let failure = ErrorNumber.current
                if failure == .noSuchProcess { return nil }
                throw DomainError(asking: domain, failure)
            }
            return switch state {
            case cxen_domain_dying: .dying
            case cxen_domain_shut_down: .shutDown
            default: .running
            }
        }
    }

    extension DomainError {
        fileprivate init(opening failure: ErrorNumber) {
            let advice =
                switch failure {
                case .accessDenied, .notPermitted: "needs root"
                default: "this machine does not run under Xen, or load the module xen-privcmd"
                }
            self.init(
                .unavailable, errorNumber: failure, "/dev/xen/privcmd: \(failure): \(advice)")
        }

        fileprivate init(asking domain: DomainID, _ failure: ErrorNumber) {
            let (code, why): (Code, String) =
                switch failure {
                case .notPermitted: (.notPermitted, "only dom0 may ask; run there, as root")
                // What Xen says to another interface version.
                case .accessDenied:
                    (.unavailable, "this program was built with the headers of another Xen version")
                default: (.refused, "the hypervisor refused")
                }
            self.init(
                code, errorNumber: failure, "the status of \(domain) cannot be had: \(why)")
        }
    }
#endif
