#if LibXen
    import XenCore
    import XenSystem

    extension EventDevice {
        /// Makes Linux forget the ports of this device, which have died at a resume, so that it can be closed.
        ///
        /// A bind that gets a number which the device lists already is refused with EEXIST, and leaves its list
        /// empty (`evtchn_bind_to_user` in drivers/xen/evtchn.c; seen with 6.1). So one is made. It takes a
        /// number of ours that is free now; while other programs have them all, the device stays as it is. Blocks
        /// for a fifth of a second at most.
        ///
        /// - Returns: whether nothing of a port is left in the device.
        func forgets(_ ports: Set<EventPort>) -> Bool {
            guard let finder = try? opened() else { return false }
            for _ in 0..<10 {
                if forgets(oneOf: ports, finder) {
                    // Other programs look for theirs just now, and our next port may have such a number.
                    try? pause(.milliseconds(100))
                    return true
                }
                try? pause(.milliseconds(10))
            }
            return false
        }

        private func forgets(oneOf ports: Set<EventPort>, _ finder: EventDevice) -> Bool {
            // The hypervisor gives out the lowest free number: to get at one, what lies below it is taken meanwhile.
            var others: [EventPort] = []
            defer { for port in others { try? finder.unbind(port) } }
            let highest = ports.map(\.rawValue).max() ?? 0
            while let port = try? finder.bindUnbound(for: .dom0) {
                guard ports.contains(port) else {
                    others.append(port)
                    if port.rawValue > highest { return false }
                    continue
                }
                try? finder.unbind(port)
                do throws(SystemFailure) {
                    let bound = try bindUnbound(for: .dom0)
                    try unbind(bound)
                    // Either it was forgotten before, or somebody was quicker.
                    return ports.contains(bound)
                } catch {
                    return error.errorNumber == .exists
                }
            }
            return false
        }
    }
#endif
