import Testing
import XenStoreWire

@testable import XenStoreServer

struct TransactionPlacesTests {
    /// Numbers begin again after the last, and are found whatever their order of opening and closing.
    @Test func whatIsOpenIsFoundAndNothingElse() {
        let numbers: [UInt32] = [.max - 1, .max, 1, 2, 3]
        for closed in 0..<(1 << numbers.count) {
            var open = TransactionPlaces()
            for (slot, number) in numbers.enumerated() {
                open.insert(TransactionID(rawValue: number), at: slot)
            }
            let isClosed = numbers.indices.map { closed >> $0 & 1 == 1 }
            for (slot, number) in numbers.enumerated() where isClosed[slot] {
                open.remove(TransactionID(rawValue: number))
                open.remove(TransactionID(rawValue: number))
            }
            for (slot, number) in numbers.enumerated() {
                let found = open.slot(of: TransactionID(rawValue: number))
                #expect(found == (isClosed[slot] ? nil : slot))
            }
            #expect(open.slot(of: TransactionID(rawValue: 4)) == nil)
            #expect(open.count == isClosed.count { !$0 })
            let listed = open.entries.map(\.id.rawValue)
            #expect(listed == listed.sorted())
        }
    }
}
