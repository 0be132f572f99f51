import Synchronization

extension MockHypervisor {
    /// From now on misbehaves with these probabilities. What was delayed before is still on its way.
    ///
    /// - Parameter decide: whether a fault of this kind and probability happens now. Called with the
    ///   hypervisor locked, so it must not call it; only for probabilities above zero.
    public func inject(
        _ faults: MockFaults, decide: @escaping @Sendable (MockFault, Double) -> Bool
    ) {
        state.withLock { $0.faultPlan = FaultPlan(faults, decide) }
    }

    /// From now on misbehaves with these probabilities; the same seed decides the same way each time.
    public func inject(_ faults: MockFaults, seed: UInt64) {
        let dice = FaultDice(seed: seed)
        inject(faults) { _, probability in dice.happen(probability) }
    }

    /// Misbehaves no more, and delivers what was delayed.
    public func stopFaults() {
        state.withLock { $0.faultPlan = nil }
        deliverDelayed()
    }

    /// The notifications that are on their way.
    public var delayedCount: Int { state.withLock { $0.underWay.count } }

    /// Lets delayed notifications arrive, the oldest first. One whose port was closed meanwhile is dropped.
    ///
    /// - Returns: how many were on their way.
    @discardableResult
    public func deliverDelayed(_ limit: Int = .max) -> Int {
        state.withLock { $0.deliverDelayed(limit) }
    }
}
