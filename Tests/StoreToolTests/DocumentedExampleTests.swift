import Foundation
import Testing

/// docs/xs.md shows what happens.
@Suite struct DocumentedExampleTests {
    struct Example {
        var command: String
        var output: String
    }

    /// The commands of the page's `console` blocks. A command goes on until the next `$`, as far as quotes and
    /// here-documents need.
    static func examples(in page: String) -> [Example] {
        var examples: [Example] = []
        var isConsole = false
        var hereDocument = false
        for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
            let last = examples.count - 1
            if line.hasPrefix("```") {
                isConsole = line == "```console"
            } else if !isConsole {
                continue
            } else if line.hasPrefix("$ ") {
                examples.append(Example(command: String(line.dropFirst(2)), output: ""))
                hereDocument = line.hasSuffix("<<END")
            } else if hereDocument
                || !examples[last].command.count(where: { $0 == "'" }).isMultiple(of: 2)
            {
                examples[last].command += "\n\(line)"
                hereDocument = hereDocument && line != "END"
            } else {
                examples[last].output += "\(line)\n"
            }
        }
        return examples
    }

    @Test func theExamplesAreTrue() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../docs/xs.md")
        let examples = Self.examples(in: try String(contentsOf: page, encoding: .utf8))
        #expect(examples.count > 15)
        let tool = try BuiltTool()
        for example in examples {
            let found = try tool.shell(example.command)
            #expect(found == example.output, "$ \(example.command)")
        }
    }
}

extension BuiltTool {
    /// What a shell prints that has `xs` on its path.
    func shell(_ command: String) throws -> String {
        let process = try prepare(["-c", "exec 2>&1\n\(command)"])
        let tools = process.executableURL?.deletingLastPathComponent().path ?? ""
        process.environment?["PATH"] = "\(tools):/usr/bin:/bin"
        process.executableURL = URL(filePath: "/bin/sh")
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return text(of: ".output")
    }
}
