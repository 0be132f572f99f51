#if LibXen
    import Synchronization
    public import XenCore
    import XenSystem

    // Waiting.
    extension LibXenEventChannels {
        public func nextPending(until deadline: Deadline) throws(EventChannelError) -> EventPort? {
            while true {
                let ready: (first: Bool, second: Bool)
                do {
                    ready = try waitUntilReadable(
                        wakeup.descriptor, or: readable.descriptor, until: deadline)
                } catch {
                    throw EventChannelError(
                        .refused, errorNumber: error.errorNumber, "waiting for an event failed")
                }
                if ready.first {
                    wakeup.reset()
                    return nil
                }
                if ready.second {
                    if let port = try takeEvent() { return port }
                } else if deadline.hasPassed {
                    return nil
                }
            }
        }

        /// Nil when what was ready is gone, masked, or of a port that was closed since it rang.
        private func takeEvent() throws(EventChannelError) -> EventPort? {
            try state.withLock { (state) throws(EventChannelError) in
                try refuseIfEnded()
                defer { showReadiness(&state) }
                if !state.table.isReadable { try readDevice(&state.table) }
                if state.table.hasUntoldLoss {
                    state.table.hasUntoldLoss = false
                    throw EventChannelError(
                        .overflow, errorNumber: .tooBig, "events were lost: look at every ring")
                }
                return state.table.next()
            }
        }

        private func readDevice(_ table: inout PortTable) throws(EventChannelError) {
            do {
                if let port = try device.read() { table.ring(port) }
            } catch {
                guard error.errorNumber == .tooBig else {
                    throw EventChannelError(
                        .refused, errorNumber: error.errorNumber, "/dev/xen/evtchn cannot be read")
                }
                do {
                    try recover(&table)
                } catch {
                    throw EventChannelError(
                        .refused, errorNumber: error.errorNumber,
                        "/dev/xen/evtchn has overflowed and cannot be reset: open it anew")
                }
                table.hasUntoldLoss = true
            }
        }

        /// The device's ring has overflowed: what was in it is lost, and any port may be silent now.
        func recover(_ table: inout PortTable) throws(SystemFailure) {
            try device.reset()
            table.recover { (try? device.unmask($0)) != nil }
        }

        public func interrupt() { wakeup.signal() }
    }
#endif
