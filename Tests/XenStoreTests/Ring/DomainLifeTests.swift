import Testing
import XenCore
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
