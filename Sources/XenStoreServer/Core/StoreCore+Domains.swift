package import XenCore
import XenStoreWire

/// Domains that come and go.
extension StoreCore {
    /// Makes a domain known, and tells `@introduceDomain` if it was not. For the embedding program.
    package mutating func introduce(_ domain: DomainID, _ outputs: inout [StoreOutput]) {
        know(domain)
        guard domains[domain]?.isIntroduced == false else { return }
        domains[domain]?.isIntroduced = true
        domains[domain]?.hasShutDown = false
        fireSpecial(.introduceDomain, domain, &outputs)
    }

    /// A domain has shut down or crashed, and still exists: `@releaseDomain` is told, once until RESUME.
    package mutating func shutDown(_ domain: DomainID, _ outputs: inout [StoreOutput]) {
        guard let record = domains[domain], record.isIntroduced, !record.hasShutDown else {
            return
        }
        domains[domain]?.hasShutDown = true
        fireSpecial(.releaseDomain, domain, &outputs)
    }

    /// Forgets a domain that has gone: its connections, its nodes, and what others' permissions say of it.
    package mutating func release(_ domain: DomainID, _ outputs: inout [StoreOutput]) {
        guard domain != .dom0, let record = domains[domain] else { return }
        for connection in connections.all where connection.holder.domain == domain {
            disconnect(connection.id)
            outputs.append(.close(connection.id))
        }
        outputs.append(.detach(domain))
        domains[domain] = nil
        ownLimits[domain] = nil
        heldBack.remove(domain)
        for other in domains.keys where domains[other]?.target?.domain == domain {
            domains[other]?.target = nil
        }
        for node in topmostNodes(of: domain) { remove(node, by: .dom0, &outputs) }
        // What is left are the root and the special ones: they stay, and become dom0's.
        for node in tree.ledger.nodes(of: domain).compactMap({ tree.node(at: $0) }) {
            tree.setAccess(node.access.owned(by: .dom0), of: node, by: .dom0)
        }
        tree.closeAccount(of: domain)
        incarnations.end(domain)
        if record.isIntroduced { fireSpecial(.releaseDomain, domain, &outputs) }
    }

    /// The nodes that a domain owns and that lie below none of its others, in the order of the tree.
    private func topmostNodes(of domain: DomainID) -> [StoreNode] {
        var tops: [(node: StoreNode, place: [UInt64])] = []
        for key in tree.ledger.nodes(of: domain) {
            guard let node = tree.node(at: key), let place = place(of: node, below: domain) else {
                continue
            }
            tops.append((node, place))
        }
        tops.sort { $0.place.lexicographicallyPrecedes($1.place) }
        return tops.map(\.node)
    }

    /// The serials on the way to a node; nil for one that goes with a node above it, and for the root and the special
    /// ones, which never go.
    private func place(of node: StoreNode, below domain: DomainID) -> [UInt64]? {
        guard !node.key.isSpecial, !node.key.isRoot else { return nil }
        var place = [node.serial]
        var above = node.key.parent
        while let key = above, let parent = tree.node(at: key) {
            if parent.access.owner.domain == domain, !key.isRoot { return nil }
            place.append(parent.serial)
            above = key.parent
        }
        return place.reversed()
    }

    func requireGuest(_ domain: DomainID) throws(StoreErrorName) {
        guard domain != .dom0 else { throw .invalid }
        guard domains[domain]?.isIntroduced ?? false else { throw .noEntry }
    }

    mutating func setTarget(
        of domain: DomainID, _ target: DomainID
    ) throws(StoreErrorName) {
        for domain in [domain, target] {
            guard domains[domain]?.isIntroduced ?? false else { throw .noEntry }
        }
        let target = incarnations.current(target)
        domains[domain]?.target = target
    }

    // MARK: - Features

    func featureReply(
        _ domain: DomainID?, _ context: RequestContext
    ) throws(StoreErrorName) -> [UInt8] {
        if let domain {
            guard context.client.isPrivileged else { throw .accessDenied }
            guard domain < .firstReserved else { throw .noEntry }
        }
        return Fields.encode([
            decimal(features(of: domain ?? context.client.domain).rawValue)
        ])
    }

    mutating func setFeatures(
        _ features: ServerFeatures, of domain: DomainID
    ) throws(StoreErrorName) {
        guard domain < .firstReserved else { throw .noEntry }
        guard domains[domain]?.isIntroduced != true else { throw .busy }
        guard ServerFeatures.all.isSuperset(of: features) else { throw .invalid }
        know(domain)
        domains[domain]?.features = features
    }
}
