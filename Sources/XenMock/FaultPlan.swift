import Synchronization
import XenCore

/// The faults that a test wants, and who decides when one happens.
final class FaultPlan: Sendable {
    private let faults: MockFaults
    private let decide: @Sendable (MockFault, Double) -> Bool

    init(_ faults: MockFaults, _ decide: @escaping @Sendable (MockFault, Double) -> Bool) {
        self.faults = faults
        self.decide = decide
    }

    func strikes(_ fault: MockFault) -> Bool {
        let probability = faults[fault]
        return probability > 0 && decide(fault, probability)
    }
}

/// Decides faults by seed.
final class FaultDice: Sendable {
    private let random: Mutex<SplitMix>

    init(seed: UInt64) { random = Mutex(SplitMix(seed: seed)) }

    func happen(_ probability: Double) -> Bool {
        Double(random.withLock { $0.next() } >> 11) < probability * 0x1p53
    }
}
