import FuzzSubjects
import Testing
import XenCore

/// The fuzz target itself, on inputs by seed: that it runs, and holds, wherever the tests run.
@Suite struct FuzzingTests {
    @Test(arguments: 0..<100 as Range<UInt64>)
    func randomInputsBreakNothing(_ seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let bytes = (0..<256).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        try FuzzSubject.rings.run(bytes)
    }
}
