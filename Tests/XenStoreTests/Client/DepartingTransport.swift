import Synchronization
import Testing
import XenCore
import XenStoreWire
import XenSystem

/// A client's end of a connection, at whose writes a test does what its server does at that moment.
final class DepartingTransport: ByteTransport {
    enum Moment: Sendable { case before, after }

    private struct Plan: Sendable {
        let moment: Moment
        let action: @Sendable () throws -> Void
    }

    private let near: SocketTransport
    private let plan = Mutex<Plan?>(nil)
    /// Whether what the server has sent is still on its way.
    private let isHeld = Mutex(false)

    private init(_ near: SocketTransport) { self.near = near }

    static func pair() throws -> (DepartingTransport, ScriptedServer) {
        let (near, far) = try ScriptedServer.pair()
        return (DepartingTransport(near), far)
    }

    func atNextWrite(_ moment: Moment, _ action: @escaping @Sendable () throws -> Void) {
        plan.withLock { $0 = Plan(moment: moment, action: action) }
    }

    var payloadByteCountLimit: Int { near.payloadByteCountLimit }
    var isKernelDevice: Bool { false }

    func read(into buffer: inout [UInt8]) throws(StoreError) -> Int? {
        guard !isHeld.withLock({ $0 }) else { return nil }
        return try near.read(into: &buffer)
    }

    func write(_ bytes: [UInt8], from offset: Int) throws(StoreError) -> Int {
        let plan = plan.withLock { $0.take() }
        isHeld.withLock { $0 = true }
        defer { isHeld.withLock { $0 = false } }
        if plan?.moment == .before { carryOut(plan) }
        let count = try near.write(bytes, from: offset)
        if plan?.moment == .after { carryOut(plan) }
        return count
    }

    private func carryOut(_ plan: Plan?) {
        do { try plan?.action() } catch { Issue.record("\(error)") }
    }

    func wait(forWriting: Bool, until deadline: Deadline) throws(StoreError) {
        try near.wait(forWriting: forWriting, until: deadline)
    }

    func wake() { near.wake() }
    func close() { near.close() }
}
