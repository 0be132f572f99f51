public import XenCore

/// How a domain is.
public enum DomainStatus: Hashable, Sendable {
    /// It runs, is paused, or is being built.
    case running
    /// It has shut down, was suspended or has crashed, and still has its memory (`XEN_DOMINF_shutdown`).
    case shutDown
    /// It is being destroyed, and lasts only for those who still map its memory (`XEN_DOMINF_dying`).
    case dying
}

/// Whom to ask about domains: `LibXenDomains`, or a mock hypervisor's.
///
/// That something has changed is told by the virtual interrupt `.domainException`; it does not say of which domain.
public protocol DomainBackend: Sendable {
    /// How a domain is; nil when none has this id. Does not block.
    ///
    /// Throws `.notPermitted` in a domain that may not ask, `.unavailable` when the hypervisor speaks another version.
    func status(of domain: DomainID) throws(DomainError) -> DomainStatus?
}
