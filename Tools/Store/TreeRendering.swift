import XenStoreClient

/// How a tree looks.
struct TreeStyle: Hashable, Sendable {
    /// What joins a node to the one above.
    enum Branches: Hashable, Sendable {
        case lines
        case ascii
        /// No branches: each line has its whole path.
        case paths
    }

    var branches = Branches.lines
    var isColoured = false
    /// The characters that fit a line: longer values are cut; nil for no end.
    var columnCount: Int?
}

/// A tree as lines of text.
struct TreeRendering {
    let style: TreeStyle

    func lines(of tree: NodeTree) -> [String] {
        var lines: [String] = []
        append(tree, as: "\(tree.path)", first: "", rest: "", &lines)
        return lines
    }

    private func append(
        _ node: NodeTree, as name: String, first: String, rest: String, _ lines: inout [String]
    ) {
        lines.append(line(node, name, indentation: first))
        let children = node.children ?? []
        for (index, child) in children.enumerated() {
            let joint = joint(isLast: index == children.count - 1)
            append(
                child, as: style.branches == .paths ? "\(child.path)" : child.name,
                first: rest + joint.first, rest: rest + joint.rest, &lines)
        }
    }

    /// What stands before a child's name, and before all that is below it.
    private func joint(isLast: Bool) -> (first: String, rest: String) {
        switch style.branches {
        case .lines: isLast ? ("└── ", "    ") : ("├── ", "│   ")
        case .ascii: isLast ? ("`-- ", "    ") : ("|-- ", "|   ")
        case .paths: ("", "")
        }
    }

    private func line(_ node: NodeTree, _ name: String, indentation: String) -> String {
        let isInner = node.children?.isEmpty == false
        var line = coloured(indentation, .branch) + coloured(name, isInner ? .inner : .leaf)
        let notes = notes(of: node)
        if !node.value.bytes.isEmpty {
            let used =
                indentation.count + name.count + 3 + notes.reduce(0) { $0 + $1.text.count + 2 }
            line += " = " + coloured(clipped(node.value.quoted, after: used), .value)
        }
        for note in notes { line += "  " + coloured(note.text, note.colour) }
        return line
    }

    private func notes(of node: NodeTree) -> [(text: String, colour: Colour)] {
        var notes: [(text: String, colour: Colour)] = []
        if let permissions = node.permissions {
            notes.append(
                ("(\(permissions.map(\.description).joined(separator: ",")))", .permissions))
        }
        if let refusal = node.refusal { notes.append(("[\(refusal)]", .refusal)) }
        return notes
    }

    /// The value, or its start when the line is too long; a little is shown of every one.
    private func clipped(_ value: String, after used: Int) -> String {
        let ellipsis = style.branches == .ascii ? "..." : "…"
        guard let width = style.columnCount, used + value.count > width, value.count > 12 else {
            return value
        }
        return value.prefix(max(8, width - used - ellipsis.count)) + ellipsis
    }

    /// The select graphic rendition of ECMA-48.
    private enum Colour: String {
        case branch = "2"
        case inner = "1;34"
        case leaf = ""
        case value = "32"
        case permissions = "33"
        case refusal = "31"
    }

    private func coloured(_ text: String, _ colour: Colour) -> String {
        guard style.isColoured, !text.isEmpty, colour != .leaf else { return text }
        return "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m"
    }
}
