extension RingHalf {
    /// What one half tells the other.
    enum Message {
        case numbers([UInt32])
        case here(String)
        case passed
        case failed(String)
    }
}

extension RingHalf.Message {
    init(_ text: String) throws {
        let words = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        let rest = words.count > 1 ? String(words[1]) : ""
        switch words[0] {
        case "numbers": self = .numbers(rest.split(separator: " ").compactMap { UInt32($0) })
        case "here": self = .here(rest)
        case "passed": self = .passed
        case "failed": self = .failed(rest)
        default: throw ConformanceFailure("the other half says what no half says: '\(text)'")
        }
    }

    var text: String {
        switch self {
        case .numbers(let numbers):
            "numbers " + numbers.map { String($0) }.joined(separator: " ")
        case .here(let place): "here \(place)"
        case .passed: "passed"
        case .failed(let reason): "failed \(reason)"
        }
    }
}
