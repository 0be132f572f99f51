#if LibXen
    import CGrantDevice
    import Testing
    import XenCore
    @testable import XenGrant

    /// The real back end, over a device that fails: what its callers hear, and that nothing is left behind.
    @Suite(.serialized) struct LibXenFailureTests {
        let backend: LibXenGrants
        let grants: GrantTable
        let page = GrantedPage(GrantReference(9), of: DomainID(3))

        init() throws {
            grant_device_reset()
            backend = try unsafe LibXenGrants(library: grant_device_functions())
            grants = GrantTable(backend)
        }

        private func fail(_ call: grant_call, _ failure: ErrorNumber, times: Int = 1) {
            grant_device_fail(call, failure.rawValue, UInt32(times))
        }

        private func count(_ call: grant_call) -> Int { Int(grant_device_calls(call)) }

        @Test(arguments: [
            (ErrorNumber.invalid, GrantError.Code.badReference), (.noMemory, .limitReached),
            (.noSpace, .limitReached), (.listTooLong, .limitReached), (.badAddress, .refused),
            (.noEntry, .refused),
        ])
        func failedMappings(failure: ErrorNumber, code: GrantError.Code) throws {
            fail(grant_call_map, failure)
            let error = try #require(throws: GrantError.self) { try grants.map([page]).close() }
            #expect(error.code == code)
            #expect(error.errorNumber == failure)
            #expect(error.message == "grant 9 of domain 3 cannot be mapped")
            #expect(count(grant_call_map) == 1)
            #expect(grants.accounts.total == .none)
            #expect(grant_device_pages() == 0)
        }

        /// Each attempt is a call of its own, so that the device is never asked beyond the deadline.
        @Test func aMappingToBeTriedAgainIsAskedForAnew() throws {
            fail(grant_call_map, .again, times: 5)
            let mapping = try grants.map([page], until: .after(.seconds(600)))
            #expect(count(grant_call_map) == 6)
            try mapping.close()

            fail(grant_call_map, .again, times: 1000)
            let error = try #require(throws: GrantError.self) {
                try grants.map([page], until: .now).close()
            }
            #expect(error.code == .again)
            #expect(count(grant_call_map) == 7)
            #expect(grant_device_pages() == 0)
        }

        @Test func aMappingWithoutItsNotificationIsUndone() throws {
            for failure in [ErrorNumber.invalid, .noEntry] {
                fail(grant_call_notify_unmap, failure)
                let error = try #require(throws: GrantError.self) {
                    try grants.map(
                        [page, page],
                        notification: UnmapNotification(clearByte: 5, notifyPort: EventPort(4))
                    ).close()
                }
                #expect(error.code == .refused)
                #expect(error.errorNumber == failure)
                #expect(
                    error.message == "no notification by clearing byte 5 and ringing port 4: "
                        + "is the port open, and the mapping writable?")
                #expect(grant_device_pages() == 0)
            }
            #expect(grants.accounts.total == .none)
        }

        @Test func aSecondUnmappingNeverReachesTheDevice() throws {
            let first = try backend.map([page], access: .readWrite, notification: nil)
            try backend.unmap(first)
            // It may well be at the same address: then a second unmapping would be this one's.
            let second = try backend.map([page], access: .readWrite, notification: nil)
            let error = try #require(throws: GrantError.self) { try backend.unmap(first) }
            #expect(error.code == .notFound)
            #expect(grant_device_pages() == 1)
            try backend.unmap(second)
            #expect(count(grant_call_unmap) == 2)
            #expect(!grant_device_was_misused())
        }

        @Test func aMappingThatCannotBeUndoneStaysInTheAccounts() throws {
            fail(grant_call_unmap, .invalid)
            let mapping = try grants.map([page])
            do throws(GrantError) {
                try mapping.close()
                Issue.record("it cannot be unmapped")
            } catch {
                #expect(error.code == .refused)
            }
            #expect(grants.accounts.mappings.map(\.pages) == [[page]])
        }

        @Test(arguments: [
            (ErrorNumber.noSpace, GrantError.Code.limitReached), (.noMemory, .limitReached),
            (.invalid, .refused), (.badAddress, .refused),
        ])
        func failedShares(failure: ErrorNumber, code: GrantError.Code) throws {
            fail(grant_call_share, failure)
            let error = try #require(throws: GrantError.self) {
                try grants.share(pageCount: 2, with: DomainID(3)).close()
            }
            #expect(error.code == code)
            #expect(error.errorNumber == failure)
            fail(grant_call_share_notifying, failure)
            let silent = try #require(throws: GrantError.self) {
                try grants.share(
                    pageCount: 2, with: DomainID(3), notification: UnmapNotification(clearByte: 0)
                ).close()
            }
            #expect(silent.code == code)
            #expect(grants.accounts.total == .none)
            #expect(grant_device_pages() == 0)
        }

        /// The pages are still granted, so they are kept, and let go at the next sweep.
        @Test func pagesThatCannotBeLetGoAreKept() throws {
            fail(grant_call_unshare, .noMemory, times: 2)
            let share = try grants.share(pageCount: 2, with: DomainID(3))
            _ = consume share
            #expect(grants.quarantinedPageCount == 2)
            #expect(grants.sweepQuarantine() == 2)
            #expect(grant_device_pages() == 2)
            #expect(grants.sweepQuarantine() == 0)
            #expect(grant_device_pages() == 0)
            #expect(count(grant_call_unshare) == 3)
            #expect(!grant_device_was_misused())
        }

        @Test(arguments: [
            (ErrorNumber.badAddress, GrantError.Code.refused), (.invalid, .refused),
            (.noMemory, .limitReached), (.noEntry, .refused),
        ])
        func failedCopies(failure: ErrorNumber, code: GrantError.Code) throws {
            let share = try grants.share(pageCount: 1, with: DomainID(3))
            let memory = unsafe share.memory
            fail(grant_call_copy, failure)
            let error = try #require(throws: GrantError.self) {
                try grants.copy([.read(GrantLocation(page), into: memory)], until: .now)
            }
            #expect(error.code == code)
            #expect(error.errorNumber == failure)
            let statuses = try grants.copy([.read(GrantLocation(page), into: memory)], until: .now)
            #expect(statuses == [.done])
            try share.close()
        }

        /// A kernel with one of the two devices serves a program that needs no other.
        @Test func oneDeviceMayBeMissing() throws {
            fail(grant_call_share_open, .noEntry)
            let mapper = GrantTable(try unsafe LibXenGrants(library: grant_device_functions()))
            try mapper.map([page]).close()
            let error = try #require(throws: GrantError.self) {
                try mapper.share(pageCount: 1, with: DomainID(3)).close()
            }
            #expect(error.code == .unavailable)
            #expect(error.message.contains("/dev/xen/gntalloc"))

            fail(grant_call_map_open, .accessDenied)
            fail(grant_call_share_open, .accessDenied)
            let denied = try #require(throws: GrantError.self) {
                try unsafe LibXenGrants(library: grant_device_functions())
            }
            #expect(denied.code == .unavailable)
            #expect(denied.errorNumber == .accessDenied)
            #expect(denied.message.contains("needs root"))
        }
    }
#endif
