/// Numbers that look random and depend on a seed alone: SplitMix64 (Steele, Lea and Flood).
package struct SplitMix: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        defer { state &+= Self.step }
        return Self.mix(state)
    }

    /// One number for each, and each bit of it depends on all of `number`: a hash that is the same everywhere.
    package static func mix(_ number: UInt64) -> UInt64 {
        var mixed = number &+ step
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// How far each number takes the state.
    package static let step: UInt64 = 0x9E37_79B9_7F4A_7C15
}
