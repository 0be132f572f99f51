import Foundation

/// A row's results as a picture: one panel of bars for each case.
struct Chart {
    let title: String
    let unit: String
    let panels: [Panel]

    /// What is drawn together. Values are positive.
    struct Panel {
        let name: String
        let bars: [Mark]
    }

    struct Mark {
        let name: String
        let value: Double
        let isOurs: Bool
        /// Where ours has to stay below.
        let limit: Double?
    }

    init(_ row: RowResult, unit: String) {
        title = row.name
        self.unit = unit
        panels = row.cases.filter { $0.unit == unit }.map { result in
            let limits = result.peers.compactMap { peer in peer.bar.map { $0 * peer.value } }
            let ours = Mark(name: "ours", value: result.ours, isOurs: true, limit: limits.min())
            return Panel(
                name: result.name,
                bars: [ours]
                    + result.peers.map {
                        Mark(name: $0.name, value: $0.value, isOurs: false, limit: nil)
                    })
        }
    }

    var svg: String {
        let scale = Scale(
            panels.flatMap(\.bars).flatMap { [$0.value] + ($0.limit.map { [$0] } ?? []) })
        var drawing = Drawing()
        drawing.text(title, x: 16, y: 28, style: "title")
        drawing.text(
            "\(unit)\(scale.isLogarithmic ? ", logarithmic" : ""); less is better; the line is the bar that ours must not pass",
            x: 16, y: 48, style: "note")
        var y = 66.0
        let top = y
        for panel in panels {
            drawing.text(panel.name, x: 16, y: y + 13, style: "case")
            for bar in panel.bars {
                draw(bar, at: y, scale, &drawing)
                y += Self.barHeight + 3
            }
            y += 12
        }
        for tick in scale.ticks {
            let x = Self.left + scale.position(tick) * Self.width
            drawing.line(x1: x, y1: top - 4, x2: x, y2: y - 8, style: "grid", isBehind: true)
            drawing.text(Self.label(tick), x: x, y: y + 8, style: "tick")
        }
        return drawing.svg(width: Self.left + Self.width + 90, height: y + 22)
    }

    private static let left = 330.0
    private static let width = 480.0
    private static let barHeight = 15.0

    private func draw(_ bar: Mark, at y: Double, _ scale: Scale, _ drawing: inout Drawing) {
        let length = max(1, scale.position(bar.value) * Self.width)
        drawing.text(bar.name, x: Self.left - 8, y: y + 12, style: "name")
        drawing.rectangle(
            x: Self.left, y: y, width: length, height: Self.barHeight,
            style: bar.isOurs ? "ours" : "peer")
        var end = Self.left + length
        if let limit = bar.limit {
            let x = Self.left + scale.position(limit) * Self.width
            drawing.line(x1: x, y1: y - 3, x2: x, y2: y + Self.barHeight + 3, style: "limit")
            // The number goes where the line does not cross it.
            if x > end - 2, x < end + 45 { end = x }
        }
        drawing.text(Self.label(bar.value), x: end + 6, y: y + 12, style: "value")
    }

    static func label(_ value: Double) -> String {
        switch value {
        case 0: "0"
        case ..<10: String(format: "%.3g", value)
        case ..<1000: String(format: "%.0f", value)
        case ..<1e6: String(format: value < 10_000 ? "%.1f k" : "%.0f k", value / 1000)
        default: String(format: value < 1e7 ? "%.1f M" : "%.0f M", value / 1e6)
        }
    }
}

/// From values to places between 0 and 1: logarithmic where they differ a lot.
private struct Scale {
    let isLogarithmic: Bool
    private let low: Double
    private let high: Double

    init(_ values: [Double]) {
        let positive = values.filter { $0 > 0 }
        let (least, most) = (positive.min() ?? 1, positive.max() ?? 1)
        isLogarithmic = most / least > 20
        low = isLogarithmic ? pow(10, (log10(least) - 0.3).rounded(.down)) : 0
        high = isLogarithmic ? pow(10, log10(most).rounded(.up)) : most * 1.05
    }

    func position(_ value: Double) -> Double {
        guard isLogarithmic else { return value / high }
        return value <= low ? 0 : log10(value / low) / log10(high / low)
    }

    var ticks: [Double] {
        if isLogarithmic {
            let (first, last) = (Int(log10(low).rounded()), Int(log10(high).rounded()))
            return (first...last).map { pow(10, Double($0)) }
        }
        let step =
            [1.0, 2, 5, 10].map { $0 * pow(10, log10(high / 4).rounded(.down)) }
            .first { high / $0 <= 6 } ?? high
        return Array(stride(from: 0, through: high, by: step))
    }
}
