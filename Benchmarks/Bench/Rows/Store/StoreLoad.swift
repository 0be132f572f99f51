import CStoreLoad
import XenSystem

/// Connections to a server, and the work that they have it do. What they cost is C's, and the same for every server.
@safe
final class StoreLoad {
    /// Invariant: this object's alone, from its making to its end.
    private let crowd: OpaquePointer
    private let placement: Placement

    init(_ server: StoreProcess, connections: Int = 1) throws {
        // Safe: the path is copied.
        guard let crowd = unsafe cstore_connect(server.socket, Int32(connections)) else {
            throw SystemFailure("connect")
        }
        unsafe self.crowd = crowd
        placement = server.placement
    }

    deinit { unsafe cstore_disconnect(crowd) }

    /// Does `count` items of the plan, placed as the server is. Throws `StoreLoadFailure`.
    @discardableResult
    func run(_ plan: cstore_plan, _ count: UInt64) throws -> cstore_result {
        var result = cstore_result()
        // Safe: the crowd is this object's, and the result is filled within the call.
        let failure = unsafe placement.during {
            unsafe cstore_run(crowd, plan, count, &result)
        }
        try unsafe StoreLoadFailure.check(failure)
        return result
    }

    /// Does `count` writes, and waits for the event of each on `watcher`, which watches /bench.
    func runEvents(_ count: UInt64, at watcher: StoreLoad) throws -> cstore_result {
        var result = cstore_result()
        // Safe: as above.
        let failure = unsafe placement.during {
            unsafe cstore_run_events(crowd, watcher.crowd, count, &result)
        }
        try unsafe StoreLoadFailure.check(failure)
        return result
    }
}

/// The server did not do what it was asked for.
struct StoreLoadFailure: Error, CustomStringConvertible {
    let description: String

    /// Throws where a C function says what went wrong.
    static func check(_ failure: UnsafePointer<CChar>?) throws {
        // Safe: a constant text.
        if let failure = unsafe failure {
            throw unsafe StoreLoadFailure(description: String(cString: failure))
        }
    }
}

extension cstore_plan {
    init(_ work: cstore_work, inFlight: UInt32 = 1, nodes: UInt32 = 1000) {
        self.init(work: work, in_flight: inFlight, node_count: nodes, is_timed: 0)
    }
}

extension StoreProcess {
    /// Makes the nodes that loads read, or those that are still missing: 10 in /list, `count` in /bench.
    func fill(_ count: UInt32 = 1000) throws {
        let load = try StoreLoad(self)
        try load.run(cstore_plan(CSTORE_MAKE_LIST), 10)
        try load.run(cstore_plan(CSTORE_WRITE, inFlight: 32, nodes: count), UInt64(count))
    }
}
