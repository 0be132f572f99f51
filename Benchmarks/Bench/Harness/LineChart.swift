import Foundation

/// A row's results as a picture where its cases differ in a number: lines over that number, a panel for each kind of
/// work. Both axes are logarithmic, so that what grows with the number rises, and what does not is flat.
struct LineChart {
    let title: String
    let unit: String
    let panels: [Panel]

    struct Panel {
        let name: String
        let lines: [Line]
    }

    struct Line {
        let name: String
        let isOurs: Bool
        let points: [(size: Int, value: Double)]
    }

    /// Nil where the cases of this unit do not differ in a number alone.
    init?(_ row: RowResult, unit: String) {
        let cases = row.cases.filter { $0.unit == unit }
        let places = cases.compactMap(\.place)
        guard !places.isEmpty, places.count == cases.count else { return nil }
        title = row.name
        self.unit = unit
        var names: [String] = []
        for place in places where !names.contains(place.line) { names.append(place.line) }
        panels = names.map { name in
            Panel(name: name, lines: Self.lines(cases.filter { $0.place?.line == name }))
        }
    }

    /// A case of ours that stands as a peer is a point of our own line already.
    private static func lines(_ cases: [CaseResult]) -> [Line] {
        let peers = cases.max { $0.peers.count < $1.peers.count }?.peers ?? []
        let ours = cases.map { (size: $0.place?.size ?? 0, value: $0.ours) }
        return [Line(name: "ours", isOurs: true, points: ours)]
            + peers.map(\.name).filter { !$0.hasPrefix("ours") }.map { name in
                Line(
                    name: name, isOurs: false,
                    points: cases.compactMap { result in
                        result.peers.first { $0.name == name }.map {
                            (size: result.place?.size ?? 0, value: $0.value)
                        }
                    })
            }
    }

    var svg: String {
        var drawing = Drawing()
        drawing.text(title, x: 16, y: 28, style: "title")
        drawing.text("\(unit), both axes logarithmic; less is better", x: 16, y: 48, style: "note")
        var top = 84.0
        for panel in panels {
            draw(panel, at: top, &drawing)
            top += Self.height + 62
        }
        return drawing.svg(width: Self.left + Self.width + 130, height: top - 16)
    }

    private static let left = 90.0
    private static let width = 560.0
    private static let height = 190.0

    private func draw(_ panel: Panel, at top: Double, _ drawing: inout Drawing) {
        let points = panel.lines.flatMap(\.points)
        let (across, up) = (Axis(sizes: points.map(\.size)), Axis(values: points.map(\.value)))
        func x(_ size: Int) -> Double { Self.left + across.position(Double(size)) * Self.width }
        func y(_ value: Double) -> Double { top + (1 - up.position(value)) * Self.height }

        drawing.text(panel.name, x: 16, y: top - 12, style: "case")
        for tick in up.decades {
            drawing.line(
                x1: Self.left, y1: y(tick), x2: Self.left + Self.width, y2: y(tick), style: "grid",
                isBehind: true)
            drawing.text(Chart.label(tick), x: Self.left - 8, y: y(tick) + 4, style: "name")
        }
        for size in Set(points.map(\.size)).sorted() {
            drawing.text(
                "\(size)", x: x(size), y: top + Self.height + 18, style: "tick")
        }
        for line in panel.lines.reversed() {
            let style = line.isOurs ? "our-line" : "peer-line"
            for (from, to) in zip(line.points, line.points.dropFirst()) {
                drawing.line(
                    x1: x(from.size), y1: y(from.value), x2: x(to.size), y2: y(to.value),
                    style: style)
            }
            for point in line.points {
                drawing.rectangle(
                    x: x(point.size) - 3, y: y(point.value) - 3, width: 6, height: 6,
                    style: line.isOurs ? "ours" : "peer")
            }
        }
        name(panel.lines, &drawing) { (x($0.size), y($0.value)) }
    }

    /// At the lines' ends, from the top, so far apart that they can be read.
    private func name(
        _ lines: [Line], _ drawing: inout Drawing,
        _ place: ((size: Int, value: Double)) -> (x: Double, y: Double)
    ) {
        let ends = lines.compactMap { line in line.points.last.map { (line.name, place($0)) } }
        var free = -Double.infinity
        for (name, end) in ends.sorted(by: { $0.1.y < $1.1.y }) {
            let y = max(end.y + 4, free)
            drawing.text(name, x: end.x + 10, y: y, style: "value")
            free = y + 14
        }
    }
}

/// From values to places between 0 and 1, logarithmic.
private struct Axis {
    private let low: Double
    private let high: Double

    /// None of them at all stands a step before the least.
    init(sizes: [Int]) {
        let positive = sizes.filter { $0 > 0 }
        let least = Double(positive.min() ?? 1)
        low = sizes.contains(0) ? least / 4 : least
        high = max(Double(positive.max() ?? 1), low * 2)
    }

    /// From decade to decade.
    init(values: [Double]) {
        low = pow(10, log10(values.min() ?? 1).rounded(.down))
        high = max(pow(10, log10(values.max() ?? 1).rounded(.up)), low * 10)
    }

    func position(_ value: Double) -> Double {
        value <= low ? 0 : log10(value / low) / log10(high / low)
    }

    var decades: [Double] {
        let (first, last) = (Int(log10(low).rounded()), Int(log10(high).rounded()))
        return (first...last).map { pow(10, Double($0)) }
    }
}
