import XenMock
import XenTesting

extension MockFaults {
    /// All faults, each rare, frequent or very frequent, as the seed says.
    static func chosen(by choices: HistoryChoices) -> MockFaults {
        var faults = MockFaults()
        for fault in MockFault.allCases {
            let levels = levels(of: fault)
            faults[fault] = levels[choices.number("level", in: 0..<levels.count)]
        }
        return faults
    }

    private static func levels(of fault: MockFault) -> [Double] {
        switch fault {
        case .lost, .delayed, .merged, .repeated: [0.02, 0.1, 0.4]
        case .mapAgain, .mapInvalid: [0.02, 0.1, 0.3]
        // A party makes hundreds of calls.
        case .killed: [0.0005, 0.002, 0.01]
        case .destroyed: [0.0002, 0.001, 0.004]
        }
    }
}
