import XenCore
import XenRing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

#if LibXen
    import CRing
#endif

extension Row {
    static var roundTrip: Row {
        Row(
            name: "ring-qd1",
            summary:
                "a round trip with one request in flight, both ends spinning; pipe and eventfd sleep",
            contests: { Housing.allCases.map(roundTripContest) })
    }
}

extension Part {
    static var answers: Part {
        Part(name: "answers") { try answer($1, through: $0.memory) }
    }

    #if LibXen
        static var answersTwin: Part {
            Part(name: "answers-twin") { props, total in
                unsafe cring_twin_answers(props.memory.baseAddress, props.memory.byteCount, total)
            }
        }
    #endif
}

private func roundTripContest(_ housing: Housing) -> Contest {
    Contest(
        name: housing.rawValue, measure: .time(per: "round trip"),
        ours: Contender { total in
            try play(opposite: .answers, in: housing, total) { props, raise in
                var front = FrontRing<BlockRequest, BlockResponse>(initializing: props.memory)
                try raise()
                return try ask(total, through: &front)
            }
        },
        peers: [.pingPong(bar: 2.5)] + twins(housing) + sleepingContenders(housing))
}

private func ask(
    _ total: UInt64, through front: inout FrontRing<BlockRequest, BlockResponse>
) throws(RingError) -> UInt64 {
    var request = BlockRequest()
    var sum: UInt64 = 0
    for number in 0..<total {
        request.id = number
        request.sector = 8 &* number
        _ = front.push(request)
        // Nobody sleeps, so nobody has to be notified; the rule is applied all the same, as in use.
        _ = front.publish()
        while true {
            if let response = try front.next(looking: 1000) {
                sum &+= response.id &+ UInt64(response.operation)
                break
            }
            sched_yield()
        }
    }
    return sum
}

private func answer(_ total: UInt64, through memory: SharedMemory) throws(RingError) -> UInt64 {
    var back = BackRing<BlockRequest, BlockResponse>(attachingTo: memory)
    var sum: UInt64 = 0
    for _ in 0..<total {
        while true {
            if let request = try back.next(looking: 1000) {
                sum &+= request.sector &+ UInt64(request.segments[10].reference)
                back.push(BlockResponse(id: request.id, operation: request.operation))
                break
            }
            sched_yield()
        }
        _ = back.publish()
    }
    return sum
}

private func twins(_ housing: Housing) -> [Contender] {
    #if LibXen
        [
            Contender(name: "C (ring.h)", bar: .atMost(1)) { total in
                try play(opposite: .answersTwin, in: housing, total) { props, raise in
                    let memory = props.memory
                    unsafe cring_twin_init(memory.baseAddress, memory.byteCount)
                    try raise()
                    return unsafe cring_twin_round_trips(
                        memory.baseAddress, memory.byteCount, total)
                }
            }
        ]
    #else
        []
    #endif
}
