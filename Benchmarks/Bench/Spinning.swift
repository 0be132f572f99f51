import Synchronization
import XenCore
import XenRing
import XenSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

#if LibXen
    import CRing
#endif

/// ring-spin: a front and a back in a thread each that spin and do not sleep, through a ring of one page.
func spinningContests() -> [Contest] {
    [1, 8, 32].map { batch in
        Contest(
            name: "ring-spin", caseName: "batch \(batch)", bar: 1.0,
            ours: { total in
                try withRingMemory { memory in
                    var front = FrontRing<BlockRequest, BlockResponse>(initializing: memory)
                    return try beside({ try serve(total, through: memory) }) {
                        try request(total, batch: batch, through: &front)
                    }
                }
            },
            peerName: "C (ring.h)", peer: spinningTwin(batch: batch))
    }
}

private func request(
    _ total: UInt64, batch: UInt64, through front: inout FrontRing<BlockRequest, BlockResponse>
) throws(RingError) -> UInt64 {
    var request = BlockRequest()
    var (sum, sent, received): (UInt64, UInt64, UInt64) = (0, 0, 0)
    var patience = Patience()
    while received < total {
        let start = sent
        while sent &- start < batch, sent < total {
            request.id = sent
            request.sector = 8 &* sent
            guard front.push(request) else { break }
            sent &+= 1
        }
        // Nobody sleeps, so nobody has to be notified; the rule is applied all the same, as in use.
        if sent != start { _ = front.publish() }
        let reaped = try front.drain { sum &+= $0.id &+ UInt64($0.operation) }
        received &+= UInt64(reaped)
        patience.spent(hasWorked: sent != start || reaped != 0)
    }
    return sum
}

private func serve(_ total: UInt64, through memory: SharedMemory) throws(RingError) -> UInt64 {
    var back = BackRing<BlockRequest, BlockResponse>(attachingTo: memory)
    var (sum, served): (UInt64, UInt64) = (0, 0)
    var patience = Patience()
    while served < total {
        let before = served
        _ = try back.serve { request in
            served &+= 1
            sum &+= request.sector &+ UInt64(request.segments[10].reference)
            return BlockResponse(id: request.id, operation: request.operation)
        }
        patience.spent(hasWorked: served != before)
    }
    return sum
}

/// Spins for a while after looks in vain, then lets another thread have the processor, as the C twin does.
private struct Patience {
    private var idle = 0

    mutating func spent(hasWorked: Bool) {
        idle = hasWorked ? 0 : idle &+ 1
        guard idle == 1000 else { return }
        sched_yield()
        idle = 0
    }
}

private func spinningTwin(batch: UInt64) -> Contest.Carrier? {
    #if LibXen
        { total in
            try withRingMemory { memory in
                unsafe cring_twin_init(memory.baseAddress, memory.byteCount)
                return try beside({
                    unsafe cring_twin_spinning_back(memory.baseAddress, memory.byteCount, total)
                }) {
                    unsafe cring_twin_spinning_front(
                        memory.baseAddress, memory.byteCount, batch, total)
                }
            }
        }
    #else
        nil
    #endif
}

/// Runs `back` in a thread of its own while `front` runs in this one, and adds up what both read.
private func beside(
    _ back: @escaping @Sendable () throws -> UInt64, front: () throws -> UInt64
) throws -> UInt64 {
    let outcome = Outcome()
    let thread = try PlatformThread {
        let result = Result { try back() }
        outcome.result.withLock { $0 = result }
    }
    let sum = try front()
    thread.join()
    return sum &+ (try outcome.result.withLock { try $0?.get() } ?? 0)
}

private final class Outcome: Sendable {
    let result = Mutex<Result<UInt64, any Error>?>(nil)
}
