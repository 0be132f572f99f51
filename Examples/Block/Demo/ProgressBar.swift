import XenSystem

/// How far the copy is: one line that is drawn again on a terminal, a line each tenth elsewhere.
struct ProgressBar {
    private let total: UInt64
    private let isTerminal = Terminal.output.isInteractive
    private var shownPercent = -1

    init(total: UInt64) { self.total = total }

    mutating func show(_ done: UInt64, note: String) {
        let percent = Int(done * 100 / total)
        guard percent != shownPercent, isTerminal || percent % 10 == 0 else { return }
        shownPercent = percent
        let filled = percent * 40 / 100
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 40 - filled)
        let figure = String(repeating: " ", count: 3 - "\(percent)".count) + "\(percent)"
        let line = "[\(bar)] \(figure) %  \(note)"
        Terminal.output.show(isTerminal ? "\r\(line)\(percent == 100 ? "\n" : "")" : line + "\n")
    }

    /// Says something beside the bar.
    mutating func interject(_ text: String) {
        Terminal.output.line("\(isTerminal ? "\r\u{1B}[K" : "")\(text)")
        shownPercent = -1
    }
}
