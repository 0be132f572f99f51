#if LibXen
    import CRing
    import Testing
    import XenCore
    import XenRing
    import XenTesting

    /// C's end of a ring of bytes in another process, and ours in this one: bytes both ways at
    /// once, in chunks of any size. C notifies for each chunk, as xenstored does; ours leaves out
    /// what it may.
    @Suite(.timeLimit(.minutes(2))) struct StreamTests {
        /// After the message rings in the peer's own table.
        enum Kind: UInt32, CaseIterable { case xenstore = 6, ninePFS, pvCalls }

        static let directions = [RingDirection.request, .response]

        @Test(arguments: directions, [0, 1023, .max - 1000, .max] as [UInt32])
        func everywhere(_ sends: RingDirection, from start: UInt32) throws {
            for kind in Kind.allCases {
                try exchange(kind, sends, start: start, total: 30_000, chunk: 200)
            }
        }

        @Test(arguments: directions, [1, 16, 1024, 4000] as [UInt32])
        func chunks(_ sends: RingDirection, of byteCount: UInt32) throws {
            let total: UInt32 = byteCount == 1 ? 3000 : 100_000
            for kind in Kind.allCases {
                try exchange(kind, sends, start: .max - 5000, total: total, chunk: byteCount)
            }
        }

        @Test(arguments: directions, 1...5)
        func flexOrders(_ sends: RingDirection, order: Int) throws {
            for kind in [Kind.ninePFS, .pvCalls] {
                try exchange(
                    kind, sends, order: order, start: .max - 9000, total: 200_000, chunk: 4000)
            }
        }

        @Test(arguments: directions)
        func aPeerThatDoesNotNotifyIsALostWakeUp(_ sends: RingDirection) throws {
            let error = #expect(throws: PeerFault.self) {
                try exchange(
                    .xenstore, sends, start: 0, total: 1_000_000, chunk: 4000, patience: 300,
                    isMute: true)
            }
            #expect(error?.description.hasPrefix("a wake-up was lost") == true)
        }

        private func exchange(
            _ kind: Kind, _ sends: RingDirection, order: Int = 1, start: UInt32, total: UInt32,
            chunk: UInt32, patience: UInt32 = 60_000, isMute: Bool = false
        ) throws {
            var orders = cring_orders()
            orders.kind = kind.rawValue
            orders.is_front = sends == .request ? 0 : 1
            let pageCount = kind == .xenstore ? 1 : 1 + 1 << order
            (orders.size, orders.start) = (UInt32(pageCount * Page.byteCount), start)
            (orders.total, orders.batch) = (total, chunk)
            orders.seed = .random(in: .min ... .max)
            (orders.patience, orders.is_mute) = (patience, isMute ? 1 : 0)
            do {
                let peer = try RingPeer(orders) { prepare($0, as: kind, order, at: start) }
                var stream = TrafficStream(
                    try end(kind, sends, peer), sends: sends, peer, TrafficPlan(orders),
                    contents: contents(orders.seed))
                try stream.run()
                try peer.finish()
            } catch {
                throw PeerFault("\(error), \(kind), seed \(orders.seed)")
            }
        }

        private func prepare(
            _ memory: SharedMemory, as kind: Kind, _ order: Int, at start: UInt32
        ) {
            if let flex = kind.flex {
                _ = FlexInterface(
                    initializing: memory, as: flex,
                    references: (0..<1 << order).map { GrantReference(UInt32(8 + $0)) },
                    at: RingIndex(start))
            } else {
                // Consumer and producer index of both directions.
                for offset in stride(from: 2048, to: 2064, by: 4) {
                    memory.store(bytes(of: Narrow<1>(UInt64(start))), at: offset)
                }
            }
        }

        private func end(
            _ kind: Kind, _ sends: RingDirection, _ peer: RingPeer
        ) throws -> ByteRingEnd {
            let isFront = sends == .request
            guard let flex = kind.flex else {
                return isFront ? .xenstoreClient(peer.memory) : .xenstoreServer(peer.memory)
            }
            let interface = try FlexInterface(attachingTo: peer.memory, as: flex)
            let data = peer.memory.slice(
                offset: Page.byteCount, byteCount: interface.dataByteCount)
            return isFront ? interface.front(over: data) : interface.back(over: data)
        }
    }

    extension StreamTests.Kind {
        fileprivate var flex: FlexInterface.Kind? {
            switch self {
            case .xenstore: nil
            case .ninePFS: .ninePFS
            case .pvCalls: .pvCalls
            }
        }
    }

    /// The bytes of an endless stream each way, as C has them.
    private func contents(
        _ seed: UInt64
    ) -> (_ direction: RingDirection, _ position: Int, _ count: Int) -> [UInt8] {
        { direction, position, count in
            // Safe: C fills all `count` bytes.
            unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
                let seed = direction == .request ? seed : ~seed
                unsafe cring_stream(buffer.baseAddress, count, seed, UInt64(position))
                used = count
            }
        }
    }
#endif
