/// A value of JSON (RFC 8259), for printing.
package enum JSON: CustomStringConvertible, Sendable {
    case null
    case bool(Bool)
    case number(Int)
    case string(String)
    case array([JSON])
    case object([(String, JSON)])

    package static func number(_ value: UInt32) -> JSON { .number(Int(value)) }

    package static func optional(_ value: UInt32?) -> JSON { value.map { number($0) } ?? .null }

    /// The text, indented by two spaces a level.
    package var description: String { text(indentation: "") }

    /// The text on one line, for a stream of values.
    package var line: String {
        switch self {
        case .array(let values): "[\(values.map(\.line).joined(separator: ","))]"
        case .object(let members):
            "{\(members.map { "\(Self.quoted($0.0)):\($0.1.line)" }.joined(separator: ","))}"
        default: description
        }
    }

    private func text(indentation: String) -> String {
        let inner = indentation + "  "
        switch self {
        case .null: return "null"
        case .bool(let value): return "\(value)"
        case .number(let value): return "\(value)"
        case .string(let value): return Self.quoted(value)
        case .array(let values):
            return Self.block("[", values.map { $0.text(indentation: inner) }, "]", indentation)
        case .object(let members):
            let lines = members.map { "\(Self.quoted($0.0)): \($0.1.text(indentation: inner))" }
            return Self.block("{", lines, "}", indentation)
        }
    }

    private static func block(
        _ open: String, _ items: [String], _ close: String, _ indentation: String
    ) -> String {
        if items.isEmpty { return open + close }
        let lines = items.map { "\(indentation)  \($0)" }.joined(separator: ",\n")
        return "\(open)\n\(lines)\n\(indentation)\(close)"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
