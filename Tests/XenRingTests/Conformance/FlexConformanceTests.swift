#if LibXen
    import CRing
    import Testing
    import XenCore
    import XenRing

    /// The same steps by four pairs of ends of a 9pfs or pvcalls ring: C with C, which says what is right, and
    /// ours with C's and with each other. After each step all saw the same, and all memory holds the same bytes.
    @Suite struct FlexConformanceTests {
        enum User: CaseIterable {
            case ninePFS, pvCalls

            var kind: FlexInterface.Kind { self == .ninePFS ? .ninePFS : .pvCalls }

            var twin: UnsafePointer<cring_flex_kind>? {
                unsafe self == .ninePFS ? cring_9pfs() : cring_pvcalls()
            }
        }

        static let starts: [UInt32] = [0, .max - 5000, 0x7FFF_FF00]

        @Test(arguments: User.allCases, FlexInterface.orders)
        func bothDirections(_ user: User, order: Int) throws {
            // Large rings take the same steps, but fewer.
            let starts = order <= 3 ? Self.starts : [Self.starts[order % 3]]
            for start in starts {
                try compare(user, order: order, from: start, stepCount: order <= 3 ? 48 : 12)
            }
        }

        private func compare(_ user: User, order: Int, from start: UInt32, stepCount: Int) throws {
            let pairs = try makePairs(user, order: order, from: start)
            try expectSameBytes(pairs, after: "the beginning")
            var random = SplitMix(seed: UInt64(order))
            let capacity = 1 << (order + 11)
            let pattern = (0..<capacity + 300).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            for step in 0..<stepCount {
                // Steps of any size, and of all that fits.
                let count =
                    Bool.random(using: &random)
                    ? Int.random(in: 0...capacity + 10, using: &random) : capacity
                let (isFront, isWrite) = (
                    Bool.random(using: &random), Bool.random(using: &random)
                )
                let bytes = isWrite ? Array(pattern[step..<step + count]) : []
                let outcomes = try pairs.map { pair in
                    let end = isFront ? pair.front : pair.back
                    return isWrite
                        ? Outcome(count: try end.write(bytes), bytes: [])
                        : Outcome(count: nil, bytes: try end.read(count))
                }
                let words =
                    "step \(step): \(isFront ? "front" : "back") "
                    + "\(isWrite ? "writes" : "reads") \(count)"
                for outcome in outcomes.dropFirst() {
                    let isSame = outcome == outcomes[0]
                    try #require(isSame, "\(words)")
                }
                try expectSameBytes(pairs, after: words)
            }
        }

        private struct Outcome: Equatable {
            let count: Int?
            let bytes: [UInt8]
        }

        private struct Pair {
            let memory: FlexMemory
            let front: any FlexEnd
            let back: any FlexEnd
        }

        private func makePairs(
            _ user: User, order: Int, from start: UInt32
        ) throws -> [Pair] {
            let twin = try unsafe #require(user.twin)
            let references = (0..<1 << order).map { UInt32(8 + $0 * 3) }
            return try [(false, false), (true, false), (false, true), (true, true)].map {
                isSwiftFront, isSwiftBack in
                let memory = FlexMemory(order: order)
                let front: any FlexEnd
                if isSwiftFront {
                    let interface = FlexInterface(
                        initializing: memory.interface.view, as: user.kind,
                        references: references.map { GrantReference($0) }, at: RingIndex(start))
                    front = SwiftFlexEnd(interface.front(over: memory.data.view))
                } else {
                    front = unsafe CFlexEnd(
                        twin, initializing: memory, order: order, references: references, at: start)
                }
                let back: any FlexEnd
                if isSwiftBack {
                    let interface = try FlexInterface(
                        attachingTo: memory.interface.view, as: user.kind)
                    #expect(interface.order == order)
                    #expect(interface.references.map(\.rawValue) == references)
                    back = SwiftFlexEnd(interface.back(over: memory.data.view))
                } else {
                    back = try #require(unsafe CFlexEnd(twin, attachingTo: memory))
                }
                return Pair(memory: memory, front: front, back: back)
            }
        }

        private func expectSameBytes(_ pairs: [Pair], after words: String) throws {
            for pair in pairs.dropFirst() {
                let isSame = pair.memory.hasSameBytes(as: pairs[0].memory)
                try #require(isSame, "after \(words)")
            }
        }

        /// The fields lie where C has them, the error fields among them.
        @Test(arguments: User.allCases)
        func theErrorFields(_ user: User) throws {
            let twin = try unsafe #require(user.twin).pointee
            let fields = [
                twin.in_consumer, twin.in_producer, twin.out_consumer, twin.out_producer,
                twin.order, twin.references,
            ]
            #expect(fields == [0, 4, 64, 68, 128, 132])
            let errors = [twin.in_error, twin.out_error]
            #expect(errors == (user == .ninePFS ? [0, 0] : [8, 72]))
            guard user == .pvCalls else { return }
            let memory = FlexMemory(order: 1)
            let interface = FlexInterface(
                initializing: memory.interface.view, as: .pvCalls,
                references: [GrantReference(8), GrantReference(9)])
            var back = interface.back(over: memory.data.view)
            #expect(try back.writer.end(with: -107) == .required)
            #expect(try back.reader.end(with: -32) == .required)
            #expect(Int32(bitPattern: memory.interface[twin.in_error]) == -107)
            #expect(Int32(bitPattern: memory.interface[twin.out_error]) == -32)
        }
    }
#endif
