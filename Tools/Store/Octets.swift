import FoundationEssentials
import ToolSupport

/// A value of the store, for eyes and for programs. It may be any bytes, and a guest may have chosen them.
struct Octets: Hashable, Sendable {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The text with `\n`, `\t`, `\r`, `\\` and, for what is no printable text, `\xHH`, so that no value can
    /// drive a terminal.
    var escaped: String { escaped(also: []) }

    /// The same in double quotes; those within are escaped, too.
    var quoted: String { "\"\(escaped(also: ["\""]))\"" }

    /// The member of a JSON object that holds the octets: `value` as text, or `base64`.
    var member: (String, JSON) {
        String(validating: bytes, as: UTF8.self).map { ("value", .string($0)) }
            ?? ("base64", .string(Data(bytes).base64EncodedString()))
    }

    private func escaped(also more: Set<Unicode.Scalar>) -> String {
        var text = ""
        var (parser, iterator) = (Unicode.UTF8.ForwardParser(), bytes.makeIterator())
        var position = 0
        while true {
            switch parser.parseScalar(from: &iterator) {
            case .valid(let encoded):
                let scalar = Unicode.UTF8.decode(encoded)
                text +=
                    Self.isShown(scalar) && !more.contains(scalar)
                    ? String(Character(scalar))
                    : Self.escape(scalar, bytes[position..<position + encoded.count])
                position += encoded.count
            case .error(let count):
                text += bytes[position..<position + count].map(Self.hexadecimal).joined()
                position += count
            case .emptyInput: return text
            }
        }
    }

    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate,
            .unassigned:
            false
        default: scalar != "\\"
        }
    }

    private static func escape(_ scalar: Unicode.Scalar, _ bytes: ArraySlice<UInt8>) -> String {
        switch scalar {
        case "\\", "\"": "\\\(scalar)"
        case "\n": "\\n"
        case "\t": "\\t"
        case "\r": "\\r"
        default: bytes.map(hexadecimal).joined()
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}

extension Octets {
    /// Reads what `quoted` makes. Nil when it is none, or something follows the closing quote.
    init?(quoted text: some Collection<UInt8>) {
        guard text.count >= 2, text.first == UInt8(ascii: "\"") else { return nil }
        var bytes: [UInt8] = []
        var rest = Array(text.dropFirst())[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""):
                guard rest.isEmpty else { return nil }
                self.init(bytes)
                return
            case UInt8(ascii: "\\"):
                guard let octet = Self.unescape(&rest) else { return nil }
                bytes.append(octet)
            default: bytes.append(byte)
            }
        }
        return nil
    }

    /// What follows a backslash.
    private static func unescape(_ rest: inout ArraySlice<UInt8>) -> UInt8? {
        switch rest.popFirst() {
        case UInt8(ascii: "n"): return UInt8(ascii: "\n")
        case UInt8(ascii: "t"): return UInt8(ascii: "\t")
        case UInt8(ascii: "r"): return UInt8(ascii: "\r")
        case UInt8(ascii: "\\"): return UInt8(ascii: "\\")
        case UInt8(ascii: "\""): return UInt8(ascii: "\"")
        case UInt8(ascii: "x"):
            let digits = rest.prefix(2)
            rest = rest.dropFirst(2)
            guard digits.count == 2, digits.first != UInt8(ascii: "+") else { return nil }
            return UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
        default: return nil
        }
    }
}
