import Foundation

extension Machine: CustomStringConvertible {
    /// The one that this runs on.
    static func present() throws -> Machine {
        let ways: UInt64 = 200_000
        let runs = try (0..<5).map { _ in
            let start = ContinuousClock.now
            _ = try playPingPong(ways)
            return start.duration(to: .now) / .nanoseconds(1) / Double(ways)
        }
        return Machine(
            processor: processorName() ?? "unknown processor",
            processorCount: ProcessInfo.processInfo.activeProcessorCount,
            system: systemName(), pingPong: ((median(runs) ?? 0) * 10).rounded() / 10)
    }

    var description: String {
        "\(processor), \(processorCount) processors, \(system); a cache line goes one way in \(pingPong) ns"
    }

    private static func processorName() -> String? {
        let information = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
        let line = information?.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
    }

    private static func systemName() -> String {
        let version = ProcessInfo.processInfo.operatingSystemVersion
        return "Linux \(version.majorVersion).\(version.minorVersion)"
    }
}
