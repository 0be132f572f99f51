#if LibXen
    import CRing
    import Testing
    import XenCore
    import XenRing
    import XenTesting

    /// C's own ring.h in another process, and ours in this one: both roles, every size, batches,
    /// answers in any order. Both sleep by the notification rule alone, so a lost wake-up ends in
    /// an error, as a torn message does.
    @Suite(.timeLimit(.minutes(2))) struct SecondProcessTests {
        /// In the order of the peer's own table.
        enum Kind: UInt32, CaseIterable {
            case narrow1And1, narrow3AndWide1, wide1And3, wide14And2, wide126And1, wide504And1
        }

        /// Whose end this process has.
        enum Role: CaseIterable { case front, back }

        @Test(arguments: Role.allCases, 1...16)
        func everyNumberOfPages(_ role: Role, _ pageCount: Int) throws {
            let kinds = Kind.allCases
            for kind in [kinds[pageCount % kinds.count], kinds[(pageCount + 3) % kinds.count]] {
                try exchange(
                    kind, role, byteCount: pageCount * Page.byteCount, start: .max - 70, total: 2000
                )
            }
        }

        @Test(arguments: Role.allCases, [1, 2, 3, 4, 8])
        func fewSlots(_ role: Role, _ slotCount: Int) throws {
            let slotByteCounts = [4, 16, 24, 112, 1008, 4032]
            for (kind, slotByteCount) in zip(Kind.allCases, slotByteCounts) {
                try exchange(
                    kind, role, byteCount: 64 + slotCount * slotByteCount,
                    start: UInt32.max - UInt32(slotCount), total: 300)
            }
        }

        @Test(
            arguments: Role.allCases,
            [0, 1, 0x7FFF_FFFF, 0x8000_0000, .max - 31, .max - 1, .max] as [UInt32])
        func everywhere(_ role: Role, from start: UInt32) throws {
            try exchange(.wide14And2, role, byteCount: Page.byteCount, start: start, total: 1000)
        }

        @Test(arguments: Role.allCases, [1, 8, 32, 100] as [UInt32])
        func batches(_ role: Role, of batch: UInt32) throws {
            try exchange(
                .wide14And2, role, byteCount: 4 * Page.byteCount, start: 0, total: 10_000,
                batch: batch)
        }

        /// What the other tests would end in if a notification were lost. With one slot, each
        /// request needs one.
        @Test(arguments: Role.allCases)
        func aPeerThatDoesNotNotifyIsALostWakeUp(_ role: Role) throws {
            let error = #expect(throws: PeerFault.self) {
                try exchange(
                    .wide14And2, role, byteCount: 64 + 112, start: 0, total: 1000,
                    patience: 300, isMute: true)
            }
            #expect(error?.description.hasPrefix("a wake-up was lost") == true)
        }

        private func exchange(
            _ kind: Kind, _ role: Role, byteCount: Int, start: UInt32, total: UInt32,
            batch: UInt32 = 8, patience: UInt32 = 60_000, isMute: Bool = false
        ) throws {
            var orders = cring_orders()
            orders.kind = kind.rawValue
            orders.is_front = role == .front ? 0 : 1
            (orders.size, orders.start) = (UInt32(byteCount), start)
            (orders.total, orders.batch) = (total, batch)
            orders.seed = .random(in: .min ... .max)
            (orders.patience, orders.is_mute) = (patience, isMute ? 1 : 0)
            do {
                try exchange(kind, role, orders)
            } catch {
                throw PeerFault("\(error), seed \(orders.seed)")
            }
        }

        private func exchange(_ kind: Kind, _ role: Role, _ orders: cring_orders) throws {
            let peer = try RingPeer(orders)
            let sums =
                switch kind {
                case .narrow1And1: try run(Narrow<1>.self, Narrow<1>.self, role, peer)
                case .narrow3AndWide1: try run(Narrow<3>.self, Wide<1>.self, role, peer)
                case .wide1And3: try run(Wide<1>.self, Wide<3>.self, role, peer)
                case .wide14And2: try run(Wide<14>.self, Wide<2>.self, role, peer)
                case .wide126And1: try run(Wide<126>.self, Wide<1>.self, role, peer)
                case .wide504And1: try run(Wide<504>.self, Wide<1>.self, role, peer)
                }
            try peer.finish()
            let theirs = peer.orders
            #expect(sums == TrafficSums(sent: theirs.received_sum, received: theirs.sent_sum))
        }

        private func run<Request: TrafficMessage, Response: TrafficMessage>(
            _: Request.Type, _: Response.Type, _ role: Role, _ peer: RingPeer
        ) throws -> TrafficSums {
            let plan = TrafficPlan(peer.orders)
            switch role {
            case .front:
                let ring = FrontRing<Request, Response>(initializing: peer.memory, at: plan.start)
                // The back begins when the ring is made.
                peer.notify()
                var front = TrafficFront(ring, peer, plan)
                try front.run()
                return front.sums
            case .back:
                // The front rings when the ring is made.
                try peer.sleep()
                let ring = BackRing<Request, Response>(attachingTo: peer.memory, at: plan.start)
                var back = TrafficBack(ring, peer, plan)
                try back.run()
                return back.sums
            }
        }
    }
#endif
