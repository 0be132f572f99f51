#if LibXen
    import Foundation
    import Testing
    import XenCore
    import XenGrant

    @Suite struct LibXenGrantsTests {
        @Test(.enabled(if: !FileManager.default.fileExists(atPath: "/dev/xen")))
        func withoutXenTheErrorSaysWhatIsMissing() throws {
            let error = try #require(throws: GrantError.self) { try GrantTable.open() }
            #expect(error.code == .unavailable)
            if let errorNumber = error.errorNumber {
                #expect(errorNumber == .noEntry)
                #expect(
                    error.message == """
                        /dev/xen/gntdev: ENOENT: this machine does not run under Xen, \
                        or load the module xen-gntdev
                        """)
            } else {
                #expect(error.message.contains("apt-get install libxengnttab1"))
            }
        }
    }
#endif
