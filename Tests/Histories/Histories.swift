package import XenTesting

/// All kinds of histories that are played by seed.
package enum Histories {
    package static let all: [SimulatedHistory] = [.ring(), .scheduler(), .block()]

    /// The kind of history that this seed is of.
    package static func history(of seed: UInt64) -> SimulatedHistory {
        all[Int(seed % UInt64(all.count))]
    }
}
