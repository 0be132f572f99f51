import XenCore
import XenDomain

/// Domains that shut down and die by themselves, or by Xen's hand.
extension ServerState {
    /// Asks how each guest with a ring is. To be called when Xen says that something has happened to a domain.
    ///
    /// An id cannot have passed to another domain since: Xen keeps a dying one until we unmap its ring. Where nobody
    /// answers it is asked again later.
    mutating func lookAtDomains() {
        guard let lookout else { return }
        var failure: DomainError?
        for case let ring? in rings where ring.domain != .dom0 {
            do throws(DomainError) {
                switch try lookout.domains.status(of: ring.domain) {
                case .running: continue
                case .shutDown: core.shutDown(ring.domain, &outputs)
                case .dying, nil: core.release(ring.domain, &outputs)
                }
            } catch { failure = error }
        }
        if let failure, domainsToBeLookedAt == nil {
            tell(.domainsUnknown(reason: "\(failure)"))
        }
        domainsToBeLookedAt = failure == nil ? nil : now + .seconds(1)
        carryOut()
    }
}
