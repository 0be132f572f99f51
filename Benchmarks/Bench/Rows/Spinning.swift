import XenCore
import XenRing

#if LibXen
    import CRing
#endif

extension Row {
    static var spinning: Row {
        Row(
            name: "ring-spin",
            summary:
                "a front and a back, each in a thread or a process that spins and does not sleep; "
                + "32 slots",
            contests: {
                Housing.allCases.flatMap { housing in
                    [1, 8, 32].map { spinningContest(batch: $0, housing) }
                }
            })
    }
}

extension Part {
    static var spinningBack: Part {
        Part(name: "spinning-back") { try serve($1, through: $0.memory) }
    }

    #if LibXen
        static var spinningTwin: Part {
            Part(name: "spinning-twin") { props, total in
                unsafe cring_twin_spinning_back(
                    props.memory.baseAddress, props.memory.byteCount, total)
            }
        }
    #endif
}

private func spinningContest(batch: UInt64, _ housing: Housing) -> Contest {
    Contest(
        name: "\(housing.rawValue), batch \(batch)",
        ours: Contender { total in
            try play(opposite: .spinningBack, in: housing, total) { props, raise in
                var front = FrontRing<BlockRequest, BlockResponse>(initializing: props.memory)
                try raise()
                return try request(total, batch: batch, through: &front)
            }
        },
        peers: spinningTwin(batch: batch, housing))
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

private func spinningTwin(batch: UInt64, _ housing: Housing) -> [Contender] {
    #if LibXen
        [
            Contender(name: "C (ring.h)", bar: .atMost(1)) { total in
                try play(opposite: .spinningTwin, in: housing, total) { props, raise in
                    let memory = props.memory
                    unsafe cring_twin_init(memory.baseAddress, memory.byteCount)
                    try raise()
                    return unsafe cring_twin_spinning_front(
                        memory.baseAddress, memory.byteCount, batch, total)
                }
            }
        ]
    #else
        []
    #endif
}
