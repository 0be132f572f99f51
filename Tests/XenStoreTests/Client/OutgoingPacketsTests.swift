import Testing
import XenCore
import XenStoreWire

@testable import XenStoreClient

@Suite struct OutgoingPacketsTests {
    /// A server that is slower than the caller: there is always a little left.
    @Test func whatWasTakenIsNotKept() throws {
        var packets = OutgoingPackets()
        let request = Request.read("/a")
        for id in 0..<10_000 as Range<UInt32> {
            packets.append(request, requestID: id, transaction: .none, byteCount: 3)
            packets.take(packets.count - 1)
        }
        #expect(packets.count == 1)
        #expect(packets.bytes.count < 100)
        #expect(packets.end == 10_000 * (16 + 3))
    }
}
