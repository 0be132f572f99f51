import XenCore

extension HypervisorState {
    func leaks() -> [MockLeak] {
        let shares = self.shares.sorted { $0.key < $1.key }.map { _, share in
            MockLeak(
                kind: share.frames == nil
                    ? .quarantinedShare(share.references) : .share(share.references),
                domain: share.domain, process: share.processName, peer: share.peer)
        }
        let mappings = self.mappings.sorted { $0.key < $1.key }.compactMap { _, mapping in
            processes[mapping.process].map {
                MockLeak(
                    kind: .mapping(mapping.references), domain: $0.domain, process: $0.name,
                    peer: mapping.granter)
            }
        }
        return domains.keys.sorted().flatMap { domain in
            (shares + mappings).filter { $0.domain == domain } + portLeaks(of: domain)
        }
    }

    private func portLeaks(of id: DomainID) -> [MockLeak] {
        let ports = domains[id]?.ports.sorted { $0.key < $1.key } ?? []
        return ports.map { port, state in
            MockLeak(
                kind: .port(port), domain: id,
                process: state.owner.flatMap { processes[$0]?.name }
                    ?? "(closed, kept for an unmap notification)",
                peer: state.peer)
        }
    }
}
