import XenRing

// Many rings, one loop: the right half serves them by a `RingScheduler`, and one front never notifies.
extension RingConformance {
    private static let ringCount = 5
    /// The front that never notifies.
    private static let muteNumber = 3
    /// The requests of each front, of which a batch comes only when the one before is answered.
    private static let total = 40
    private static let batch = 10

    static let scheduling = [
        RingCheck(
            "of \(ringCount) rings served by credit none starves, not even the one whose front never notifies",
            left: { half in
                let fronts = try (0..<ringCount).map { number in
                    try ScheduledFront(half, isMute: number == muteNumber, total, batch)
                }
                for front in fronts { try front.announce() }
                try half.meet("the server's first look at all rings")
                for front in fronts { try front.goOn() }
                while !fronts.allSatisfy(\.isDone) {
                    let port = try half.nextRing("waiting for answers")
                    for front in fronts where front.port == port { try front.goOn() }
                }
                try half.meet("the server's end")
                for front in fronts {
                    try expectQuiet(
                        front.bytes, slotByteCount: 16, slotCount: front.capacity,
                        end: RingIndex(UInt32(total)))
                    try front.close()
                }
            },
            right: { half in
                let server = try ScheduledServer(half, ringCount: ringCount)
                try server.settle()
                try half.meet("the fronts' begin")
                try server.serve(until: ringCount * total)
                try expect("events of the mute ring", server.eventCounts[muteNumber], is: 0)
                try expect(
                    server.lazyRings.contains(muteNumber),
                    "ring \(muteNumber) never notified, but only \(server.lazyRings) were found so")
                try half.meet("the fronts' end")
                try server.close()
            })
    ]
}
