import Testing
import XenStoreWire

struct FieldsTests {
    @Test(arguments: [0, 1, 9, 10, 99, 100, 1_000_000_009, .max])
    func aNumberIsItsDigitsAndANul(number: UInt32) {
        #expect(Fields.encode(number) == Array(String(number).utf8) + [0])
    }
}
