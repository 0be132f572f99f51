import BlockDevice
import Testing

@Suite("What a backend believes of a request")
struct BlockCommandTests {
    static let okay = BlockSegment(reference: 9, firstSector: 0, lastSector: 7)
    static let limit: UInt64 = 1000
    static let far: [UInt64] = [1 << 31, 1 << 32 - 1, 1 << 63, .max]

    func check(_ request: BlockRequest, isReadOnly: Bool = false) -> Result<
        BlockCommand, BlockRequestFault
    > {
        Result { () throws(BlockRequestFault) in
            try request.command(sectorCount: Self.limit, isReadOnly: isReadOnly)
        }
    }

    func request(
        _ operation: BlockOperation, sector: UInt64 = 0, segmentCount: UInt8 = 1,
        segment: BlockSegment = okay
    ) -> BlockRequest {
        var request = BlockRequest(operation: operation, id: 1, sector: sector)
        request.segmentCount = segmentCount
        for index in 0..<BlockRequest.segmentLimit { request.segments[index] = segment }
        return request
    }

    @Test(
        "1 to 11 segments are taken",
        arguments: [
            (0, false), (1, true), (10, true), (11, true), (12, false), (255, false),
        ] as [(UInt8, Bool)])
    func segmentCounts(count: UInt8, isTaken: Bool) {
        for operation in [BlockOperation.read, .write] {
            let result = check(request(operation, segmentCount: count))
            #expect((try? result.get()) != nil ? isTaken : !isTaken)
            if isTaken {
                let segments = Array(repeating: Self.okay, count: Int(count))
                let whole =
                    operation == .read
                    ? BlockCommand.read(sector: 0, segments: segments)
                    : .write(sector: 0, segments: segments)
                #expect(result == .success(whole))
            }
        }
    }

    @Test("a segment lies in its page, forwards")
    func segments() {
        let edges: [UInt8] = [0, 1, 6, 7, 8, 127, 128, 254, 255]
        for first in edges {
            for last in edges {
                let segment = BlockSegment(reference: 9, firstSector: first, lastSector: last)
                let result = check(request(.read, segment: segment))
                #expect(
                    (try? result.get()) != nil
                        ? first <= last && last < 8 : first > last || last > 7)
            }
        }
    }

    @Test("a bad segment is found wherever it is", arguments: 0..<11)
    func badSegmentAnywhere(index: Int) {
        var request = request(.write, segmentCount: 11)
        request.segments[index].lastSector = 8
        #expect(throws: BlockRequestFault.self) { try check(request).get() }
        request.segmentCount = UInt8(index)
        // What is not counted is not looked at.
        #expect((try? check(request).get()) != nil || index == 0)
    }

    @Test("data lies inside the device", arguments: [BlockOperation.read, .write])
    func ranges(operation: BlockOperation) {
        for sector in [0, 1, Self.limit - 8] {
            #expect((try? check(request(operation, sector: sector)).get()) != nil)
        }
        for sector in [Self.limit - 7, Self.limit - 1, Self.limit, Self.limit + 1] + Self.far {
            #expect(throws: BlockRequestFault.self) {
                try check(request(operation, sector: sector)).get()
            }
        }
    }

    @Test("a discard lies inside the device")
    func discards() {
        let edges = [0, 1, Self.limit - 1, Self.limit, Self.limit + 1] + Self.far
        for sector in edges {
            for count in edges {
                var request = request(.discard, sector: sector, segmentCount: 0)
                request.discardSectorCount = count
                let (end, overflows) = sector.addingReportingOverflow(count)
                let isInside = !overflows && end <= Self.limit
                switch check(request) {
                case .success(let command):
                    #expect(isInside && command == .discard(sector: sector, sectorCount: count))
                case .failure(let fault):
                    #expect(!isInside && fault.status == .error)
                }
            }
        }
    }

    @Test(
        "a discard's count fills its eight bytes", arguments: [0, 1, 0x0123_4567_89AB_CDEF, .max])
    func discardCount(count: UInt64) {
        var request = request(.discard)
        request.discardSectorCount = count
        #expect(request.discardSectorCount == count)
        #expect(request.segments[1] == Self.okay)
    }

    @Test("a discard that must be secure is not served", arguments: [1, 255] as [UInt8])
    func discardFlags(flags: UInt8) throws {
        let fault = try #require(throws: BlockRequestFault.self) {
            try check(request(.discard, segmentCount: flags)).get()
        }
        #expect(fault.status == .notSupported)
    }

    @Test("of all operations, four are served")
    func operations() {
        for number in UInt8.min...255 {
            var request = request(BlockOperation(rawValue: number))
            if [3, 5].contains(number) { request.segmentCount = 0 }
            request.discardSectorCount = 1
            request.segments[0].lastSector = 7
            if number == 5 { request.discardSectorCount = 1 }
            switch check(request) {
            case .success: #expect([0, 1, 3, 5].contains(number))
            case .failure(let fault):
                #expect(fault.status == .notSupported && ![0, 1, 3, 5].contains(number))
            }
        }
    }

    @Test("a flush carries nothing")
    func flush() {
        #expect(check(request(.flush, segmentCount: 0)) == .success(.flush))
        #expect(throws: BlockRequestFault.self) { try check(request(.flush)).get() }
    }

    @Test("a read-only device is read and flushed, not written")
    func readOnly() {
        for operation in [BlockOperation.read, .write, .flush, .discard] {
            let isData = operation == .read || operation == .write
            let result = check(
                request(operation, segmentCount: isData ? 1 : 0), isReadOnly: true)
            let isServed = operation == .read || operation == .flush
            #expect((try? result.get()) != nil ? isServed : !isServed)
        }
    }
}
