import XenCore
import XenDomain
import XenEvtchn

/// How the server learns that a domain has shut down or died: the interrupt that says that something has happened to
/// one of them, and whom to ask then.
final class DomainLookout {
    let domains: any DomainBackend
    private let interrupt: EventChannel

    /// Throws what the user can act on: that another store has the interrupt, or that nobody may be asked.
    init?(_ guests: GuestHost) throws {
        guard let domains = guests.domains else { return nil }
        // Asked once now, so that a program that does not fit its hypervisor does not start.
        _ = try domains.status(of: .dom0)
        interrupt = try guests.events.bindVirtualInterrupt(.domainException)
        self.domains = domains
    }

    /// Which of the events' ports is the interrupt's.
    var port: EventPort { interrupt.port }
}
