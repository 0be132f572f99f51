import XenCore
import XenStoreWire

/// A request of the model's subject, well formed.
enum ModelRequest: CustomStringConvertible {
    case read(String)
    case directory(String)
    case getPermissions(String)
    case write(String, [UInt8])
    case makeDirectory(String)
    case remove(String)
    case setPermissions(String, [Permission])
    case watch(String, String, depth: Int?)
    case unwatch(String, String)
    case transactionStart
    case transactionEnd(Bool)
    case resetWatches
    case setTarget(DomainID, DomainID)

    var ignoresTransactions: Bool {
        switch self {
        case .watch, .unwatch: true
        default: false
        }
    }

    var operation: StoreOperation {
        switch self {
        case .read: .read
        case .directory: .directory
        case .getPermissions: .getPermissions
        case .write: .write
        case .makeDirectory: .makeDirectory
        case .remove: .remove
        case .setPermissions: .setPermissions
        case .watch: .watch
        case .unwatch: .unwatch
        case .transactionStart: .transactionStart
        case .transactionEnd: .transactionEnd
        case .resetWatches: .resetWatches
        case .setTarget: .setTarget
        }
    }

    /// With `|` for NUL.
    var text: String {
        switch self {
        case .read(let path), .directory(let path), .getPermissions(let path),
            .makeDirectory(let path), .remove(let path):
            "\(path)|"
        case .write(let path, let value): "\(path)|\(String(decoding: value, as: UTF8.self))"
        case .setPermissions(let path, let entries):
            "\(path)|" + entries.map { "\($0)|" }.joined()
        case .watch(let path, let token, let depth):
            "\(path)|\(token)|" + (depth.map { "\($0)|" } ?? "")
        case .unwatch(let path, let token): "\(path)|\(token)|"
        case .setTarget(let domain, let target): "\(domain.rawValue)|\(target.rawValue)|"
        case .transactionStart, .resetWatches: "|"
        case .transactionEnd(let commits): commits ? "T|" : "F|"
        }
    }

    var description: String { "\(operation) \(text)" }
}
