import Testing
import XenRing

/// Byte rings of one to four bytes, and every order of events: the ring's own code, stopped at each access to
/// shared memory. Ports forget what rings while they are masked.
@Suite struct ByteInterleavingTests {
    struct Case: CustomTestStringConvertible {
        let capacity: UInt32
        let total: UInt32
        let start: UInt32
        let peerWaits: ByteRing.PeerWaits
        let ending: Ending
        var testDescription: String {
            "\(capacity) bytes, \(total) sent from \(start), \(peerWaits), ended: \(ending)"
        }
    }

    static let cases =
        Ending.allCases.flatMap { ending in
            [ByteRing.PeerWaits.forAny, .forEnough].flatMap { peerWaits in
                [(1, 3, 0), (2, 3, UInt32.max - 1)].map { capacity, total, start in
                    Case(
                        capacity: capacity, total: total, start: start, peerWaits: peerWaits,
                        ending: ending)
                }
            }
        } + [
            Case(capacity: 2, total: 5, start: 0, peerWaits: .forAny, ending: .never),
            Case(capacity: 4, total: 5, start: .max - 2, peerWaits: .forAny, ending: .byWriter),
        ]

    @Test(arguments: cases)
    func nobodySleepsForEverAndNoByteIsLost(_ example: Case) throws {
        let explorer = ByteExplorer(
            .init(
                capacity: example.capacity, total: example.total, start: example.start,
                peerWaits: example.peerWaits, ending: example.ending))
        let interleavings = try explorer.run()
        print("\(example.testDescription): \(explorer.stateCount) states, \(interleavings) orders")
        #expect(explorer.lostWakeUps == 0)
        #expect(explorer.lostBytes == 0)
        #expect(explorer.wrongBytes == 0)
        #expect(explorer.stateCount > 5000)
    }

    /// A peer that waits for two bytes, or for room for two, sleeps beside one: it has to be notified of each.
    /// Both at a time in a ring of two would wait for each other, notified or not.
    @Test(arguments: [(2, 1), (1, 2)] as [(UInt32, Int)])
    func aPeerThatWaitsForEnoughIsNotifiedOfAll(bytes: UInt32, room: Int) throws {
        var setting = ByteExplorer.Setting(
            capacity: 2, total: 3, peerWaits: .forEnough, wantedBytes: bytes, wantedRoom: room)
        let notified = ByteExplorer(setting)
        _ = try notified.run()
        #expect(notified.lostWakeUps == 0)
        setting.peerWaits = .forAny
        let forgotten = ByteExplorer(setting)
        _ = try forgotten.run()
        #expect(forgotten.lostWakeUps > 0)
    }
}
