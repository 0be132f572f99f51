import Testing
import XenBus
import XenCore
import XenEvtchn
import XenGrant
import XenMock
import XenRing

/// A device with four queues between two domains, by what its frontend publishes alone.
@Suite("Four queues over the mock")
struct QueuesOverMockTests {
    struct Message: RingMessage {
        static let byteCount = 16
        var id: UInt64
        var value: UInt64
    }

    private static let limits = QueueLimits(queueCount: 4, pageOrder: 1)
    private static let guest = DomainID(3)

    /// The frontend's end of one queue.
    private final class FrontQueue {
        private let share: GrantShare
        private let channel: EventChannel
        private var ring: FrontRing<Message, Message>
        private var table: RequestTable<Message, UInt64, UInt64>
        private(set) var answers: [UInt64] = []

        init(_ process: MockProcess) throws {
            share = try GrantTable(process.grants).share(
                pageCount: 1 << limits.pageOrder, with: .dom0)
            channel = try EventChannels(process.events).bindUnbound(for: .dom0)
            // Safe: the share lives as long as the ring, both in this object.
            ring = unsafe FrontRing(initializing: share.memory)
            table = RequestTable(capacity: ring.capacity, epoch: Epoch(rawValue: 1))
        }

        var published: DeviceQueues.Queue {
            DeviceQueues.Queue(rings: [share.references], ports: [channel.port])
        }

        /// Nil when it is full.
        var load: Int? { table.freeCount > 0 ? table.waitingCount : nil }

        func send(_ value: UInt64) throws {
            let request = table.issue(value) { id, _ in Message(id: id, value: value) }
            let wasPushed = ring.push(try #require(request))
            #expect(wasPushed)
            if ring.publish() == .required { try channel.notify() }
        }

        func takeAnswers() throws {
            while let response = try ring.next() {
                guard case .answered(let request) = table.match(response.id) else {
                    Issue.record("an answer that nobody waits for")
                    continue
                }
                #expect(response.value == ~request.payload)
                answers.append(request.payload)
            }
        }
    }

    private final class BackQueue {
        private let mapping: GrantMapping
        private let channel: EventChannel
        private var ring: BackRing<Message, Message>

        init(_ queue: DeviceQueues.Queue, _ process: MockProcess) throws {
            mapping = try GrantTable(process.grants).map(queue.rings[0], of: guest)
            channel = try EventChannels(process.events).bindInterdomain(
                to: queue.ports[0], of: guest)
            // Safe: the mapping lives as long as the ring, both in this object.
            ring = unsafe BackRing(attachingTo: mapping.memory)
        }

        func serve() throws {
            let notification = try ring.serve { Message(id: $0.id, value: ~$0.value) }
            if notification == .required { try channel.notify() }
        }
    }

    @Test("requests go to the least loaded, flows each to its own, and each is answered once")
    func traffic() throws {
        let hypervisor = MockHypervisor()
        try run(hypervisor)
        try hypervisor.assertCleanedUp()
    }

    private func run(_ hypervisor: MockHypervisor) throws {
        let guest = hypervisor.domain(Self.guest).startProcess(name: "front")
        let dom0 = hypervisor.domain(.dom0).startProcess(name: "back")
        let agreed = try QueueLimits(published: Self.limits.published, within: Self.limits)
        let fronts = try (0..<agreed.queueCount).map { _ in try FrontQueue(guest) }
        let nodes = DeviceQueues(
            fronts.map(\.published), shape: .block, pageOrder: agreed.pageOrder
        ).published

        let queues = try DeviceQueues(published: nodes, shape: .block, within: Self.limits)
        #expect(queues.queues.count == 4 && queues.pageOrder == 1)
        let backs = try queues.queues.map { try BackQueue($0, dom0) }

        var choice = QueueChoice(queueCount: 4)
        for value: UInt64 in 0..<4000 {
            // Serve at times only, so that queues fill up.
            if let queue = choice.leastLoaded({ fronts[$0].load }) {
                try fronts[queue].send(value)
            }
            if value % 200 == 199 { try settle(fronts, backs) }
        }
        #expect(fronts.allSatisfy { $0.answers.count == 1000 })
        #expect(Set(fronts.flatMap(\.answers)).count == 4000)

        for value: UInt64 in 0..<4000 {
            try fronts[choice.queue(forFlow: value % 50)].send(value)
            if value % 20 == 19 { try settle(fronts, backs) }
        }
        for (index, front) in fronts.enumerated() {
            let answers = front.answers.dropFirst(1000)
            #expect(answers.allSatisfy { choice.queue(forFlow: $0 % 50) == index })
            #expect(answers.elementsEqual(answers.sorted()), "in order")
        }
        #expect(fronts.reduce(0) { $0 + $1.answers.count } == 8000)
    }

    private func settle(_ fronts: [FrontQueue], _ backs: [BackQueue]) throws {
        for back in backs { try back.serve() }
        for front in fronts { try front.takeAnswers() }
    }
}
