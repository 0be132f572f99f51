#if LibXen
    import Synchronization
    import XenCore
    import XenSystem

    // The domain was resumed: `EventChannels.afterResume()` tells what Linux does then.
    extension LibXenEventChannels {
        public var staleEventCount: Int { state.withLock(\.staleEventCount) }

        public func successorAfterResume() throws(EventChannelError) -> any EventChannelBackend {
            try state.withLock { (state) throws(EventChannelError) in
                if let successor = state.successor { return successor }
                end(&state)
                let successor = try LibXenEventChannels(
                    device.opened(), epoch: epoch.next, staleEventCount: state.staleEventCount)
                if let restriction = state.restriction {
                    try successor.restrict(to: restriction)
                }
                state.successor = successor
                return successor
            }
        }

        /// From now on nothing reaches the device.
        private func end(_ state: inout State) {
            guard !hasEnded.load(ordering: .relaxed) else { return }
            while (try? device.read()) != nil { state.staleEventCount += 1 }
            state.staleEventCount += state.table.unreturnedCount
            if !state.table.isEmpty {
                device.abandon()
                if device.forgets(state.table.ports) { device.reclaim() }
            }
            hasEnded.store(true, ordering: .releasing)
            showReadiness(&state)
        }

        func refuseIfEnded() throws(EventChannelError) {
            if hasEnded.load(ordering: .acquiring) { throw .ended(epoch) }
        }
    }
#endif
