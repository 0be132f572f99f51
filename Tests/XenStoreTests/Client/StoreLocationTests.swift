import Testing
import XenStoreWire

@testable import XenStoreClient

/// Where a client looks for a server, in libxenstore's order.
@Suite struct StoreLocationTests {
    private static let (path, rundir) = ("XENSTORED_PATH", "XENSTORED_RUNDIR")
    private static let (socket, own) = ("/var/run/xenstored/socket", "/own/socket")
    private static let (device, old) = ("/dev/xen/xenbus", "/proc/xen/xenbus")

    /// The environment, what there is, and what is taken; nil for nothing.
    static let table: [(environment: [String: String], existing: Set<String>, found: String?)] = [
        ([:], [], nil),
        ([:], [socket, device, old], socket),
        ([:], [device, old], device),
        ([:], [old], old),
        ([:], [own], nil),
        ([rundir: "/own"], [own, socket, device, old], own),
        ([rundir: "/own"], [socket, device, old], device),
        ([rundir: "/own"], [socket], nil),
        // Named, it is taken whether it is there or not, and nothing else is.
        ([path: "/named"], [own, socket, device, old], "/named"),
        ([path: "/named", rundir: "/own"], [own], "/named"),
        ([path: ""], [socket], ""),
    ]

    @Test(arguments: table.indices) func theFirstThatIsThereIsTaken(index: Int) throws {
        let (environment, existing, found) = Self.table[index]
        do throws(StoreError) {
            let place = try StoreLocation.find(
                environment: { environment[$0] }, exists: { existing.contains($0) })
            #expect(place == found)
        } catch {
            #expect(found == nil && error.code == .unavailable)
            let socket = environment[Self.rundir] == nil ? Self.socket : Self.own
            for tried in [socket, Self.device, Self.old] {
                #expect(error.message.contains(tried))
            }
        }
    }
}
