#if LibXen
    import XenCore

    // What the errors of libxenevtchn mean.
    extension EventChannelError {
        init(binding what: String, _ failure: ErrorNumber) {
            let code: Code =
                switch failure {
                case .invalid, .noSuchProcess: .badRemotePort
                case .noSpace, .noMemory: .limitReached
                case .accessDenied, .notPermitted: .notPermitted
                case .exists: .stale
                default: .refused
                }
            let advice = code == .stale ? ": was the domain resumed? See afterResume()" : ""
            self.init(code, errorNumber: failure, "\(what) cannot be had\(advice)")
        }

        init(binding interrupt: VirtualInterrupt, _ failure: ErrorNumber) {
            let (code, why): (Code, String) =
                switch failure {
                case .exists: (.alreadyBound, "it has a port in this domain already")
                case .busy: (.handledElsewhere, "another domain handles it")
                case .accessDenied, .notPermitted:
                    (.notPermitted, "this domain, or a restricted handle, may not have it")
                case .noSpace, .noMemory: (.limitReached, "there are no more ports")
                default: (.refused, "is there such an interrupt?")
                }
            self.init(code, errorNumber: failure, "\(interrupt) cannot be bound: \(why)")
        }

        init(closingOrRinging port: EventPort, _ failure: ErrorNumber) {
            let code: Code =
                switch failure {
                case .invalid, .notConnected: .badPort
                default: .refused
                }
            self.init(
                code, errorNumber: failure, "\(port) cannot be rung or closed: is it open here?")
        }

        init(restrictingTo domain: DomainID, _ failure: ErrorNumber) {
            let (code, why): (Code, String) =
                switch failure {
                case .accessDenied: (.notPermitted, "it is restricted already, for good")
                case .invalid: (.refused, "only a guest's number will do")
                default: (.refused, "the kernel does not know how")
                }
            self.init(
                code, errorNumber: failure, "the handle cannot be restricted to \(domain): \(why)")
        }
    }
#endif
