import XenCore
package import XenStoreWire

/// An INTRODUCE that has not been answered yet.
struct PendingIntroduction: Sendable {
    let context: RequestContext
    let domain: DomainID
    /// The domain that had the id when it was asked for.
    let incarnation: Incarnation
}

/// INTRODUCE, which takes the shell's help: a page to map and a port to bind.
extension StoreCore {
    mutating func introduce(
        _ domain: DomainID, _ port: EventPort, _ context: RequestContext,
        _ outputs: inout [StoreOutput]
    ) throws(StoreErrorName) {
        guard port.rawValue != 0, domain != .dom0, domain < .firstReserved else {
            throw .invalid
        }
        know(domain)
        lastTicket += 1
        let ticket = IntroductionTicket(serial: lastTicket)
        introductions[ticket] = PendingIntroduction(
            context: context, domain: domain, incarnation: incarnations.current(domain))
        outputs.append(.attach(domain, port: port, ticket))
    }

    /// The domain's ring is attached, or there is none to attach: answers its INTRODUCE.
    ///
    /// A domain that was known already starts anew: its watches and transactions are dropped.
    /// - Parameter connection: the ring's, when there is one.
    package mutating func attached(
        _ ticket: IntroductionTicket, as connection: ConnectionID?, _ outputs: inout [StoreOutput]
    ) {
        guard let pending = introductions.removeValue(forKey: ticket) else { return }
        // Released in the meantime: the ring is let go of, as the shell was told then.
        guard incarnations.isAlive(pending.incarnation), domains[pending.domain] != nil else {
            return answer(pending, .noEntry, &outputs)
        }
        if domains[pending.domain]?.isIntroduced == true {
            if let slot = connection.flatMap({ connections.slot(of: $0) }) {
                resetWatches(at: slot)
            }
        } else {
            introduce(pending.domain, &outputs)
        }
        answer(pending, nil, &outputs)
    }

    /// The domain's ring cannot be had: INTRODUCE is refused with this name.
    package mutating func failedToAttach(
        _ ticket: IntroductionTicket, _ error: StoreErrorName, _ outputs: inout [StoreOutput]
    ) {
        guard let pending = introductions.removeValue(forKey: ticket) else { return }
        answer(pending, error, &outputs)
    }

    private func answer(
        _ pending: PendingIntroduction, _ error: StoreErrorName?, _ outputs: inout [StoreOutput]
    ) {
        guard connections.slot(of: pending.context.connection) != nil else { return }
        Self.reply(
            error == nil ? .introduce : .error, error?.payload ?? Reply.acknowledgement,
            pending.context, &outputs)
    }
}
