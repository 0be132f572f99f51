/// What a page with one ring of bytes each way says: the xenstore's, the console's, or the interface page of
/// 9pfs or pvcalls.
///
/// Such rings have no event index, so the page does not tell who sleeps.
public struct BytePageReport: Hashable, Sendable {
    /// For the xenstore requests, then responses; for the others input, then output. None if it cannot be said
    /// where they are.
    public let lanes: [Lane]

    /// What stands behind the indices; nil for pages that have no such fields.
    public let status: Status?

    /// What is said of the data pages; nil for pages that hold their bytes themselves.
    public let flex: FlexFields?

    /// One direction.
    public struct Lane: Hashable, Sendable {
        /// What goes this way.
        public let name: String

        /// Past the last byte that was written.
        public let producer: RingIndex

        /// Past the last byte that was read.
        public let consumer: RingIndex

        /// The bytes that the ring holds.
        public let capacity: UInt32

        /// The bytes written and not read; nil when the indices cannot be.
        public let waitingByteCount: UInt32?

        /// Where the next byte is written, in bytes from the page's start, or from the first data page's.
        public let nextWriteOffset: Int

        /// Where the next byte is read, likewise.
        public let nextReadOffset: Int

        let isInDataPages: Bool
        let producerName: String
        let consumerName: String

        /// The room for more; nil when the indices cannot be.
        public var freeByteCount: UInt32? { waitingByteCount.map { capacity - $0 } }
    }

    /// The xenstore's fields behind the indices.
    public struct Status: Hashable, Sendable {
        /// What the server offers (`XENSTORE_SERVER_FEATURE_*`), as bits.
        public let features: UInt32

        /// 0 when connected, 1 while the client asks to reconnect.
        public let connection: UInt32

        /// What the server has found wrong (`XENSTORE_ERROR_*`); 0 for nothing.
        public let error: UInt32
    }
}

extension BytePageReport {
    init(_ bytes: [UInt8], _ layout: BytePageLayout, findings: inout [RingFinding]) {
        lanes = layout.directions.map { Lane(bytes, $0) }
        status = layout.statusOffset.map { offset in
            Status(
                features: bytes.word(at: offset), connection: bytes.word(at: offset + 4),
                error: bytes.word(at: offset + 8))
        }
        flex = nil
        findings += lanes.compactMap(\.finding)
        guard let status else { return }
        findings += status.findings
        if bytes[layout.byteCount...].contains(where: { $0 != 0 }) {
            findings.append(
                RingFinding(
                    .note, .padding,
                    """
                    The bytes from \(layout.byteCount) on belong to no field and are not zero: a later version of \
                    the page, or no such page.
                    """))
        }
    }
}

extension BytePageReport.Lane {
    init(_ bytes: [UInt8], _ layout: BytePageLayout.Direction) {
        name = layout.name
        isInDataPages = layout.isInDataPages
        producerName = layout.producer
        consumerName = layout.consumer
        let place = layout.place
        capacity = UInt32(place.byteCount)
        consumer = RingIndex(bytes.word(at: place.indexOffset))
        producer = RingIndex(bytes.word(at: place.indexOffset + 4))
        let waiting = producer.distance(from: consumer)
        waitingByteCount = waiting <= capacity ? waiting : nil
        nextWriteOffset = place.dataOffset + producer.position(mask: capacity - 1)
        nextReadOffset = place.dataOffset + consumer.position(mask: capacity - 1)
    }

    var finding: RingFinding? {
        guard waitingByteCount == nil else { return nil }
        let ahead = consumer.distance(from: producer)
        if ahead < 1 << 31 {
            return RingFinding(
                .error, .beyondCapacity,
                """
                \(name): the consumer index is \(ahead) ahead of the producer index: \(consumerName) read what was \
                never written, or \(producerName)'s index went backwards.
                """)
        }
        return RingFinding(
            .error, .beyondCapacity,
            """
            \(name): \(0 &- ahead) bytes would be waiting where \(capacity) fit: one of the indices is wrong.
            """)
    }
}

extension BytePageReport.Status {
    static let reconnection: UInt32 = 1
    static let errorField: UInt32 = 2

    /// What the errors mean, by their number (`XENSTORE_ERROR_*` of xen/io/xs_wire.h).
    static let errors = [
        "none", "communication problem", "invalid ring index", "protocol violation",
    ]

    var errorName: String? {
        error < Self.errors.count ? Self.errors[Int(error)] : nil
    }

    fileprivate var findings: [RingFinding] {
        connectionFindings + errorFindings + featureFindings
    }

    private var connectionFindings: [RingFinding] {
        if connection > 1 {
            return [
                RingFinding(
                    .error, .unknownValue,
                    "The connection field is \(connection): 0 is connected, 1 is reconnecting.")
            ]
        }
        if connection == 1, features & Self.reconnection == 0 {
            return [
                RingFinding(
                    .warning, .missingFeature,
                    """
                    The client asks to reconnect, which the server does not offer: it may wait for ever.
                    """)
            ]
        }
        return []
    }

    private var errorFindings: [RingFinding] {
        guard error != 0 else { return [] }
        guard let errorName else {
            return [
                RingFinding(
                    .error, .unknownValue, "The error field is \(error): 0 to 3 are defined.")
            ]
        }
        var findings = [
            RingFinding(
                .error, .reportedError,
                "The server has stopped serving this page: \(errorName) (error \(error)).")
        ]
        if features & Self.errorField == 0 {
            findings.append(
                RingFinding(
                    .warning, .missingFeature,
                    "The error field is set, but the server does not say that it writes it."))
        }
        return findings
    }

    private var featureFindings: [RingFinding] {
        let unknown = features & ~(Self.reconnection | Self.errorField)
        guard unknown != 0 else { return [] }
        return [
            RingFinding(
                .note, .unknownValue,
                """
                The server offers features with the unknown bits 0x\(String(unknown, radix: 16)): it is newer than \
                this program, or the field was overwritten.
                """)
        ]
    }
}
