import FuzzSubjects
import Testing
import XenCore

/// The store's fuzz targets on inputs by seed: that they run, and hold, wherever the tests run.
@Suite struct StoreFuzzingTests {
    @Test(arguments: [FuzzSubject.storeCodec, .storeServer], 0..<200 as Range<UInt64>)
    func randomInputsBreakNothing(_ subject: FuzzSubject, _ seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let bytes = (0..<1024).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        try subject.run(bytes)
    }
}
