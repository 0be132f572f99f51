import Synchronization
import Testing
import WatchedMemory
import XenCore
import XenRing
import XenSystem

/// The security advisories that touch rings of bytes.
@Suite struct RingAdvisoryTests {
    static let claims: [UInt32] =
        (0...33).map { 1 << min($0, 31) } + [0, 1023, 1025, 4095, 4097, .max - 1, .max]

    @Test(
        "XSA-38: an index in a xenstore page that offers more than the ring holds is an error, and stays one",
        arguments: claims, [0, UInt32.max - 7])
    func xenstoreIndices(_ claim: UInt32, from start: UInt32) throws {
        let memory = TestMemory()
        memory.view.zero()
        for offset in stride(from: 2048, through: 2060, by: 4) { memory[offset] = start }
        var server = ByteRingEnd.xenstoreServer(memory.view)
        memory[2052] = start &+ claim
        var bytes: [UInt8] = []
        if claim <= 1024 {
            #expect(try server.reader.take(appendingTo: &bytes) == Int(claim))
        } else {
            let error = try #require(throws: RingError.self) {
                try server.reader.take(appendingTo: &bytes)
            }
            memory[2052] = start
            #expect(throws: error) { try server.reader.available() }
            #expect(bytes.isEmpty)
        }
    }

    @Test(
        "XSA-86: neither an order nor an index of a 9pfs or pvcalls ring is used before it was bounded",
        arguments: claims)
    func flexOrdersAndIndices(_ claim: UInt32) throws {
        let page = TestMemory()
        page.view.zero()
        page[128] = claim
        let interface = try? FlexInterface(attachingTo: page.view, as: .pvCalls)
        #expect((interface != nil) == (1...9).contains(claim))
        for offset in [0, 4, 64, 68] {
            var stage = try FlexStage()
            stage.page[offset] = claim
            var bytes: [UInt8] = []
            // In whichever of the four places it stands: bytes within the bounds, or an error.
            _ = try? stage.front.reader.take(appendingTo: &bytes)
            _ = try? stage.back.reader.take(appendingTo: &bytes)
            #expect(bytes.count <= 4096)
            _ = try? stage.front.writer.write([1].span)
            _ = try? stage.back.writer.write([1].span)
        }
    }

    @Test("XSA-155: each byte leaves the ring once, whatever pieces it is taken in")
    func bytesAreReadOnce() throws {
        for sizes in [[16, 40], [1, 1, 54], [56], [7, 7, 7, 7, 7, 7, 7, 7]] {
            let lane = ScribblingLane()
            var consumer = ByteConsumer(at: RingIndex(.max - 20))
            var taken: [UInt8] = []
            for size in sizes {
                var piece = [UInt8](repeating: 0, count: size)
                let count = try unsafe piece.withUnsafeMutableBytes { buffer in
                    try unsafe consumer.take(into: buffer, on: lane)
                }
                #expect(count == size)
                taken += piece
            }
            #expect(taken == (0..<56).map { UInt8($0) }, "what was seen first is what is used")
            #expect(lane.loads == Array(repeating: 1, count: 56))
        }
    }

    /// A peer that overwrites each byte as soon as it was read.
    private final class ScribblingLane: ByteLane {
        let direction = RingDirection.request
        let capacity: UInt32 = 64
        let peerWaits = ByteRing.PeerWaits.forAny
        private let start = RingIndex(.max - 20)
        private var bytes = (0..<56).map { UInt8($0) }
        private(set) var loads = [Int](repeating: 0, count: 56)

        func observeProducer() -> RingIndex { start.advanced(by: 56) }

        func load(to destination: UnsafeMutableRawBufferPointer, at index: RingIndex) {
            for offset in 0..<destination.count {
                let position = Int(index.distance(from: start)) + offset
                unsafe destination[offset] = bytes[position]
                bytes[position] = 0xFF
                loads[position] += 1
            }
        }

        func publishConsumer(_ index: RingIndex) {}
        func observeConsumer() -> RingIndex { start }
        func publishProducer(_ index: RingIndex) {}
        func store(_ source: UnsafeRawBufferPointer, at index: RingIndex) {}
        func observeError() -> Int32 { 0 }
        func publishError(_ error: Int32) {}
    }

    @Test("XSA-155: an order that changes while we look is believed as it was first read")
    func ordersAreReadOnce() throws {
        let page = TestMemory()
        page.view.zero()
        let (view, isOver) = (page.view, Flag())
        let scribbler = try PlatformThread {
            var number = 0
            while !isOver.value.load(ordering: .relaxed) {
                view[word: 128] = [1, 9, 0, .max, 4][number % 5]
                number += 1
            }
        }
        for _ in 0..<20_000 {
            do {
                let interface = try FlexInterface(attachingTo: view, as: .ninePFS)
                let isWhole = interface.references.count == 1 << interface.order
                #expect(isWhole && [1, 4, 9].contains(interface.order))
            } catch { #expect(error.code == .impossibleOrder) }
        }
        isOver.value.store(true, ordering: .relaxed)
        scribbler.join()
    }

    private final class Flag: Sendable {
        let value = Atomic(false)
    }
}
