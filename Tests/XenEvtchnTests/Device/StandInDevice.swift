#if LibXen
    import CEventDevice
    import CXen
    import XenCore
    @testable import XenEvtchn

    /// A handle of the real back end on a stand-in for /dev/xen/evtchn.
    @safe
    struct StandInDevice: @unchecked Sendable {
        let backend: LibXenEventChannels
        // Safe: the stand-in keeps every device for good.
        private let device: OpaquePointer

        init() throws {
            backend = try unsafe LibXenEventChannels(library: event_device_functions())
            unsafe device = event_device_opened_last()
        }

        init(adopting descriptor: Int32, ports: [EventPort]) throws {
            backend = try unsafe LibXenEventChannels(
                adopting: descriptor, ports: ports, library: event_device_functions())
            unsafe device = event_device_opened_last()
        }

        var events: EventChannels { EventChannels(backend) }

        /// How many events the device holds.
        func setRingSize(_ size: Int) { unsafe event_device_set_ring_size(device, UInt32(size)) }

        /// The next calls of this kind fail.
        func fail(_ call: event_call, _ failure: ErrorNumber, times: Int = 1) {
            unsafe event_device_fail(device, call, failure.rawValue, UInt32(times))
        }

        /// How often the back end has made this call.
        func count(of call: event_call) -> Int { unsafe Int(event_device_calls(device, call)) }

        /// Tells how many handles the device is open through, also when this one has gone.
        var handleCounter: () -> Int {
            let device = unsafe device
            return { unsafe Int(event_device_handles(device)) }
        }

        /// A port that rings another one of the device, both quiet.
        func pair() throws -> (near: EventPort, far: EventPort) {
            let near = try backend.bindUnbound(for: .dom0)
            let far = try backend.bindInterdomain(to: near, of: .dom0)
            guard try backend.nextPending(until: .now) == far else { throw Surprise() }
            try backend.rearm(far)
            return (near, far)
        }

        struct Surprise: Error {}
    }

    func ring(_ port: EventPort) { event_device_ring(port.rawValue) }
#endif
