import XenCore
import XenRing

#if LibXen
    import CRing
#endif

extension Row {
    static var singleThread: Row {
        Row(
            name: "ring-1t",
            summary: "one thread pushes requests, serves them and takes the responses; 32 slots, "
                + "messages of 112 and 16 bytes as blkif's",
            contests: { [1, 8, 32].map(singleThreadContest) })
    }
}

private func singleThreadContest(batch: UInt64) -> Contest {
    Contest(
        name: "batch \(batch)",
        ours: Contender { total in
            Outcome(
                sum: try withRingMemory { try carry(total, batch: batch, through: $0) })
        },
        peers: singleThreadTwin(batch: batch))
}

private func carry(
    _ total: UInt64, batch: UInt64, through memory: SharedMemory
) throws(RingError) -> UInt64 {
    var front = FrontRing<BlockRequest, BlockResponse>(initializing: memory)
    var back = BackRing<BlockRequest, BlockResponse>(attachingTo: memory)
    var request = BlockRequest()
    var (sum, sent): (UInt64, UInt64) = (0, 0)
    while sent < total {
        for _ in 0..<batch {
            request.id = sent
            request.sector = 8 &* sent
            guard front.push(request) else { break }
            sent &+= 1
        }
        if front.publish() == .required { sum &+= 1 }
        let notification = try back.serve { request in
            sum &+= request.sector &+ UInt64(request.segments[10].reference)
            return BlockResponse(id: request.id, operation: request.operation)
        }
        if notification == .required { sum &+= 1 }
        try front.drain { sum &+= $0.id &+ UInt64($0.operation) }
    }
    return sum
}

private func singleThreadTwin(batch: UInt64) -> [Contender] {
    #if LibXen
        [
            Contender(name: "C (ring.h)", bar: .atMost(1)) { total in
                withRingMemory { memory in
                    Outcome(
                        sum: unsafe cring_twin_single_thread(
                            memory.baseAddress, memory.byteCount, batch, total))
                }
            }
        ]
    #else
        []
    #endif
}
