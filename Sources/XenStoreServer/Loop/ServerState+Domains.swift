import XenCore
import XenDomain

/// Domains that shut down and die by themselves, or by Xen's hand.
extension ServerState {
    /// Asks how each guest is. To be called when Xen says that something has happened to one.
    ///
    /// An id cannot have passed to another domain since: Xen keeps a dying one until we unmap its ring.
    mutating func lookAtDomains() {
        guard let lookout else { return }
        do throws(DomainError) {
            for domain in core.guests {
                switch try lookout.domains.status(of: domain) {
                case .running: continue
                case .shutDown: core.shutDown(domain, &outputs)
                case .dying, nil: core.release(domain, &outputs)
                }
            }
        } catch { tell(.domainsUnknown(reason: "\(error)")) }
        carryOut()
    }
}
