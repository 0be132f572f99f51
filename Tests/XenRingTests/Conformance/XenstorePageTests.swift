#if LibXen
    import CRing
    import Testing
    import XenCore
    import XenRing

    /// Our byte rings lie where C's `struct xenstore_domain_interface` has them.
    @Suite struct XenstorePageTests {
        private let layout = cring_xenstore_layout()

        @Test func theByteRingsLieWhereCHasThem() throws {
            try check(
                .request, bytes: layout.requests, consumer: layout.request_consumer,
                producer: layout.request_producer)
            try check(
                .response, bytes: layout.responses, consumer: layout.response_consumer,
                producer: layout.response_producer)
            #expect(
                ByteRing.xenstore(.request, in: TestMemory().view).byteCount == layout.ring_size)
        }

        private func check(
            _ direction: RingDirection, bytes: Int, consumer: Int, producer: Int
        ) throws {
            let memory = TestMemory()
            memory.view.zero()
            memory[consumer] = 1020
            memory[producer] = 1022
            var writer = ByteRing.Writer(.xenstore(direction, in: memory.view))
            _ = try writer.write([7, 8, 9].span)
            #expect(memory[producer] == 1025)
            #expect(memory.view.bytes(at: bytes + 1022, count: 2) == [7, 8])
            #expect(memory.view.bytes(at: bytes, count: 1) == [9])

            var reader = ByteRing.Reader(.xenstore(direction, in: memory.view))
            var read: [UInt8] = []
            _ = try reader.read(appendingTo: &read)
            #expect(read == [0, 0, 7, 8, 9])
            #expect(memory[consumer] == 1025)
        }
    }
#endif
