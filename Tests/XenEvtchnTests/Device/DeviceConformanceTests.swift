#if LibXen
    import CEventDevice
    import CAllocationCount
    import Testing
    import XenCore
    import XenEvtchn
    import XenMock
    import XenTesting

    /// The real back end over a device that behaves as Linux's, where there is no Xen.
    @Suite struct DeviceConformanceTests {
        @Test(arguments: EventChannelConformance.checks)
        func device(check: ConformanceCheck) throws {
            let before = event_devices_ports()
            do {
                let left = try StandInDevice()
                let right = try StandInDevice()
                // These checks have nothing to do with grants.
                let grants = MockHypervisor().domain(.dom0).startProcess(name: "none").grants
                try check.run(
                    ConformanceHost(
                        left: ConformanceParty(
                            domain: .dom0, grants: grants, events: left.backend),
                        right: ConformanceParty(
                            domain: .dom0, grants: grants, events: right.backend)))
            }
            #expect(event_devices_ports() == before)
        }

        @Test func waitingAndRingingTakeNoAllocationEach() throws {
            let device = try StandInDevice()
            let (near, far) = try device.pair()
            let backend = device.backend
            // The testing library's own checks allocate.
            func expectNext(_ port: EventPort?) throws {
                guard try backend.nextPending(until: .now) == port else {
                    throw StandInDevice.Surprise()
                }
            }
            func ring(_ count: Int) throws {
                for _ in 0..<count {
                    try expectNext(nil)
                    try backend.notify(far)
                    try expectNext(near)
                    try backend.rearm(near)
                    try backend.mask(near)
                    try backend.notify(far)
                    try expectNext(nil)
                    try backend.unmask(near)
                    try expectNext(near)
                    try backend.unmask(near)
                }
            }
            try ring(10)
            let before = allocation_count_of_this_thread()
            try ring(10_000)
            if allocation_count_works() == 1 {
                #expect(allocation_count_of_this_thread() - before < 100)
            }
        }
    }
#endif
