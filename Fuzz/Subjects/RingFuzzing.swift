/// What is fuzzed: a subject each, with what must hold whatever the input says. What does not is a trap.
package enum RingFuzzing {
    private static let subjects: [@Sendable (FuzzInput) throws -> Void] = [
        fuzzFront, fuzzBack, fuzzXenstorePage, fuzzFlexibleRing, fuzzInspection,
    ]

    /// Runs the subject that the input's first byte names on the rest of it.
    package static func run(_ bytes: [UInt8]) throws {
        let input = FuzzInput(bytes)
        try subjects[Int(input.byte()) % subjects.count](input)
    }
}

func require(_ holds: Bool, _ what: @autoclosure () -> String) {
    precondition(holds, what())
}
