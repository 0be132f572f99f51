#if LibXen
    import CXen
    import Foundation
    import Testing
    import XenCore
    @testable import XenDomain

    /// The real back end over functions that answer as Xen does: what its callers hear.
    @Suite struct LibXenDomainsTests {
        /// Domain 0 runs, 1 has shut down, 2 dies, 3 is not there; those above are refused with their number as errno.
        nonisolated(unsafe) private static let functions: UnsafePointer<cxen_domains> = {
            let table = UnsafeMutablePointer<cxen_domains>.allocate(capacity: 1)
            unsafe table.initialize(
                to: cxen_domains(
                    open: { _, _ in unsafe OpaquePointer(bitPattern: 1) },
                    close: { _ in 0 },
                    look: { _, domain, state in
                        switch domain {
                        case 0...2:
                            unsafe state.pointee = cxen_domain_state(rawValue: UInt32(domain))
                            return 0
                        case 3: errno = ErrorNumber.noSuchProcess.rawValue
                        default: errno = Int32(domain)
                        }
                        return -1
                    }))
            return unsafe UnsafePointer(table)
        }()

        @Test(arguments: [
            (UInt16(0), DomainStatus.running as DomainStatus?), (1, .shutDown), (2, .dying),
            (3, nil),
        ])
        func status(of domain: UInt16, is status: DomainStatus?) throws {
            let domains = try unsafe LibXenDomains(library: Self.functions)
            #expect(try domains.status(of: DomainID(domain)) == status)
        }

        @Test(arguments: [
            (ErrorNumber.accessDenied, DomainError.Code.unavailable, "another Xen version"),
            (.invalid, .refused, "the hypervisor refused"),
        ])
        func refusals(failure: ErrorNumber, code: DomainError.Code, advice: String) throws {
            let domains = try unsafe LibXenDomains(library: Self.functions)
            let error = try #require(throws: DomainError.self) {
                try domains.status(of: DomainID(UInt16(failure.rawValue)))
            }
            #expect(error.code == code)
            #expect(error.errorNumber == failure)
            #expect("\(error)".contains(advice))
        }

        /// As on a machine without Xen.
        @Test func aDeviceThatCannotBeOpened() throws {
            var functions = unsafe Self.functions.pointee
            unsafe functions.open = { _, _ in
                errno = ErrorNumber.noEntry.rawValue
                return nil
            }
            let error = try unsafe withUnsafePointer(to: functions) { functions in
                try #require(throws: DomainError.self) {
                    _ = try unsafe LibXenDomains(library: functions)
                }
            }
            #expect(error.code == .unavailable)
            #expect(error.message.contains("does not run under Xen"))
        }
    }
#endif
