extension Duration {
    /// For a report: '12 ms', '3.4 s', '5 min', '7 h', '3 d'. Never negative.
    package var inWords: String {
        let milliseconds = max(
            0, components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000)
        let seconds = milliseconds / 1000
        return switch seconds {
        case 0: "\(milliseconds) ms"
        case ..<120: "\(seconds).\(milliseconds % 1000 / 100) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86400) d"
        }
    }
}
