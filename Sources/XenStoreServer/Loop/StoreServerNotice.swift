public import XenCore
public import XenStoreWire

/// Something that the server's owner may want to log.
public enum StoreServerNotice: Hashable, Sendable {
    /// A guest writes to its ring without notifying: it is looked at this often from now on.
    case lazyGuest(DomainID, roundCount: Int)
    /// A guest broke its ring, which is not served until the guest reconnects.
    case ringBroken(DomainID, RingFault, reason: String)
    /// A guest asked for a new connection over its ring, and has it.
    case ringReconnected(DomainID)
    /// A guest's page or port cannot be had.
    case ringRefused(DomainID, reason: String)
    /// Guests' events do not come any more: rings are only looked at now and then.
    case eventsLost(reason: String)
    /// Xen said that something has happened to a domain, and nobody could be asked to which.
    case domainsUnknown(reason: String)
    /// A socket's connection was ended because nobody takes its replies.
    case stalled(DomainID, byteCount: Int)
    /// A connection was ended because more waits for its reader than may.
    case overflowed(DomainID, byteCount: Int)
    /// A client broke the protocol, and its connection was ended.
    case protocolViolation(DomainID, reason: String)
    /// There are no descriptors left for new connections.
    case acceptPaused(reason: String)
    /// A domain makes so many transactions fail that it waits.
    case heldBack(DomainID)
    /// A domain is over its soft quota of memory, or no longer is.
    case softMemoryQuotaExceeded(DomainID, byteCount: Int)
    case softMemoryQuotaKept(DomainID, byteCount: Int)
    /// A tool asked for this line (CONTROL print).
    case printed(String)
    /// A request, while a tool has them logged (CONTROL log).
    case request(String)
    /// A domain caused more notices than are told of one, and so many were left out.
    case leftOut(DomainID, count: Int)

    /// The domain that had it come to this, if it was one's doing.
    var domain: DomainID? {
        switch self {
        case .lazyGuest(let domain, roundCount: _), .ringBroken(let domain, _, reason: _),
            .ringReconnected(let domain), .ringRefused(let domain, reason: _),
            .stalled(let domain, byteCount: _), .overflowed(let domain, byteCount: _),
            .protocolViolation(let domain, reason: _), .heldBack(let domain),
            .softMemoryQuotaExceeded(let domain, byteCount: _),
            .softMemoryQuotaKept(let domain, byteCount: _), .leftOut(let domain, count: _):
            domain
        case .eventsLost, .domainsUnknown, .acceptPaused, .printed, .request: nil
        }
    }
}

extension StoreServerNotice: CustomStringConvertible {
    public var description: String {
        switch self {
        case .lazyGuest(let domain, let roundCount):
            "\(domain) writes without notifying us, and gets \(roundCount) rounds"
        case .ringBroken(let domain, let fault, let reason):
            "the ring of \(domain) is not served any more (\(fault)): \(reason)"
        case .ringReconnected(let domain): "\(domain) has reconnected its ring"
        case .ringRefused(let domain, let reason): "\(domain) has no ring: \(reason)"
        case .eventsLost(let reason): "guests' events do not come any more: \(reason)"
        case .domainsUnknown(let reason): "domains that died may be kept: \(reason)"
        case .stalled(let domain, let byteCount):
            "a connection of \(domain) takes no replies, and was ended with \(byteCount) bytes waiting"
        case .overflowed(let domain, let byteCount):
            "a connection of \(domain) reads too slowly, and was ended with \(byteCount) bytes waiting"
        case .protocolViolation(let domain, let reason):
            "a connection of \(domain) was ended: \(reason)"
        case .acceptPaused(let reason): "no new connections for a moment: \(reason)"
        case .heldBack(let domain): "\(domain) makes others' transactions fail, and waits"
        case .softMemoryQuotaExceeded(let domain, let byteCount):
            "\(domain) is over its soft quota of memory with \(byteCount) bytes"
        case .softMemoryQuotaKept(let domain, let byteCount):
            "\(domain) is within its soft quota of memory again with \(byteCount) bytes"
        case .leftOut(let domain, let count): "\(count) more notices of \(domain) were left out"
        case .printed(let text): text
        case .request(let text): text
        }
    }
}
