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
    /// What the client left out, and events leave out, too; empty unless the path was relative.
    let home: String

    func concerns(_ changed: String, _ reach: Reach) -> Bool {
        reach == .itself ? changed == path : ModelTree.isWithin(changed, path)
    }

    func event(at changed: String) -> String {
        "\(changed.dropFirst(home.count))|\(token)|"
    }
}
