import XenCore
import XenRing

#if LibXen
    import CRing
#endif

/// ring-1t: push a batch, serve it and reap it, in one thread, through a ring of one page (32 slots).
func singleThreadContests() -> [Contest] {
    [1, 8, 32].map { batch in
        Contest(
            name: "ring-1t", caseName: "batch \(batch)", bar: 1.0,
            ours: { total in
                try withRingMemory { try carry(total, batch: batch, through: $0) }
            },
            peerName: "C (ring.h)", peer: singleThreadTwin(batch: batch))
    }
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

private func singleThreadTwin(batch: UInt64) -> Contest.Carrier? {
    #if LibXen
        { total in
            withRingMemory { memory in
                unsafe cring_twin_single_thread(
                    memory.baseAddress, memory.byteCount, batch, total)
            }
        }
    #else
        nil
    #endif
}
