import ToolSupport
import XenStoreClient
import XenSystem

/// A value that was read, and how it is printed.
struct ShownValue: Hashable, Sendable {
    let path: StorePath
    let value: Octets

    enum Form: Hashable, Sendable {
        /// The bytes alone.
        case raw
        /// The bytes and a newline.
        case line
        /// The same, harmless to a terminal.
        case escapedLine

        /// A line for whoever reads standard output.
        static var forOutput: Form { Terminal.output.isInteractive ? .escapedLine : .line }
    }

    func bytes(_ form: Form) -> [UInt8] {
        switch form {
        case .raw: value.bytes
        case .line: value.bytes + [UInt8(ascii: "\n")]
        case .escapedLine: Array("\(value.escaped)\n".utf8)
        }
    }

    var json: JSON { .object([("path", .string("\(path)")), value.member]) }
}

extension Terminal {
    /// Writes a line of output. Throws what the program ends with: a full disk, say.
    func print(_ line: String) throws(SystemFailure) { try put(Array("\(line)\n".utf8)) }
}
