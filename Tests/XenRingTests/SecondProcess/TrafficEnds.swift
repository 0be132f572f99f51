#if LibXen
    import CRing
    import XenCore
    import XenRing

    /// What this process sent and received, to be compared with what the other says.
    struct TrafficSums: Equatable {
        var sent: UInt64 = 0
        var received: UInt64 = 0
    }

    extension NumberedMessage {
        /// A message whose every byte is known by its number.
        init(traffic number: UInt32, seed: UInt64) {
            self.init(0)
            // Safe: C fills as many bytes as the value has.
            unsafe withUnsafeMutableBytes(of: &self) { bytes in
                unsafe cring_fill(bytes.baseAddress, bytes.count, seed, number)
            }
        }

        /// Nil if a byte is not the one that belongs there.
        func trafficNumber(seed: UInt64) -> Int? {
            let number = unsafe withUnsafeBytes(of: self) { bytes in
                unsafe cring_number(bytes.baseAddress, bytes.count, seed)
            }
            return number >= 0 ? Int(number) : nil
        }

        var trafficSum: UInt64 {
            unsafe withUnsafeBytes(of: self) { unsafe cring_sum($0.baseAddress, $0.count) }
        }
    }

    /// Our front against C's back: requests in batches, answers in any order.
    struct TrafficFront<Request: NumberedMessage, Response: NumberedMessage>: ~Copyable {
        private let peer: RingPeer
        private let orders: cring_orders
        private var ring: FrontRing<Request, Response>
        private var random: SplitMix
        private var (sent, answered) = (0, 0)
        private var waits: [Bool]
        private(set) var sums = TrafficSums()

        init(_ peer: RingPeer) {
            self.peer = peer
            orders = peer.orders
            ring = FrontRing(initializing: peer.memory, at: RingIndex(orders.start))
            random = SplitMix(seed: orders.seed)
            waits = [Bool](repeating: false, count: Int(orders.total))
        }

        mutating func run() throws {
            // The back begins when the ring is made.
            peer.notify(true)
            let total = Int(orders.total)
            while answered < total {
                peer.notify(sendBatch())
                while let response = try ring.next() { try take(response) }
                let isStuck = sent == total || ring.freeSlotCount == 0
                if isStuck && answered < total { try peer.sleep() }
            }
        }

        private mutating func sendBatch() -> Bool {
            for _ in 0..<Int.random(in: 1...Int(orders.batch), using: &random)
            where sent < orders.total {
                let request = Request(traffic: UInt32(sent), seed: orders.seed)
                guard ring.push(request) else { break }
                sums.sent &+= request.trafficSum
                waits[sent] = true
                sent += 1
            }
            return ring.publish() == .required
        }

        private mutating func take(_ response: Response) throws(PeerFault) {
            guard let number = response.trafficNumber(seed: ~orders.seed) else {
                throw PeerFault("response \(answered) is torn")
            }
            guard number < sent, waits[number] else {
                throw PeerFault("response \(answered) is to \(number), which nobody waits for")
            }
            waits[number] = false
            answered += 1
            sums.received &+= response.trafficSum
        }
    }

    /// Our back against C's front: requests in order, answers in any.
    struct TrafficBack<Request: NumberedMessage, Response: NumberedMessage>: ~Copyable {
        private let peer: RingPeer
        private let orders: cring_orders
        private var ring: BackRing<Request, Response>
        private var random: SplitMix
        private var (taken, answered) = (0, 0)
        private var held: [Int] = []
        private(set) var sums = TrafficSums()

        init(_ peer: RingPeer) throws {
            self.peer = peer
            orders = peer.orders
            random = SplitMix(seed: orders.seed)
            // The front rings when the ring is made.
            try peer.sleep()
            ring = BackRing(attachingTo: peer.memory, at: RingIndex(orders.start))
        }

        mutating func run() throws {
            while answered < orders.total {
                while let request = try ring.next() {
                    guard request.trafficNumber(seed: orders.seed) == taken else {
                        throw PeerFault("request \(taken) is torn or out of order")
                    }
                    sums.received &+= request.trafficSum
                    held.append(taken)
                    taken += 1
                    if held.count == ring.capacity || random.next() % 4 == 0 { answerBatch() }
                }
                while !held.isEmpty { answerBatch() }
                if answered < orders.total { try peer.sleep() }
            }
        }

        private mutating func answerBatch() {
            for _ in 0..<Int.random(in: 1...Int(orders.batch), using: &random)
            where !held.isEmpty {
                let choice = Int.random(in: 0..<held.count, using: &random)
                held.swapAt(choice, held.count - 1)
                let response = Response(traffic: UInt32(held.removeLast()), seed: ~orders.seed)
                sums.sent &+= response.trafficSum
                ring.push(response)
                answered += 1
            }
            peer.notify(ring.publish() == .required)
        }
    }
#endif
