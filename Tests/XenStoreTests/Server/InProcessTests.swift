import Testing
import XenCore
import XenStoreClient
import XenStoreServer

@Suite(.timeLimit(.minutes(1))) struct InProcessTests {
    @Test func aToolstackABackendAndAFrontendMeet() async throws {
        let server = try StoreServer()
        let toolstack = try server.client(0)
        let guest = try server.client(3)
        try await toolstack.write("/local/domain/3/domid", "3")
        try await toolstack.setPermissions("/local/domain/3", [.init(.none, for: DomainID(3))])
        try await toolstack.setPermissions(
            "/local/domain/3/domid", [.init(.none, for: .dom0), .init(.read, for: DomainID(3))])
        try await toolstack.makeDirectory("/local/domain/3/device/vbd/51712")
        try await toolstack.setPermissions(
            "/local/domain/3/device/vbd/51712",
            [.init(.none, for: DomainID(3)), .init(.read, for: .dom0)])
        #expect(try await guest.domainID() == DomainID(3))

        let watch = try await toolstack.watch("/local/domain/3/device/vbd/51712/state")
        #expect(try await watch.next() == .changed(watch.path))
        try await guest.withTransaction { store throws(StoreError) in
            try await store.write("device/vbd/51712/ring-ref", "8")
            try await store.write("device/vbd/51712/state", "3")
        }
        #expect(try await watch.next() == .changed(watch.path))
        #expect(try await toolstack.readString(watch.path) == "3")
        #expect(
            try await toolstack.directory("/local/domain/3/device/vbd/51712") == [
                "ring-ref", "state",
            ])
        server.stop()
        await #expect(throws: StoreError.self) { _ = try await watch.next() }
    }
}
