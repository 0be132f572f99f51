import Testing
import XenStoreWire

@testable import XenStoreClient

/// Where a client looks for a server, in libxenstore's order.
@Suite struct StoreLocationTests {
    private static let (path, rundir) = ("XENSTORED_PATH", "XENSTORED_RUNDIR")
    private static let (socket, own) = ("/var/run/xenstored/socket", "/own/socket")
    private static let (device, old) = ("/dev/xen/xenbus", "/proc/xen/xenbus")

    struct Place: Sendable {
        var environment: [String: String] = [:]
        /// What there is, and what of it cannot be connected to.
        var existing: Set<String>
        var dead: Set<String> = []
        /// What is tried, in order.
        let tried: [String]
    }

    static let table = [
        Place(existing: [], tried: []),
        Place(existing: [socket, device, old], tried: [socket]),
        Place(existing: [device, old], tried: [device]),
        Place(existing: [old], tried: [old]),
        Place(existing: [own], tried: []),
        Place(environment: [rundir: "/own"], existing: [own, socket, device, old], tried: [own]),
        Place(environment: [rundir: "/own"], existing: [socket, device, old], tried: [device]),
        Place(environment: [rundir: "/own"], existing: [socket], tried: []),
        // A dead daemon's socket.
        Place(existing: [socket, device, old], dead: [socket], tried: [socket, device]),
        Place(existing: [socket, old], dead: [socket], tried: [socket, old]),
        Place(existing: [socket, device], dead: [socket, device], tried: [socket, device]),
        Place(existing: [socket], dead: [socket], tried: [socket]),
        // Named, it is taken whether it is there or not, and nothing else is.
        Place(
            environment: [path: "/named"], existing: [own, socket, device, old],
            tried: ["/named"]),
        Place(environment: [path: "/named", rundir: "/own"], existing: [own], tried: ["/named"]),
        Place(
            environment: [path: "/named"], existing: [socket], dead: ["/named"],
            tried: ["/named"]),
        Place(environment: [path: ""], existing: [socket], tried: [""]),
    ]

    @Test(arguments: table.indices) func theFirstThatTakesTheConnectionIsTaken(index: Int) {
        let place = Self.table[index]
        var tried: [String] = []
        do throws(StoreError) {
            let taken = try StoreLocation.connect(
                environment: { place.environment[$0] }, exists: { place.existing.contains($0) }
            ) { path throws(StoreError) in
                tried.append(path)
                if place.dead.contains(path) { throw StoreError(.unavailable, path) }
                return path
            }
            #expect(taken == place.tried.last)
        } catch {
            #expect(error.code == .unavailable)
            #expect(place.tried.allSatisfy { place.dead.contains($0) })
            if let first = place.tried.first {
                #expect(error.message == first)
            } else {
                let socket = place.environment[Self.rundir] == nil ? Self.socket : Self.own
                for candidate in [socket, Self.device, Self.old] {
                    #expect(error.message.contains(candidate))
                }
            }
        }
        #expect(tried == place.tried)
    }
}
