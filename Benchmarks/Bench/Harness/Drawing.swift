import Foundation

/// Lines, rectangles and texts of an SVG, legible on light and on dark ground.
struct Drawing {
    private var shapes: [String] = []

    mutating func text(_ text: String, x: Double, y: Double, style: String) {
        shapes.append(
            "<text class=\"\(style)\" x=\"\(number(x))\" y=\"\(number(y))\">\(escaped(text))</text>"
        )
    }

    mutating func rectangle(
        x: Double, y: Double, width: Double, height: Double, style: String
    ) {
        shapes.append(
            "<rect class=\"\(style)\" x=\"\(number(x))\" y=\"\(number(y))\" "
                + "width=\"\(number(width))\" height=\"\(number(height))\"/>")
    }

    mutating func line(
        x1: Double, y1: Double, x2: Double, y2: Double, style: String, isBehind: Bool = false
    ) {
        let line =
            "<line class=\"\(style)\" x1=\"\(number(x1))\" y1=\"\(number(y1))\" "
            + "x2=\"\(number(x2))\" y2=\"\(number(y2))\"/>"
        shapes.insert(line, at: isBehind ? 0 : shapes.endIndex)
    }

    func svg(width: Double, height: Double) -> String {
        let size = "\(number(width)) \(number(height))"
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(size)" \
            width="\(number(width))" height="\(number(height))">
            <style>
            text { font: 12px sans-serif; fill: #24292f }
            .title { font: bold 17px sans-serif } .case { font-weight: bold }
            .note, .tick, .value { fill: #57606a } .tick { text-anchor: middle } .name { text-anchor: end }
            .ground { fill: #ffffff } .ours { fill: #2f74c0 } .peer { fill: #a9b4c0 }
            .our-line { stroke: #2f74c0; stroke-width: 2.5 } .peer-line { stroke: #a9b4c0; stroke-width: 2 }
            .grid { stroke: #d8dee4 } .limit { stroke: #cf222e; stroke-width: 2.5 }
            @media (prefers-color-scheme: dark) {
            text { fill: #e6edf3 } .note, .tick, .value { fill: #9aa4af }
            .ground { fill: #0d1117 } .ours { fill: #58a6ff } .peer { fill: #57606a }
            .our-line { stroke: #58a6ff } .peer-line { stroke: #57606a }
            .grid { stroke: #2b323b } .limit { stroke: #ff7b72 }
            }
            </style>
            <rect class="ground" width="100%" height="100%"/>
            \(shapes.joined(separator: "\n"))
            </svg>

            """
    }

    private func number(_ value: Double) -> String { String(format: "%.4g", value) }

    private func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(
            of: "<", with: "&lt;")
    }
}
