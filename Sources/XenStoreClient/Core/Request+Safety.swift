import XenStoreWire

extension Request {
    /// Whether carrying it out twice is as good as once, on a connection that began anew in between.
    var changesNothing: Bool {
        switch self {
        case .directory, .read, .getPermissions, .watch, .unwatch, .transactionStart,
            .getDomainPath, .isDomainIntroduced, .directoryPart, .getFeature, .getQuota:
            true
        case .control, .transactionEnd, .introduce, .release, .write, .makeDirectory, .remove,
            .setPermissions, .resume, .setTarget, .resetWatches, .setFeature, .setQuota:
            false
        }
    }

    var isCommit: Bool { if case .transactionEnd(commit: true) = self { true } else { false } }

    /// Whether each of its strings can travel: a NUL would end it early.
    var isWellFormed: Bool {
        switch self {
        case .control(let arguments): !arguments.contains { $0.contains(0) }
        case .watch(_, let token, _), .unwatch(_, let token): !token.contains(0)
        case .getQuota(_, let name): !(name?.contains(0) ?? false)
        case .setQuota(_, let name, _): !name.contains(0)
        default: true
        }
    }

    /// The error for a refusal, with what the caller can do about it.
    func refused(_ name: StoreErrorName) -> StoreError {
        let advice =
            switch name {
            case .noEntry: "no such node"
            case .accessDenied: "this domain has no permission for it"
            case .notPermitted: "only a privileged domain may do this"
            case .noSpace: "a quota of the server is used up"
            case .notImplemented: "this server does not know the operation"
            case .again: "it conflicts with another change; try again"
            case .tooBig: "the answer does not fit one packet"
            case .invalid: "malformed, or impossible for this node or domain"
            case .exists: "it is there already: a watch by this path and token"
            case .busy: "not now: a transaction is open, or the domain is introduced"
            case .noMemory: "a quota of memory is used up"
            default: "the server refused"
            }
        return StoreError(.refused, name: name, "\(self): \(advice)")
    }
}

extension StoreError {
    static let serverHasClosed = StoreError(
        .disconnected, "the store's server closed the connection; is it still running?")

    static func outcomeUnknown(_ request: Request, _ reason: StoreError) -> StoreError {
        StoreError(
            .outcomeUnknown,
            "\(request) was sent, and its answer lost with the connection (\(reason.message)); "
                + "look whether it was carried out before you repeat it")
    }

    static func unsent(_ request: Request) -> StoreError {
        StoreError(.timedOut, "\(request) was not sent: its deadline had passed")
    }

    /// Named EAGAIN, as any other conflict is.
    static func transactionLost(_ request: Request, _ reason: StoreError) -> StoreError {
        StoreError(
            .conflict, name: .again,
            "\(request): its transaction ended with the connection (\(reason.message)); begin anew"
        )
    }

    static func cancelled(_ request: Request, wasSent: Bool) -> StoreError {
        StoreError(
            .cancelled,
            wasSent
                ? "\(request) was cancelled; it may have been carried out"
                : "\(request) was cancelled before it was sent")
    }
}
