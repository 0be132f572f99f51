package import XenTesting

/// All kinds of histories that are played by seed.
package enum Histories {
    package static let all: [SimulatedHistory] = [.ring(), .scheduler(), .block(), .store()]

    /// Those of one kind, or of all kinds; empty for a kind that there is none of.
    package static func named(_ name: String?) -> [SimulatedHistory] {
        all.filter { name == nil || $0.name == name }
    }

    /// The one of these that a seed plays.
    package static func history(
        of seed: UInt64, among kinds: [SimulatedHistory] = all
    ) -> SimulatedHistory { kinds[Int(seed % UInt64(kinds.count))] }
}
