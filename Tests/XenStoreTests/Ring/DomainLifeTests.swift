import Synchronization
import Testing
import XenCore
import XenDomain
import XenMock
import XenStoreClient
import XenStoreServer
import XenStoreWire

/// Domains that end without a word to the store: the hypervisor's interrupt has it look.
@Suite(.timeLimit(.minutes(1))) struct DomainLifeTests {
    @Test func aDomainThatDiesIsForgotten() async throws {
        let stage = try RingStage()
        let toolstack = try stage.server.client(0)
        let guest = try stage.attachedGuest()
        let other = try stage.attachedGuest(4)
        try await toolstack.write("/of3", "x")
        try await toolstack.setPermissions("/of3", [.init(.none, for: guest.domain)])
        let watch = try await toolstack.watch("@releaseDomain")
        _ = try await watch.next()
        stage.hypervisor.destroy(guest.mock)
        _ = try await watch.next()
        #expect(try await toolstack.exists("/of3") == false)
        #expect(stage.server.connections.filter(\.isRing).map(\.domain) == [other.domain])
        // Whoever gets its id is another.
        let heir = try stage.attachedGuest()
        try heir.send(.read, "/of3\0")
        #expect(try heir.nextPacket().operation == .error)
        toolstack.close()
        try stage.end(other, heir)
    }

    @Test func aDomainThatShutsDownIsToldOfOnceAndKept() async throws {
        let stage = try RingStage()
        let toolstack = try stage.server.client(0)
        let guest = try stage.attachedGuest()
        let watch = try await toolstack.watch("@releaseDomain")
        _ = try await watch.next()
        stage.hypervisor.shutDown(guest.mock)
        _ = try await watch.next()
        stage.hypervisor.shutDown(guest.mock)
        #expect(try await toolstack.isIntroduced(guest.domain))
        stage.hypervisor.destroy(guest.mock)
        // Not for the second shutdown.
        _ = try await watch.next()
        #expect(try await toolstack.isIntroduced(guest.domain) == false)
        toolstack.close()
        try stage.end()
    }

    /// Nobody tells of it again.
    @Test func aDomainThatCouldNotBeAskedAboutIsAskedAgain() async throws {
        let hypervisor = MockHypervisor()
        let domains = ForgetfulDomains(hypervisor.domains)
        let stage = try RingStage(on: hypervisor, domains: domains)
        let toolstack = try stage.server.client(0)
        let guest = try stage.attachedGuest()
        let other = try stage.attachedGuest(4)
        let watch = try await toolstack.watch("@releaseDomain")
        _ = try await watch.next()
        domains.fail(times: 2)
        stage.hypervisor.destroy(other.mock)
        _ = try await watch.next()
        #expect(stage.notices.hears { if case .domainsUnknown = $0 { true } else { false } })
        #expect(stage.server.connections.filter(\.isRing).map(\.domain) == [guest.domain])
        toolstack.close()
        try stage.end(guest)
    }

    /// It has no ring, and Xen is not asked about it.
    @Test func aDomainOfThisProcessStays() async throws {
        let stage = try RingStage()
        let guest = try stage.attachedGuest()
        let toolstack = try stage.server.client(0)
        let watch = try await toolstack.watch("@releaseDomain")
        _ = try await watch.next()
        let own = try stage.server.client(9000)
        stage.hypervisor.destroy(guest.mock)
        _ = try await watch.next()
        #expect(try await own.domainPath(DomainID(9000)) == "/local/domain/9000")
        #expect(try await toolstack.isIntroduced(DomainID(9000)))
        own.close()
        toolstack.close()
        try stage.end()
    }

    /// It may have the same number.
    @Test func whatWasPreparedForADomainThatNeverCameIsNotForTheNext() async throws {
        let stage = try RingStage()
        let toolstack = try stage.server.client(0)
        let id = DomainID(9)
        try await toolstack.setFeatures(of: id, to: [.error])
        _ = await #expect(throws: StoreError.self) {
            try await toolstack.introduce(id, frame: 1, port: EventPort(1))
        }
        let guest = try stage.attachedGuest(9)
        #expect(guest.page.features == [.reconnection, .error, .watchDepth, .anyDomain])
        toolstack.close()
        try stage.end(guest)
    }

    @Test func aDomainThatDoesNotLiveIsNotIntroduced() async throws {
        let stage = try RingStage()
        let toolstack = try stage.server.client(0)
        let error = try await #require(throws: StoreError.self) {
            try await toolstack.introduce(DomainID(9), frame: 1, port: EventPort(1))
        }
        #expect(error.name == .noEntry)
        #expect(stage.notices.hears { "\($0)".contains("there is no such domain") })
        toolstack.close()
        try stage.end()
    }
}

/// Answers as the mock hypervisor does, but for some times.
private final class ForgetfulDomains: DomainBackend {
    private let domains: any DomainBackend
    private let failureCount = Mutex(0)

    init(_ domains: any DomainBackend) { self.domains = domains }

    func fail(times count: Int) { failureCount.withLock { $0 = count } }

    func status(of domain: DomainID) throws(DomainError) -> DomainStatus? {
        let fails = failureCount.withLock { count in
            defer { count = max(0, count - 1) }
            return count > 0
        }
        if fails { throw DomainError(.refused, "it does not answer now") }
        return try domains.status(of: domain)
    }
}
