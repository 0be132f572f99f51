/// A watch of a connection.
struct ModelWatch: Equatable {
    /// Whose watches a change concerns.
    enum Reach: Equatable {
        /// Those on the path, and on every path above.
        case above
        /// Those on the path itself: it went with a node above.
        case itself
    }

    /// Absolute or special.
    let path: String
    let token: String
    /// How many levels below the path it looks; nil for all.
    let depth: Int?
    /// What the client left out, and events leave out, too; empty unless the path was relative.
    let home: String

    func concerns(_ changed: String, _ reach: Reach) -> Bool {
        guard reach == .above else { return changed == path }
        return ModelTree.isWithin(changed, path)
            && depth.map { ModelTree.level(of: changed) - ModelTree.level(of: path) <= $0 } ?? true
    }

    func event(at changed: String) -> String {
        "\(changed.dropFirst(home.count))|\(token)|"
    }
}
