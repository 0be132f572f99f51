import Synchronization
import XenCore
import XenGrant

extension MockHypervisor {
    /// A call of a process on one of its handles, before which it may die.
    func call<Result, Failure>(
        by process: ProcessID, _ body: (inout HypervisorState) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        try state.withLock { (state) throws(Failure) in
            state.strike(process)
            return try body(&state)
        }
    }
}

extension HypervisorState {
    fileprivate mutating func strike(_ process: ProcessID) {
        guard let plan = faultPlan, let domain = processes[process]?.domain else { return }
        if domain != .dom0, plan.strikes(.destroyed) {
            destroyDomain(domain, generation: domains[domain]?.generation ?? 0)
        } else if plan.strikes(.killed) {
            killProcess(process)
        }
    }

    /// Whether a notification that is sent to a port rings it now.
    func arrives(at port: EventPort, of domain: DomainID) -> Bool {
        guard let plan = faultPlan, let state = domains[domain]?.ports[port] else { return true }
        if plan.strikes(.lost) { return false }
        if underWay.contains(state), plan.strikes(.merged) { return false }
        let isDelayed = plan.strikes(.delayed)
        if isDelayed || plan.strikes(.repeated) {
            underWay.add(.init(domain: domain, port: port, state: state))
        }
        return !isDelayed
    }

    func deliverDelayed(_ limit: Int) -> Int {
        var count = 0
        while count < limit, let sent = underWay.next() {
            count += 1
            if domains[sent.domain]?.ports[sent.port] === sent.state {
                ring(sent.port, of: sent.domain)
            }
        }
        return count
    }

    /// What the hypervisor itself refuses although nothing is wrong, or that a granter just took back.
    func refuseMapping(of pages: [GrantedPage]) throws(GrantError) {
        guard let plan = faultPlan else { return }
        if plan.strikes(.mapAgain) {
            throw GrantError(
                .again, errorNumber: .again,
                "\(pages.inWords): a page is paged out; try again")
        }
        if plan.strikes(.mapInvalid) {
            throw GrantError(
                .badReference, errorNumber: .invalid,
                "\(pages.inWords) cannot be mapped: just revoked")
        }
    }
}
