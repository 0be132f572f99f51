#if LibXen
    import CEventDevice
    import Testing
    import XenCore
    import XenEvtchn
    import XenSystem

    /// Events that come faster than they are read: the device's ring is full, loses one, and says EFBIG until it is reset.
    @Suite struct OverflowTests {
        let device: StandInDevice
        let ports: [EventPort]

        init() throws {
            device = try StandInDevice()
            device.setRingSize(4)
            let backend = device.backend
            ports = try (0..<8).map { _ in try backend.bindUnbound(for: .dom0) }
        }

        private func waitError() throws -> EventChannelError {
            try #require(throws: EventChannelError.self) {
                try device.backend.nextPending(until: .now)
            }
        }

        private func rungPorts() throws -> [EventPort] {
            var rung: [EventPort] = []
            while let port = try device.backend.nextPending(until: .now) {
                rung.append(port)
                try device.backend.rearm(port)
            }
            return rung
        }

        @Test func theCallerIsToldOnceAndEveryPortRingsAgain() throws {
            ports.forEach(ring)
            let error = try waitError()
            #expect(error.code == .overflow)
            #expect(error.errorNumber == .tooBig)
            #expect(error.message.contains("look at every ring"))
            #expect(try rungPorts() == [])
            // None is left silent: not those whose event was in the ring, nor those whose event did not fit.
            for port in ports {
                ring(port)
                #expect(try rungPorts() == [port])
            }
            #expect(device.count(of: event_call_reset) == 1)
        }

        @Test func theDescriptorTellsAForeignLoop() throws {
            let loop = OwnedDescriptor(adopting: foreign_loop_open())
            #expect(foreign_loop_add(loop.rawValue, device.backend.descriptor) == 0)
            ports.forEach(ring)
            #expect(foreign_loop_wait(loop.rawValue, 0) == device.backend.descriptor)
            _ = try waitError()
            #expect(foreign_loop_wait(loop.rawValue, 0) == -1)
        }

        @Test func anEventThatIsBeingDealtWithStaysSoAndAMaskHolds() throws {
            ring(ports[0])
            #expect(try device.backend.nextPending(until: .now) == ports[0])
            try device.backend.mask(ports[1])
            ports.forEach(ring)
            _ = try waitError()
            #expect(try rungPorts() == [])
            // The event that was out during the overflow: what rang meanwhile is still to come.
            try device.backend.rearm(ports[0])
            #expect(try rungPorts() == [ports[0]])
            // The masked one may have rung and been lost: it rings once it is unmasked.
            try device.backend.unmask(ports[1])
            #expect(try rungPorts() == [ports[1]])
        }

        @Test func whatWaitsAlreadyIsStillDelivered() throws {
            try device.backend.mask(ports[7])
            ring(ports[7])
            #expect(try rungPorts() == [])
            try device.backend.unmask(ports[7])
            ports[..<7].forEach(ring)
            #expect(try rungPorts(upTo: .overflow) == [ports[7]])
            #expect(try rungPorts() == [])
        }

        /// Reads until this error comes.
        private func rungPorts(upTo code: EventChannelError.Code) throws -> [EventPort] {
            var rung: [EventPort] = []
            do throws(EventChannelError) {
                while let port = try device.backend.nextPending(until: .now) {
                    rung.append(port)
                    try device.backend.rearm(port)
                }
            } catch {
                #expect(error.code == code)
                return rung
            }
            throw StandInDevice.Surprise()
        }

        @Test func aPortThatTheDeviceDoesNotUnmaskComesAsAnEvent() throws {
            ports.forEach(ring)
            device.fail(event_call_unmask, .noMemory, times: ports.count)
            _ = try waitError()
            #expect(Set(try rungPorts()) == Set(ports))
            ports[..<4].forEach(ring)
            #expect(try rungPorts() == Array(ports[..<4]))
        }

        @Test func aDeviceThatCannotBeResetSaysSoEachTime() throws {
            ports.forEach(ring)
            device.fail(event_call_reset, .inputOutput, times: 2)
            for _ in 0..<2 {
                let error = try waitError()
                #expect(error.code == .refused)
                #expect(error.errorNumber == .inputOutput)
            }
            #expect(try waitError().code == .overflow)
        }

        @Test func anOverflowMetWhileClosingIsToldByTheNextWait() throws {
            ports.forEach(ring)
            try device.backend.unbind(ports[0])
            #expect(try waitError().code == .overflow)
            #expect(try rungPorts() == [])
            ports[1..<4].forEach(ring)
            #expect(try rungPorts() == Array(ports[1..<4]))
        }

        /// Any history of rings and reads: a port that has rung since it was last returned is returned,
        /// or an overflow has told the caller to look; and in the end every port can ring.
        @Test(arguments: 0..<200 as Range<UInt64>)
        func nothingIsLost(seed: UInt64) throws {
            var random = SplitMix(seed: seed)
            var unseen: Set<EventPort> = []
            var held: Set<EventPort> = []
            func read() throws {
                do {
                    guard let port = try device.backend.nextPending(until: .now) else {
                        // Nothing waits: whoever has rung is out, or was told of.
                        #expect(unseen.isSubset(of: held), "seed \(seed)")
                        return
                    }
                    #expect(!held.contains(port), "seed \(seed): returned while it is masked")
                    unseen.remove(port)
                    held.insert(port)
                } catch {
                    #expect(error.code == .overflow)
                    unseen.subtract(unseen.subtracting(held))
                }
            }
            for _ in 0..<300 {
                let port = ports[Int(random.next() % UInt64(ports.count))]
                switch random.next() % 4 {
                case 0, 1:
                    ring(port)
                    unseen.insert(port)
                case 2: try read()
                default:
                    if held.remove(port) != nil { try device.backend.rearm(port) }
                }
            }
            for port in held { try device.backend.rearm(port) }
            held = []
            for _ in 0..<40 {
                try read()
                for port in held { try device.backend.rearm(port) }
                held = []
            }
            #expect(unseen.isEmpty, "seed \(seed)")
            for port in ports {
                ring(port)
                #expect(try rungPorts() == [port], "seed \(seed)")
            }
        }
    }
#endif
