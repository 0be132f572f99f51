#if LibXen
    import BlockDevice
    import CBlkif
    import Testing

    @Suite("Messages lie on the ring as blkif.h says")
    struct BlockLayoutTests {
        static let numbers: [UInt64] = [0, 1, 0x0123_4567_89AB_CDEF, 1 << 32 - 1, 1 << 63, .max]

        /// The bytes of one of our messages.
        func bytes<Message: BitwiseCopyable>(_ message: Message) -> [UInt8] {
            // Safe: looks at a private value for as long as the call takes.
            unsafe withUnsafeBytes(of: message) { unsafe Array($0) }
        }

        /// What C writes into a buffer that is larger than any message.
        func filled(_ fill: (UnsafeMutableRawPointer?) -> Int) -> [UInt8] {
            var buffer = [UInt8](repeating: 0xA5, count: 256)
            // Safe: C writes one message, and the array has room for two.
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe fill($0.baseAddress) }
            return Array(buffer[..<count])
        }

        @Test("requests, whatever their segments", arguments: 0...11 as ClosedRange<UInt8>)
        func requests(segmentCount: UInt8) {
            let segments = (0..<segmentCount).map {
                cblkif_segment(reference: 0x1234_5600 + UInt32($0), first: $0, last: 255 - $0)
            }
            for number in Self.numbers {
                var request = BlockRequest(operation: .write, id: number, sector: ~number)
                request.segmentCount = segmentCount
                request.handle = 0xABCD
                for (index, segment) in segments.enumerated() {
                    request.segments[index] = BlockSegment(
                        reference: segment.reference, firstSector: segment.first,
                        lastSector: segment.last)
                }
                let expected = unsafe filled {
                    unsafe cblkif_request(
                        $0, 1, 0xABCD, number, ~number, segments, segmentCount)
                }
                #expect(bytes(request) == expected)
                #expect(expected.count == BlockRequest.byteCount)
            }
        }

        @Test("discards, whose count takes the place of a segment", arguments: numbers)
        func discards(count: UInt64) {
            var request = BlockRequest(operation: .discard, id: 7, sector: 0x1122_3344_5566_7788)
            request.segmentCount = 1
            request.discardSectorCount = count
            let expected = unsafe filled {
                unsafe cblkif_discard($0, 1, 0, 7, 0x1122_3344_5566_7788, count)
            }
            #expect(bytes(request).starts(with: expected))
        }

        @Test("responses", arguments: [BlockStatus.okay, .error, .notSupported])
        func responses(status: BlockStatus) {
            for number in Self.numbers {
                let request = BlockRequest(operation: .flush, id: number, sector: 0)
                let expected = unsafe filled {
                    unsafe cblkif_response($0, number, 3, status.rawValue)
                }
                #expect(bytes(BlockResponse(to: request, status)) == expected)
                #expect(expected.count == BlockResponse.byteCount)
            }
        }
    }
#endif
