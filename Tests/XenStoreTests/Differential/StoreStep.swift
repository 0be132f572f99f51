import XenStoreWire

/// One thing that happens in a random history.
struct StoreStep: Sendable, CustomStringConvertible {
    let connection: ConnectionName
    /// Which of the connection's transactions; 0 for none.
    let transaction: UInt32
    let operation: StoreOperation
    let payload: [UInt8]

    var description: String {
        let payload = payload.count > 80 ? payload.prefix(60) + Array("...".utf8) : payload[...]
        return "\(connection) \(transaction) \(operation) \(Script.text(Array(payload)))"
    }

    /// The path that it names, made absolute as the server does; nil if it names none.
    var path: StorePath? {
        guard let path = try? StorePath(bytes: Array(payload.prefix { $0 != 0 })) else {
            return nil
        }
        guard !path.isAbsolute, !path.isSpecial else { return path }
        return try? StorePath.home(of: connection.domain).appending(path)
    }

    /// Whether it has the form that the protocol asks for, and names a node where it has to.
    var isWellFormed: Bool {
        let body = operation == .write ? payload.prefix { $0 != 0 } + [0] : payload
        guard let fields = Fields.all(Array(body)) else { return false }
        switch operation {
        case .read, .directory, .getPermissions, .makeDirectory, .remove, .write:
            return fields.count == 1 && path?.isSpecial == false
        case .setPermissions:
            let entries = fields.dropFirst().map { Permission(bytes: $0) }
            return path?.isSpecial == false && !entries.isEmpty && !entries.contains(nil)
        case .watch, .unwatch: return fields.count == 2 && path != nil
        case .directoryPart: return fields.count == 2 && path?.isSpecial == false
        default: return fields.count == (operation == .setTarget ? 2 : 1)
        }
    }

    /// Whether it gives a node to a domain that has not been introduced.
    var namesUnknownOwner: Bool {
        let entries = payload.split(separator: 0, omittingEmptySubsequences: false).dropFirst()
        return operation == .setPermissions && entries.first?.dropFirst() == Array("5".utf8)[...]
    }

    /// Whether it is about the node that it names.
    var looksAtNode: Bool {
        isWellFormed && path?.isSpecial == false && operation != .watch && operation != .unwatch
    }

    /// Whether it changes the tree when it succeeds.
    var isChange: Bool {
        [.write, .makeDirectory, .remove, .setPermissions].contains(operation)
    }
}
