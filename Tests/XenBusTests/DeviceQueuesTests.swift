import Testing
import XenBus
import XenCore

@Suite("A device's queues")
struct DeviceQueuesTests {
    static let limits = QueueLimits(queueCount: 4, pageOrder: 2)

    private func queues(
        _ count: Int, _ shape: QueueShape, order: Int = 0
    ) -> DeviceQueues {
        var number: UInt32 = 8
        func next() -> UInt32 {
            number += 1
            return number
        }
        let queues = (0..<count).map { _ in
            DeviceQueues.Queue(
                rings: shape.rings.map { _ in
                    (0..<1 << order).map { _ in GrantReference(next()) }
                },
                ports: shape.ports.map { _ in EventPort(next()) })
        }
        return DeviceQueues(queues, shape: shape, pageOrder: order)
    }

    @Test("are published as blkif.h and netif.h say")
    func published() {
        #expect(
            queues(1, .block).published == ["ring-ref": "9", "event-channel": "10"])
        #expect(
            queues(1, .block, order: 1).published == [
                "ring-page-order": "1", "ring-ref0": "9", "ring-ref1": "10",
                "event-channel": "11",
            ])
        #expect(
            queues(2, .block, order: 1).published == [
                "multi-queue-num-queues": "2", "ring-page-order": "1",
                "queue-0/ring-ref0": "9", "queue-0/ring-ref1": "10",
                "queue-0/event-channel": "11", "queue-1/ring-ref0": "12",
                "queue-1/ring-ref1": "13", "queue-1/event-channel": "14",
            ])
        #expect(
            queues(2, .splitNetwork).published == [
                "multi-queue-num-queues": "2", "queue-0/tx-ring-ref": "9",
                "queue-0/rx-ring-ref": "10", "queue-0/event-channel-tx": "11",
                "queue-0/event-channel-rx": "12", "queue-1/tx-ring-ref": "13",
                "queue-1/rx-ring-ref": "14", "queue-1/event-channel-tx": "15",
                "queue-1/event-channel-rx": "16",
            ])
    }

    @Test("are read as they were published", arguments: 1...4, 0...2)
    func readBack(count: Int, order: Int) throws {
        for shape in [QueueShape.block, .network, .splitNetwork] where order == 0 || shape == .block
        {
            let queues = queues(count, shape, order: order)
            let published = queues.published
            let read = try DeviceQueues(published: published, shape: shape, within: Self.limits)
            #expect(read == queues)
            let keys = DeviceQueues.keys(shape: shape, within: Self.limits)
            #expect(Set(published.keys).isSubset(of: keys) && Set(keys).count == keys.count)
            for key in published.keys where !["multi-queue-num-queues"].contains(key) {
                var lacking = published
                lacking[key] = nil
                expectBadPeer(lacking, shape)
            }
        }
    }

    /// A frontend that spells out what is the default.
    @Test("of one page and one queue are read however they are spelt")
    func spellings() throws {
        let plain = try DeviceQueues(
            published: ["ring-ref": "9", "event-channel": "10"], shape: .block, within: .one)
        for page in ["ring-ref", "ring-ref0"] {
            let published = [
                "multi-queue-num-queues": "1", "ring-page-order": "0", page: "9",
                "event-channel": "10",
            ]
            #expect(
                try DeviceQueues(published: published, shape: .block, within: .one) == plain)
        }
    }

    @Test(
        "XSA-38, XSA-86: numbers that cannot be are the peer's fault",
        arguments: [
            ("multi-queue-num-queues", "0"), ("multi-queue-num-queues", "5"),
            ("multi-queue-num-queues", "4294967295"), ("multi-queue-num-queues", "4294967296"),
            ("multi-queue-num-queues", "-1"), ("multi-queue-num-queues", "+2"),
            ("multi-queue-num-queues", ""), ("multi-queue-num-queues", "two"),
            ("ring-page-order", "3"), ("ring-page-order", "31"), ("ring-page-order", "63"),
            ("ring-page-order", "64"), ("ring-page-order", "4294967295"),
            ("ring-page-order", "-1"), ("ring-page-order", " 1"), ("ring-page-order", "0x1"),
            ("queue-1/ring-ref0", "4294967296"), ("queue-1/ring-ref0", "9"),
            ("queue-1/event-channel", "11"), ("queue-1/event-channel", "x"),
        ])
    func impossible(key: String, value: String) {
        var published = queues(2, .block, order: 1).published
        published[key] = value
        expectBadPeer(published, .block)
    }

    @Test("of a backend are no more than both ends can do")
    func limits() throws {
        let own = Self.limits
        func meet(_ published: [String: String]) throws -> QueueLimits {
            try QueueLimits(published: published, within: own)
        }
        #expect(try meet([:]) == .one)
        #expect(try meet(own.published) == own)
        #expect(
            try meet(["multi-queue-max-queues": "4294967295", "max-ring-page-order": "99"]) == own)
        #expect(
            try meet(["multi-queue-max-queues": "2"])
                == QueueLimits(queueCount: 2, pageOrder: 0))
        for text in ["0", "", "-1", "x", "99999999999"] {
            let error = #expect(throws: BusError.self) {
                try meet(["multi-queue-max-queues": text])
            }
            #expect(error?.code == .badPeer)
        }
    }

    private func expectBadPeer(_ published: [String: String], _ shape: QueueShape) {
        let error = #expect(throws: BusError.self, "\(published)") {
            try DeviceQueues(published: published, shape: shape, within: Self.limits)
        }
        #expect(error?.code == .badPeer)
    }
}
