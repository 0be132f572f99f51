#if LibXen
    import CEventDevice
    import Testing
    import XenCore
    import XenEvtchn

    /// The real back end over a device whose domain is resumed, and which then acts as Linux's: one wrong close, and the
    /// kernel stops.
    @Suite struct DeviceResumeTests {
        @Test func nothingStaleReachesTheKernel() throws {
            let counter: () -> Int
            do {
                let device = try StandInDevice()
                counter = device.handleCounter
                let old = try device.events.bindUnbound(for: .dom0)
                let waiting = try device.events.bindUnbound(for: .dom0)
                let masked = try device.events.bindUnbound(for: .dom0)
                ring(old.port)
                guard let held = try device.events.wait(until: .now) else {
                    throw Silence()
                }
                try masked.mask()
                ring(masked.port)
                #expect(try device.events.wait(until: .now)?.port == nil)
                ring(waiting.port)
                event_devices_resume()
                // Another program of the domain gets the old numbers.
                let other = try StandInDevice()
                let theirs = try other.events.bindUnbound(for: .dom0)
                #expect(theirs.port == old.port)
                let now = try device.events.afterResume()
                #expect(now.staleEventCount == 2)
                let calls = [
                    event_call_notify, event_call_unmask, event_call_unbind, event_call_bind,
                ]
                let before = calls.map(device.count)
                let oldCalls = refusals(callingOn: old)
                #expect(oldCalls == [.stale])
                let heldUnmasking = refusal(unmasking: held)
                #expect(heldUnmasking == .stale)
                let oldClosing = refusal(closing: old)
                #expect(oldClosing == .stale)
                let maskedClosing = refusal(closing: masked)
                #expect(maskedClosing == .stale)
                #expect(calls.map(device.count) == before)

                let new = try now.bindUnbound(for: .dom0)
                ring(new.port)
                #expect(try now.wait(until: .now)?.port == new.port)
                ring(theirs.port)
                #expect(try other.events.wait(until: .now)?.port == theirs.port)
                try new.close()
                try theirs.close()
                _ = consume waiting
            }
            // The kernel was made to forget the old ports by way of those that nobody else has.
            #expect(counter() == 0)
            #expect(!event_devices_crashed())
        }

        @Test func aBindThatGetsAnOldNumberTells() throws {
            let counter: () -> Int
            do {
                let device = try StandInDevice()
                counter = device.handleCounter
                let old = try device.events.bindUnbound(for: .dom0)
                event_devices_resume()
                let error = try #require(throws: EventChannelError.self) {
                    try device.events.bindUnbound(for: .dom0).close()
                }
                #expect(error.code == .stale)
                _ = try device.events.afterResume()
                #expect(refusal(closing: old) == .stale)
            }
            #expect(counter() == 0)
            #expect(!event_devices_crashed())
        }

        @Test func aDeviceWhoseNumbersAllAreOthersIsNeverClosed() throws {
            let counter: () -> Int
            let other = try StandInDevice()
            do {
                let device = try StandInDevice()
                counter = device.handleCounter
                let old = try device.events.bindUnbound(for: .dom0)
                event_devices_resume()
                let theirs = try other.events.bindUnbound(for: .dom0)
                #expect(theirs.port == old.port)
                let now = try device.events.afterResume()
                let new = try now.bindUnbound(for: .dom0)
                try new.close()
                try theirs.close()
                _ = consume old
            }
            // Closing it is what Linux does not survive.
            #expect(counter() == 1)
            #expect(!event_devices_crashed())
        }

        @Test func aDeviceWithoutPortsIsClosed() throws {
            let counter: () -> Int
            do {
                let device = try StandInDevice()
                counter = device.handleCounter
                let channel = try device.events.bindUnbound(for: .dom0)
                try channel.close()
                event_devices_resume()
                #expect(try device.events.afterResume().epoch == Epoch(rawValue: 2))
            }
            #expect(counter() == 0)
            #expect(!event_devices_crashed())
        }

        @Test func theNewHandleIsRestrictedAsTheOldOneWas() throws {
            let device = try StandInDevice()
            try device.events.restrict(to: DomainID(9))
            let now = try device.events.afterResume()
            #expect(
                refusal { () throws(EventChannelError) in
                    try now.bindUnbound(for: .dom0).close()
                } == .notPermitted)
        }

        @Test func anEventThreadEndsAndLeavesTheDeviceToBeClosed() throws {
            let counter: () -> Int
            do {
                let device = try StandInDevice()
                counter = device.handleCounter
                let oldThread = try EventThread.start(on: device.events)
                let old = try oldThread.watch(try device.events.bindUnbound(for: .dom0))
                event_devices_resume()
                let now = try device.events.afterResume()
                #expect(eventually { oldThread.failure?.code == .stale })

                let thread = try EventThread.start(on: now)
                let new = try thread.watch(try now.bindUnbound(for: .dom0))
                // A new port begins with one activation.
                let first = try thread.waitBlocking(for: new.id, after: 0, until: patience)
                ring(new.port)
                let second = try thread.waitBlocking(for: new.id, after: first, until: patience)
                #expect(second == first + 1)
                try new.close()
                _ = consume old
            }
            // The threads let go of their handles when they have ended.
            #expect(eventually { counter() == 0 })
            #expect(!event_devices_crashed())
        }
    }
#endif
