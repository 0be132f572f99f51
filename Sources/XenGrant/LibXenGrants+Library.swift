#if LibXen
    import CXen
    import XenCore

    /// The functions of libxengnttab, loaded at the first call.
    @unsafe
    func loadGrantLibrary() throws(GrantError) -> UnsafePointer<cxen_grants> {
        if let library = unsafe cxen_load_grants() { return unsafe library }
        // Safe: the text is this thread's, and is copied.
        let problem = unsafe String(cString: cxen_load_problem())
        throw GrantError(
            .unavailable,
            "libxengnttab.so.1 cannot be loaded (\(problem)): apt-get install libxengnttab1")
    }

    extension GrantError {
        /// A device that cannot be opened.
        init(device: String, module: String, _ failure: ErrorNumber) {
            let advice =
                switch failure {
                case .accessDenied, .notPermitted: "needs root"
                default: "this machine does not run under Xen, or load the module \(module)"
                }
            self.init(.unavailable, errorNumber: failure, "\(device): \(failure): \(advice)")
        }

        /// A notification that cannot be set up.
        init(_ notification: UnmapNotification, _ failure: ErrorNumber) {
            let port = notification.notifyPort.map { "ringing \($0)" }
            let byte = notification.clearByte.map { "clearing byte \($0)" }
            let what = [byte, port].compactMap(\.self).joined(separator: " and ")
            self.init(
                .refused, errorNumber: failure,
                "no notification by \(what): is the port open, and the mapping writable?")
        }
    }

    extension cxen_notification {
        init(_ notification: UnmapNotification) {
            self.init(
                byte: notification.clearByte.map { Int64($0) } ?? -1,
                port: notification.notifyPort.map { Int64($0.rawValue) } ?? -1)
        }
    }
#endif
