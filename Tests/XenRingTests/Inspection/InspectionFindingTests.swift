import Testing
import XenCore
import XenRing

/// Each corruption of a page gives its finding, and only that.
@Suite struct InspectionFindingTests {
    typealias Finding = RingFinding

    /// Words written over a good page, and what has to be found.
    struct Corruption: CustomStringConvertible, Sendable {
        let description: String
        let words: [Int: UInt32]
        let found: [Found]

        init(_ description: String, _ words: [Int: UInt32], _ found: Found...) {
            self.description = description
            self.words = words
            self.found = found
        }
    }

    struct Found: Equatable, Sendable {
        let severity: Finding.Severity
        let code: Finding.Code

        init(_ severity: Finding.Severity, _ code: Finding.Code) {
            self.severity = severity
            self.code = code
        }
    }

    /// The words at 0, 4, 8, 12: the requests' producer and event, the responses'.
    static let messages: [Corruption] = [
        Corruption("a fresh ring", [:]),
        Corruption("33 requests in 32 slots", [0: 33], Found(.error, .beyondCapacity)),
        Corruption(
            "too many requests across 2^32", [0: 40, 4: 41, 8: .max - 1, 12: .max],
            Found(.error, .beyondCapacity)),
        Corruption("a response too many", [8: 1], Found(.error, .responsesAhead)),
        Corruption(
            "responses far ahead", [8: 0x7000_0000, 12: 0x7000_0001], Found(.error, .responsesAhead)
        ),
        Corruption("an event that a full ring reaches", [4: 32]),
        Corruption("an event that it does not", [4: 33], Found(.warning, .unreachableEvent)),
        Corruption(
            "a response that nobody asked for", [12: 2], Found(.warning, .unreachableEvent)),
        Corruption("as many as were asked", [0: 5, 12: 5]),
        Corruption("one more", [0: 5, 12: 6], Found(.warning, .unreachableEvent)),
        Corruption("an event far away", [4: 1 << 31], Found(.warning, .unreachableEvent)),
        Corruption("no request event", [4: 0], Found(.warning, .unmadeEvent)),
        Corruption("no response event", [12: 0], Found(.warning, .unmadeEvent)),
        Corruption("nothing at all", [4: 0, 12: 0], Found(.warning, .neverMade)),
        Corruption("0 after 2^32 messages", [4: 0, 12: 0, 64: 5]),
        Corruption("a private byte", [16: 1], Found(.note, .padding)),
        Corruption("padding", [60: 1 << 24], Found(.warning, .padding)),
        Corruption(
            "several, the worst first", [0: 33, 16: 1, 20: 1],
            Found(.error, .beyondCapacity), Found(.warning, .padding), Found(.note, .padding)),
    ]

    @Test(arguments: messages)
    func messageRings(corruption: Corruption) throws {
        let memory = TestMemory()
        _ = FrontRing<Wide<14>, Wide<2>>(initializing: memory.view)
        try check(corruption, on: memory, .block)
    }

    /// The words from 2048: each direction's consumer and producer, features, connection, error.
    static let xenstore: [Corruption] = [
        Corruption("a fresh page", [:]),
        Corruption("full", [2052: 1024, 2060: 1024]),
        Corruption("beyond full", [2052: 1025], Found(.error, .beyondCapacity)),
        Corruption("read before written", [2056: 1], Found(.error, .beyondCapacity)),
        Corruption("across 2^32", [2048: .max, 2052: 1023]),
        Corruption(
            "too far across 2^32", [2048: .max, 2052: 1024], Found(.error, .beyondCapacity)),
        Corruption("all known features", [2064: 3]),
        Corruption("an unknown feature", [2064: 7], Found(.note, .unknownValue)),
        Corruption("reconnecting", [2064: 1, 2068: 1]),
        Corruption("reconnecting in vain", [2068: 1], Found(.warning, .missingFeature)),
        Corruption("an unknown state", [2068: 2], Found(.error, .unknownValue)),
        Corruption("an error", [2064: 2, 2072: 2], Found(.error, .reportedError)),
        Corruption(
            "an error out of nowhere", [2072: 3],
            Found(.error, .reportedError), Found(.warning, .missingFeature)),
        Corruption("an unknown error", [2064: 2, 2072: 4], Found(.error, .unknownValue)),
        Corruption("bytes behind", [2076: 1], Found(.note, .padding)),
    ]

    @Test(arguments: xenstore)
    func xenstorePages(corruption: Corruption) throws {
        let memory = TestMemory()
        memory.view.zero()
        try check(corruption, on: memory, .xenstore)
    }

    /// The words from 3072: the input's consumer and producer, then the output's.
    static let console: [Corruption] = [
        Corruption("full", [3076: 1024, 3084: 2048]),
        Corruption("too much input", [3076: 1025], Found(.error, .beyondCapacity)),
        Corruption("too much output", [3084: 2049], Found(.error, .beyondCapacity)),
    ]

    @Test(arguments: console)
    func consolePages(corruption: Corruption) throws {
        let memory = TestMemory()
        memory.view.zero()
        try check(corruption, on: memory, .console)
    }

    /// The words of a pvcalls page of order 1: each direction's consumer, producer and error, the order, references.
    static let flex: [Corruption] = [
        Corruption("fresh rings", [:]),
        Corruption("full", [4: 4096, 68: 4096]),
        Corruption("in beyond full", [4: 4097], Found(.error, .beyondCapacity)),
        Corruption("out read before written", [64: 1], Found(.error, .beyondCapacity)),
        Corruption("across 2^32", [0: .max, 4: 4095, 64: .max - 1, 68: 1]),
        Corruption("too far across 2^32", [0: .max, 4: 4096], Found(.error, .beyondCapacity)),
        Corruption("no order", [128: 0], Found(.error, .impossibleOrder)),
        Corruption("too large an order", [128: 10], Found(.error, .impossibleOrder)),
        Corruption("an order of a liar", [128: .max], Found(.error, .impossibleOrder)),
        Corruption(
            "an order with pages that have no reference", [128: 2],
            Found(.error, .repeatedReference), Found(.warning, .reservedReference)),
        Corruption("a page twice", [136: 8], Found(.error, .repeatedReference)),
        Corruption("the xenstore's page", [136: 1], Found(.warning, .reservedReference)),
        Corruption(
            "the end of a stream", [8: UInt32(bitPattern: -107)], Found(.note, .reportedError)),
        Corruption("a broken pipe", [72: UInt32(bitPattern: -32)], Found(.note, .reportedError)),
        Corruption("an error that is none", [72: 32], Found(.error, .unknownValue)),
        Corruption("the least error", [8: 1 << 31], Found(.error, .unknownValue)),
        Corruption("padding", [12: 1], Found(.warning, .padding)),
        Corruption("more padding", [124: 1], Found(.warning, .padding)),
        Corruption("bytes behind", [140: 9], Found(.note, .padding)),
    ]

    @Test(arguments: flex)
    func interfacePages(corruption: Corruption) throws {
        let memory = TestMemory()
        _ = FlexInterface(
            initializing: memory.view, as: .pvCalls,
            references: [GrantReference(8), GrantReference(9)])
        try check(corruption, on: memory, .pvCalls)
    }

    @Test func anInterfacePageThatNobodyMade() throws {
        for kind in [RingKind.ninePFS, .pvCalls] {
            let inspection = try RingInspection([UInt8](repeating: 0, count: 4096), kind: kind)
            #expect(inspection.findings.map(\.code) == [.neverMade])
        }
    }

    private func check(_ corruption: Corruption, on memory: TestMemory, _ kind: RingKind) throws {
        for (offset, word) in corruption.words { memory[offset] = word }
        let inspection = try RingInspection(memory.bytes, kind: kind)
        let found = inspection.findings.map { Found($0.severity, $0.code) }
        #expect(found == corruption.found, "\(inspection)")
        let words = inspection.description.split { $0.isWhitespace }.joined(separator: " ")
        for finding in inspection.findings {
            #expect(finding.message.hasSuffix("."))
            #expect(words.contains(finding.message), "whole, but for the line breaks")
        }
        #expect(inspection.description.split(separator: "\n").allSatisfy { $0.count <= 100 })
    }

    @Test(arguments: [
        (RingKind.block, 176), (.networkReceive, 72), (.xenstore, 2076), (.console, 3088),
        (.ninePFS, 4096), (.pvCalls, 4096),
        (.messages(slotByteCount: .max), Int.max), (.messages(slotByteCount: 1), 65),
    ])
    func shortPagesAreRefused(kind: RingKind, needed: Int) throws {
        for byteCount in [0, 1, 63, 64, 65, 175, 176, 2075, 2076, 3087, 3088, 4095] {
            let bytes = [UInt8](repeating: 0xFF, count: byteCount)
            if byteCount < needed {
                let error = try #require(throws: RingInspectionError.self) {
                    try RingInspection(bytes, kind: kind)
                }
                #expect(error.code == .tooShort && error.message.contains("\(byteCount) bytes"))
            } else {
                _ = try RingInspection(bytes, kind: kind).description
            }
        }
    }

    static let edges: [UInt32] = [0, 1, 2, 31, 32, 33, 1 << 31, .max - 1, .max]

    /// Where the inspector looks for numbers, of whatever kind the page is.
    static let wordOffsets = Array(
        [
            stride(from: 0, to: 132, by: 4), stride(from: 2048, to: 2080, by: 4),
            stride(from: 3072, to: 3088, by: 4),
        ].joined())

    /// Random pages: noise or zeros, and in the fields noise or the numbers at which something changes.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func noPageTraps(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let kinds = RingKind.named + [.messages(slotByteCount: 1), .messages(slotByteCount: 4000)]
        let noise = (0..<4096).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        for round in 0..<5000 {
            var bytes =
                Bool.random(using: &random) ? noise : [UInt8](repeating: 0, count: noise.count)
            for offset in Self.wordOffsets where Int.random(in: 0..<4, using: &random) > 0 {
                let word =
                    Bool.random(using: &random)
                    ? UInt32.random(in: .min ... .max, using: &random)
                    : Self.edges.randomElement(using: &random) ?? 0
                for index in 0..<4 {
                    bytes[offset + index] = UInt8(truncatingIfNeeded: word >> UInt32(index * 8))
                }
            }
            let kind = kinds[round % kinds.count]
            let inspection = try RingInspection(bytes, kind: kind)
            let isRendered = inspection.description.hasPrefix("\(kind): ")
            #expect(isRendered, "seed \(seed), round \(round)")
        }
    }
}
