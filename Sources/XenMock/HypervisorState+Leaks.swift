import XenCore
import XenGrant

extension HypervisorState {
    func leaks() -> [MockLeak] {
        let shares = self.shares.sorted { $0.key < $1.key }.map { _, share in
            MockLeak(
                kind: share.frames == nil
                    ? .quarantinedShare(share.references) : .share(share.references),
                domain: share.domain, process: share.processName, peers: [share.peer],
                since: share.since)
        }
        let mappings = self.mappings.sorted { $0.key < $1.key }.compactMap { _, mapping in
            processes[mapping.process].map {
                MockLeak(
                    kind: .mapping(mapping.pages), domain: $0.domain, process: $0.name,
                    peers: Set(mapping.pages.map(\.domain)).sorted(), since: mapping.since)
            }
        }
        return domains.keys.sorted().flatMap { domain in
            (shares + mappings).filter { $0.domain == domain } + portLeaks(of: domain)
        }
    }

    private func portLeaks(of id: DomainID) -> [MockLeak] {
        let ports = domains[id]?.ports.sorted { $0.key < $1.key } ?? []
        return ports.map { port, state in
            let kind: MockLeak.Kind =
                if case .virtual(let interrupt) = state.binding {
                    .virtualInterrupt(port, interrupt)
                } else {
                    .port(port)
                }
            return MockLeak(
                kind: kind, domain: id,
                process: state.owner.flatMap { processes[$0.process]?.name }
                    ?? "(closed, kept for an unmap notification)",
                peers: state.peer.map { [$0] } ?? [], since: state.since)
        }
    }
}
