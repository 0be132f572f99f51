public import XenCore

/// A request with its arguments, for every operation of the protocol.
///
/// Source: docs/misc/xenstore.txt, "Xenstore protocol details", which gives each payload.
public enum Request: Hashable, Sendable {
    /// A command to the daemon itself, with its arguments.
    case control([[UInt8]])
    case directory(StorePath)
    case read(StorePath)
    case getPermissions(StorePath)
    /// `depth` limits how far below the path changes are told; it needs `ServerFeatures.watchDepth`.
    case watch(StorePath, token: [UInt8], depth: UInt32? = nil)
    case unwatch(StorePath, token: [UInt8])
    case transactionStart
    case transactionEnd(commit: Bool)
    /// Tells the server of a new domain, the frame of its store page and its port.
    case introduce(DomainID, frame: Int64, port: EventPort)
    case release(DomainID)
    case getDomainPath(DomainID)
    case write(StorePath, [UInt8])
    case makeDirectory(StorePath)
    case remove(StorePath)
    case setPermissions(StorePath, [Permission])
    case isDomainIntroduced(DomainID)
    case resume(DomainID)
    case setTarget(DomainID, target: DomainID)
    case resetWatches
    /// The children from a byte offset into their list.
    case directoryPart(StorePath, offset: UInt32)
    /// The features for a domain, or for ourselves.
    case getFeature(DomainID?)
    case setFeature(DomainID, ServerFeatures)
    /// A quota of a domain or the global one; without a name, the names of all.
    case getQuota(DomainID?, name: [UInt8]?)
    case setQuota(DomainID?, name: [UInt8], limit: UInt32)

    public var operation: StoreOperation {
        switch self {
        case .control: .control
        case .directory: .directory
        case .read: .read
        case .getPermissions: .getPermissions
        case .watch: .watch
        case .unwatch: .unwatch
        case .transactionStart: .transactionStart
        case .transactionEnd: .transactionEnd
        case .introduce: .introduce
        case .release: .release
        case .getDomainPath: .getDomainPath
        case .write: .write
        case .makeDirectory: .makeDirectory
        case .remove: .remove
        case .setPermissions: .setPermissions
        case .isDomainIntroduced: .isDomainIntroduced
        case .resume: .resume
        case .setTarget: .setTarget
        case .resetWatches: .resetWatches
        case .directoryPart: .directoryPart
        case .getFeature: .getFeature
        case .setFeature: .setFeature
        case .getQuota: .getQuota
        case .setQuota: .setQuota
        }
    }

    /// The path that the request is about, when it is about one.
    public var path: StorePath? {
        switch self {
        case .directory(let path), .read(let path), .getPermissions(let path),
            .watch(let path, _, _),
            .unwatch(let path, _), .write(let path, _), .makeDirectory(let path), .remove(let path),
            .setPermissions(let path, _), .directoryPart(let path, _):
            path
        default: nil
        }
    }
}

extension Request: CustomStringConvertible {
    /// The operation and its path, as in `READ /local/domain/3/name`.
    public var description: String { path.map { "\(operation) \($0)" } ?? "\(operation)" }
}
