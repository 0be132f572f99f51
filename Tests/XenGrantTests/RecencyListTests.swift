import Testing

@testable import XenGrant

/// Beside the plainest list that does the same: after every sequence of a few steps, and after long random ones.
@Suite struct RecencyListTests {
    private enum Step: CaseIterable {
        case insertOrUse0, insertOrUse1, insertOrUse2, removeOldest, removeEven
    }

    /// Both, doing the same.
    private struct Pair {
        var list = RecencyList<Int, Int>()
        var plain: [Int] = []

        mutating func insertOrUse(_ key: Int) {
            if let index = plain.firstIndex(of: key) {
                plain.append(plain.remove(at: index))
                #expect(list.use(key) == key * 10)
            } else {
                #expect(list.use(key) == nil)
                plain.append(key)
                list.insert(key, key * 10)
            }
        }

        mutating func take(_ step: Step) {
            switch step {
            case .insertOrUse0: insertOrUse(0)
            case .insertOrUse1: insertOrUse(1)
            case .insertOrUse2: insertOrUse(2)
            case .removeOldest:
                let oldest = plain.isEmpty ? nil : plain.removeFirst()
                #expect(list.removeOldest() == oldest.map { $0 * 10 })
            case .removeEven:
                let even = plain.filter { $0 % 2 == 0 }
                plain.removeAll { $0 % 2 == 0 }
                #expect(list.removeAll { $0 % 2 == 0 } == even.map { $0 * 10 })
            }
            if list.all.map(\.key) != plain || list.count != plain.count {
                Issue.record("\(list.all.map(\.key)) instead of \(plain)")
            }
        }
    }

    @Test func everySequenceOfSixSteps() {
        func explore(_ pair: Pair, _ depth: Int) {
            guard depth > 0 else { return }
            for step in Step.allCases {
                var next = pair
                next.take(step)
                explore(next, depth - 1)
            }
        }
        explore(Pair(), 6)
    }

    @Test func manyKeysInAnyOrder() {
        var generator = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: 0...UInt64.max, using: &generator)
        var state = seed
        func next(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        var pair = Pair()
        for _ in 0..<3000 {
            if next(10) == 0 { pair.take(.removeOldest) } else { pair.insertOrUse(next(200)) }
            if next(500) == 0 { pair.take(.removeEven) }
        }
        #expect(pair.list.all.map(\.key) == pair.plain, "seed \(seed)")
    }
}
