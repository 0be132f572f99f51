#if LibXen
    import Foundation
    import Testing
    import XenCore
    import XenEvtchn

    @Suite struct MissingDeviceTests {
        @Test(.enabled(if: !FileManager.default.fileExists(atPath: "/dev/xen")))
        func withoutXenTheErrorSaysWhatIsMissing() throws {
            let error = try #require(throws: EventChannelError.self) { try EventChannels.open() }
            #expect(error.code == .unavailable)
            if let errorNumber = error.errorNumber {
                #expect(errorNumber == .noEntry)
                #expect(
                    error.message == """
                        /dev/xen/evtchn: ENOENT: this machine does not run under Xen, \
                        or load the module xen-evtchn
                        """)
            } else {
                #expect(error.message.contains("apt-get install libxenevtchn1"))
            }
        }
    }
#endif
