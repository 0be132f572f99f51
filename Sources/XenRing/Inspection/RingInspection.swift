import XenCore

/// What a ring's memory says, whoever wrote it: its indices, what follows from them, and what cannot be.
///
/// It works on a private copy, so it serves a live ring, a file and a crash dump alike:
///
///     let report = try RingInspection(memory.bytes(at: 0, count: 4096), kind: .block)
///     print(report)
///
/// A copy of a live ring is not taken at one instant: look again before believing a finding.
/// No pattern of bytes traps. Nothing here blocks.
public struct RingInspection: Hashable, Sendable {
    /// What kind of ring the caller said it was.
    public let kind: RingKind

    /// The bytes that were inspected.
    public let byteCount: Int

    /// What was found by the kind's layout.
    public enum Content: Hashable, Sendable {
        case messages(MessageRingReport)
        case bytes(BytePageReport)
    }

    public let content: Content

    /// What does not fit, the worst first. Empty for every state that two honest ends can reach.
    public let findings: [RingFinding]

    /// - Parameters:
    ///   - bytes: all of the ring's pages, in order, copied out once.
    ///   - kind: what they are.
    ///
    /// Throws `.tooShort` when there is no room for the smallest ring of this kind.
    public init(_ bytes: [UInt8], kind: RingKind) throws(RingInspectionError) {
        var findings: [RingFinding] = []
        switch kind.layout {
        case .slots(let slotByteCount):
            guard
                let report = MessageRingReport(
                    bytes, slotByteCount: slotByteCount, findings: &findings)
            else { throw .tooShort(bytes.count, kind) }
            content = .messages(report)
        case .bytes(let layout):
            guard bytes.count >= layout.byteCount else { throw .tooShort(bytes.count, kind) }
            content = .bytes(BytePageReport(bytes, layout, findings: &findings))
        case .flex(let user):
            guard bytes.count >= Page.byteCount else { throw .tooShort(bytes.count, kind) }
            content = .bytes(BytePageReport(bytes, user, findings: &findings))
        }
        self.kind = kind
        byteCount = bytes.count
        self.findings = RingFinding.Severity.allCases.reversed().flatMap { severity in
            findings.filter { $0.severity == severity }
        }
    }
}

extension [UInt8] {
    /// The 32-bit number at `offset`, which lies within the array. Rings are little-endian, as x86 and Arm are.
    func word(at offset: Int) -> UInt32 {
        self[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}
