public import XenCore

extension BytePageReport {
    /// What the interface page of a 9pfs or pvcalls ring says of its data pages, and of ends.
    public struct FlexFields: Hashable, Sendable {
        /// The binary logarithm of the number of data pages, as it stands there: 1 to 9 can be.
        public let order: UInt32

        /// The data pages' grants, in order; none if the order cannot be.
        public let references: [GrantReference]

        /// With what the back ended `in` and `out`: 0 while they go on. Nil where there are no such fields.
        public let errors: Errors?

        /// `in_error` and `out_error` of `struct pvcalls_data_intf` (xen/io/pvcalls.h).
        public struct Errors: Hashable, Sendable {
            public let `in`: Int32
            public let out: Int32
        }

        /// Whether the order can be.
        var isPossible: Bool { FlexInterface.orders.contains(Int(order)) }
    }
}

extension BytePageReport {
    /// - Parameter bytes: at least a page.
    init(_ bytes: [UInt8], _ kind: FlexInterface.Kind, findings: inout [RingFinding]) {
        let fields = FlexFields(bytes, kind)
        flex = fields
        status = nil
        lanes =
            fields.isPossible
            ? kind.directions(order: Int(fields.order)).map { Lane(bytes, $0) } : []
        findings += lanes.compactMap(\.finding) + fields.findings(bytes, kind)
    }
}

extension FlexInterface.Kind {
    fileprivate func directions(order: Int) -> [BytePageLayout.Direction] {
        [
            BytePageLayout.Direction(
                name: "in", producer: "the back", consumer: "the front",
                place: .flexIn(order: order, hasError: hasErrors), isInDataPages: true),
            BytePageLayout.Direction(
                name: "out", producer: "the front", consumer: "the back",
                place: .flexOut(order: order, hasError: hasErrors), isInDataPages: true),
        ]
    }

    /// The bytes that belong to no field, up to the order.
    fileprivate var padding: [Range<Int>] { hasErrors ? [12..<64, 76..<128] : [8..<64, 72..<128] }
}

extension BytePageReport.FlexFields {
    fileprivate init(_ bytes: [UInt8], _ kind: FlexInterface.Kind) {
        let order = bytes.word(at: 128)
        self.order = order
        references =
            FlexInterface.orders.contains(Int(order))
            ? (0..<1 << order).map { GrantReference(bytes.word(at: 132 + 4 * $0)) } : []
        errors =
            kind.hasErrors
            ? Errors(
                in: Int32(bitPattern: bytes.word(at: 8)), out: Int32(bitPattern: bytes.word(at: 72))
            )
            : nil
    }

    fileprivate func findings(_ bytes: [UInt8], _ kind: FlexInterface.Kind) -> [RingFinding] {
        if bytes.allSatisfy({ $0 == 0 }) {
            return [
                RingFinding(
                    .warning, .neverMade,
                    "All bytes are zero: no rings were made here, a front writes the order first.")
            ]
        }
        return orderFindings + referenceFindings + errorFindings + paddingFindings(bytes, kind)
    }

    private var orderFindings: [RingFinding] {
        if isPossible { return [] }
        return [
            RingFinding(
                .error, .impossibleOrder,
                """
                The order is \(order) where 1 to 9 can be: where the bytes lie cannot be said, and a back has to \
                refuse this.
                """)
        ]
    }

    private var referenceFindings: [RingFinding] {
        var findings: [RingFinding] = []
        let reserved = references.filter { $0.rawValue < 2 }
        if let first = reserved.first {
            findings.append(
                RingFinding(
                    .warning, .reservedReference,
                    """
                    \(reserved.count) of \(references.count) data pages have a reserved reference, the first of them \
                    \(first.rawValue): the console's is 0, the xenstore's 1, and such a page cannot be mapped.
                    """))
        }
        let repeated = references.count - Set(references).count
        if repeated > 0 {
            findings.append(
                RingFinding(
                    .error, .repeatedReference,
                    """
                    \(repeated) of \(references.count) references stand there twice: the same page lies in two \
                    places of the rings, and bytes overwrite each other.
                    """))
        }
        return findings
    }

    private var errorFindings: [RingFinding] {
        guard let errors else { return [] }
        return [("in", errors.in), ("out", errors.out)].compactMap { name, error in
            if error == 0 { return nil }
            guard error < 0, error > Int32.min else {
                return RingFinding(
                    .error, .unknownValue,
                    "The error of \(name) is \(error): it is 0, or a negative number of errno.")
            }
            return RingFinding(
                .note, .reportedError,
                """
                The back has ended \(name) with \(ErrorNumber(rawValue: -error)) (\(error)): no more bytes go \
                that way.
                """)
        }
    }

    private func paddingFindings(
        _ bytes: [UInt8], _ kind: FlexInterface.Kind
    ) -> [RingFinding] {
        var findings: [RingFinding] = []
        if kind.padding.contains(where: { bytes[$0].contains { $0 != 0 } }) {
            findings.append(
                RingFinding(
                    .warning, .padding,
                    "The padding between the indices is not zero: an end writes past its fields, or no ring is here."
                ))
        }
        let end = 132 + 4 * references.count
        if isPossible, bytes[end...].contains(where: { $0 != 0 }) {
            findings.append(
                RingFinding(
                    .note, .padding,
                    "The bytes from \(end) on, behind the last reference, are not zero."))
        }
        return findings
    }
}
