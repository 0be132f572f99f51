#if LibXen
    import CEventDevice
    import Testing
    import XenCore
    import XenEvtchn
    import XenSystem

    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    /// The real back end over a device that fails in all ways.
    @Suite struct DeviceTests {
        struct Failure: CustomTestStringConvertible, Sendable {
            let call: event_call
            let errorNumber: ErrorNumber
            let code: EventChannelError.Code
            let testDescription: String

            init(_ call: event_call, _ errorNumber: ErrorNumber, _ code: EventChannelError.Code) {
                self.call = call
                self.errorNumber = errorNumber
                self.code = code
                testDescription = "call \(call.rawValue), \(errorNumber): \(code)"
            }
        }

        static let failures: [Failure] = [
            Failure(event_call_bind, .invalid, .badRemotePort),
            Failure(event_call_bind, .noSuchProcess, .badRemotePort),
            Failure(event_call_bind, .noSpace, .limitReached),
            Failure(event_call_bind, .noMemory, .limitReached),
            Failure(event_call_bind, .notPermitted, .notPermitted),
            Failure(event_call_bind, .accessDenied, .notPermitted),
            Failure(event_call_bind, .again, .refused),
            Failure(event_call_bind, .tooBig, .refused),
            Failure(event_call_unbind, .invalid, .badPort),
            Failure(event_call_unbind, .notConnected, .badPort),
            Failure(event_call_unbind, .again, .refused),
            Failure(event_call_unbind, .tooBig, .refused),
            Failure(event_call_notify, .invalid, .badPort),
            Failure(event_call_notify, .notConnected, .badPort),
            Failure(event_call_notify, .again, .refused),
            Failure(event_call_notify, .tooBig, .refused),
            Failure(event_call_read, .invalid, .refused),
            Failure(event_call_read, .badDescriptor, .refused),
            Failure(event_call_unmask, .invalid, .refused),
            Failure(event_call_unmask, .noMemory, .refused),
            Failure(event_call_unmask, .again, .refused),
            Failure(event_call_unmask, .tooBig, .refused),
            Failure(event_call_restrict, .invalid, .refused),
            Failure(event_call_restrict, .accessDenied, .notPermitted),
            Failure(event_call_restrict, ErrorNumber(rawValue: 25), .refused),
        ]

        @Test(arguments: failures)
        func aFailureIsTypedAndTheNextCallWorks(failure: Failure) throws {
            let device = try StandInDevice()
            let (near, far) = try device.pair()
            let backend = device.backend
            func attempt() throws {
                switch failure.call {
                case event_call_bind: try backend.unbind(backend.bindUnbound(for: .dom0))
                case event_call_unbind: try backend.unbind(far)
                case event_call_notify: try backend.notify(far)
                case event_call_read: #expect(try backend.nextPending(until: .now) == near)
                case event_call_unmask: try backend.rearm(near)
                default: try backend.restrict(to: DomainID(3))
                }
            }
            if failure.call == event_call_read || failure.call == event_call_unmask {
                try backend.notify(far)
            }
            if failure.call == event_call_unmask {
                #expect(try backend.nextPending(until: .now) == near)
            }
            device.fail(failure.call, failure.errorNumber)
            let error = try #require(throws: EventChannelError.self) { try attempt() }
            #expect(error.code == failure.code)
            #expect(error.errorNumber == failure.errorNumber)
            try attempt()
            if failure.call == event_call_unmask {
                try backend.notify(far)
                #expect(try backend.nextPending(until: .now) == near)
            }
        }

        @Test(arguments: [
            event_call_bind, event_call_unbind, event_call_notify, event_call_read,
            event_call_unmask, event_call_restrict,
        ])
        func aCallThatASignalInterruptsIsMadeAgain(call: event_call) throws {
            let device = try StandInDevice()
            device.fail(call, .interrupted, times: 3)
            let (near, far) = try device.pair()
            try device.backend.notify(far)
            #expect(try device.backend.nextPending(until: .now) == near)
            try device.backend.rearm(near)
            try device.backend.restrict(to: DomainID(3))
            try device.backend.unbind(near)
            #expect(device.count(of: call) >= 4)
        }

        @Test func whatAnotherReaderTookIsNoEvent() throws {
            let device = try StandInDevice()
            let (near, far) = try device.pair()
            try device.backend.notify(far)
            device.fail(event_call_read, .again, times: 5)
            // Readable, and yet there is nothing: the wait goes on, and ends with the event.
            #expect(try device.backend.nextPending(until: .after(.seconds(10))) == near)
        }

        @Test func interruptsHaveErrorsOfTheirOwn() throws {
            let table: [(ErrorNumber, EventChannelError.Code)] = [
                (.exists, .alreadyBound), (.busy, .handledElsewhere),
                (.notPermitted, .notPermitted),
                (.accessDenied, .notPermitted), (.noSpace, .limitReached), (.invalid, .refused),
            ]
            let device = try StandInDevice()
            for (errorNumber, code) in table {
                device.fail(event_call_bind, errorNumber)
                let error = try #require(throws: EventChannelError.self) {
                    try device.backend.bindVirtualInterrupt(.traceBuffer)
                }
                #expect(error.code == code)
                #expect(error.errorNumber == errorNumber)
            }
            let channel = try device.events.bindVirtualInterrupt(.traceBuffer)
            #expect(event_device_raise(VirtualInterrupt.traceBuffer.rawValue))
            #expect(try device.backend.nextPending(until: .now) == channel.port)
            try channel.close()
            #expect(!event_device_raise(VirtualInterrupt.traceBuffer.rawValue))
        }

        @Test func unmaskingWhatWasNotReturnedLeavesTheDeviceAlone() throws {
            let device = try StandInDevice()
            let (near, far) = try device.pair()
            let calls = device.count(of: event_call_unmask)
            // Rung, silent in the kernel, and not read yet: written back now, it would come twice.
            try device.backend.notify(far)
            try device.backend.unmask(near)
            try device.backend.rearm(near)
            #expect(device.count(of: event_call_unmask) == calls)
            #expect(try device.backend.nextPending(until: .now) == near)
            #expect(try device.backend.nextPending(until: .now) == nil)
        }

        @Test func anEventOfAClosedPortIsNotTakenForItsSuccessors() throws {
            let device = try StandInDevice()
            let old = try device.backend.bindUnbound(for: .dom0)
            let other = try device.backend.bindUnbound(for: .dom0)
            ring(old)
            ring(other)
            try device.backend.unbind(old)
            let new = try device.backend.bindUnbound(for: .dom0)
            #expect(new == old)
            #expect(try device.backend.nextPending(until: .now) == other)
            #expect(try device.backend.nextPending(until: .now) == nil)
            ring(new)
            #expect(try device.backend.nextPending(until: .now) == new)
        }

        @Test func adoptionTakesTheDescriptorAndItsPorts() throws {
            var number: UInt32 = 0
            let descriptor = unsafe event_device_inherited(&number)
            let port = EventPort(number)
            var device: StandInDevice? = try StandInDevice(adopting: descriptor, ports: [port])
            #expect(fcntl(descriptor, F_GETFD) == -1)
            do {
                let events = try #require(device?.events)
                let channel = events.adopt(port)
                // Its last user had read its event and not written it back.
                ring(port)
                #expect(try events.wait(until: .now)?.port == port)
                try channel.close()
                #expect(try events.wait(until: .now) == nil)
            }
            let handleCount = try #require(device?.handleCounter)
            #expect(handleCount() == 1)
            device = nil
            #expect(handleCount() == 0)
        }

        @Test func adoptionThatFailsLeavesTheDescriptorAlone() throws {
            let wakeup = try Wakeup()
            for descriptor in [-1, wakeup.descriptor] {
                let error = try #require(throws: EventChannelError.self) {
                    _ = try StandInDevice(adopting: descriptor, ports: [])
                }
                #expect(error.code == .unavailable)
            }
            #expect(fcntl(wakeup.descriptor, F_GETFD) >= 0)
        }
    }
#endif
