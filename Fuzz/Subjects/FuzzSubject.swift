/// What is fuzzed, by name. Each subject traps on what must not happen, whatever the input says.
package enum FuzzSubject: String, CaseIterable, Sendable {
    /// Rings whose peer writes between any two of our accesses.
    case rings
    /// What reads the store's packets, and what is in them.
    case storeCodec = "store-codec"
    /// The store's server, with clients that send anything, and domains that come and go.
    case storeServer = "store-server"

    /// Runs one input. Throws only what the machine lacks.
    package func run(_ bytes: [UInt8]) throws {
        let input = FuzzInput(bytes)
        let parts = parts
        try parts[Int(input.byte()) % parts.count](input)
    }

    /// The input's first byte picks one.
    private var parts: [@Sendable (FuzzInput) throws -> Void] {
        switch self {
        case .rings: [fuzzFront, fuzzBack, fuzzXenstorePage, fuzzFlexibleRing, fuzzInspection]
        case .storeCodec: [fuzzPackets, fuzzRequest, fuzzReplies, fuzzPath, fuzzWords]
        case .storeServer: [fuzzServer]
        }
    }
}

/// Traps, and says why in optimized builds, too, if this does not hold.
func require(_ holds: Bool, _ what: @autoclosure () -> String) {
    if !holds { fatalError(what()) }
}
