import BlockDevice
import XenSystem

/// What a copy has shown.
struct CopyReport {
    let byteCount: UInt64
    let duration: Duration
    let crashCount: Int
    let frontend: BlockFrontendStatistics
    let backend: BlockBackendStatistics

    /// Prints the figures, one a line.
    func show() {
        let seconds = duration / .seconds(1)
        let notifications = frontend.notificationCount + backend.notificationCount
        row("speed", "\(hundredths(Double(byteCount) / seconds / 1e6)) MB/s, crashes included")
        row("requests", "\(frontend.requestCount), of which \(frontend.reissuedCount) issued again")
        row(
            "notifications",
            "\(hundredths(Double(notifications) / Double(frontend.requestCount))) per request, "
                + "\(frontend.notificationCount) by the frontend, "
                + "\(backend.notificationCount) by the backend")
        row("epochs", "\(frontend.epochCount), after \(crashCount) crashes of the backend")
        row("stale answers", "\(frontend.staleCount) dropped")
    }

    private func row(_ name: String, _ value: String) {
        Terminal.output.line("  " + name + String(repeating: " ", count: 16 - name.count) + value)
    }

    private func hundredths(_ value: Double) -> String {
        let scaled = Int((value * 100).rounded())
        return "\(scaled / 100).\(scaled % 100 < 10 ? "0" : "")\(scaled % 100)"
    }
}
