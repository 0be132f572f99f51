import ToolSupport
import XenRing

extension RingInspection {
    /// The report for other programs: the same facts as in the text.
    var json: JSON {
        let contentMembers: [(String, JSON)] =
            switch content {
            case .messages(let report): report.members
            case .bytes(let report): report.members
            }
        return .object(
            [("kind", .string("\(kind)")), ("byteCount", .number(byteCount))] + contentMembers
                + [("findings", .array(findings.map(\.json)))])
    }
}

extension RingFinding {
    fileprivate var json: JSON {
        .object([
            ("severity", .string(severity.rawValue)), ("code", .string("\(code)")),
            ("message", .string(message)),
        ])
    }
}

extension MessageRingReport {
    fileprivate var members: [(String, JSON)] {
        [
            ("slotByteCount", .number(slotByteCount)),
            ("slotCount", .number(slotCount)),
            ("unansweredCount", .optional(unansweredCount)),
            ("freeSlotCountNow", .optional(freeSlotCount?.lowerBound)),
            ("freeSlotCountOnceTaken", .optional(freeSlotCount?.upperBound)),
            ("requests", requests.json),
            ("responses", responses.json),
        ]
    }
}

extension MessageRingReport.Lane {
    fileprivate var json: JSON {
        .object([
            ("producer", .number(producer.rawValue)),
            ("event", .number(event.rawValue)),
            ("wakeUp", wakeUp.json),
            ("waitingLimit", .optional(waitingLimit)),
            ("nextSlot", .number(nextSlot)),
            ("nextSlotOffset", .number(nextSlotOffset)),
        ])
    }
}

extension MessageRingReport.WakeUp {
    fileprivate var json: JSON {
        let (state, count): (String, UInt32) =
            switch self {
            case .byNext: ("by next", 1)
            case .after(let count): ("after", count)
            case .passed(let count): ("passed", count)
            case .unreachable(let count): ("unreachable", count)
            }
        return .object([("state", .string(state)), ("messageCount", .number(count))])
    }
}

extension BytePageReport {
    fileprivate var members: [(String, JSON)] {
        lanes.map { ($0.name, $0.json) } + (status.map { [("status", $0.json)] } ?? [])
            + (flex?.members ?? [])
    }
}

extension BytePageReport.Lane {
    fileprivate var json: JSON {
        .object([
            ("producer", .number(producer.rawValue)),
            ("consumer", .number(consumer.rawValue)),
            ("capacity", .number(capacity)),
            ("waitingByteCount", .optional(waitingByteCount)),
            ("freeByteCount", .optional(freeByteCount)),
            ("nextWriteOffset", .number(nextWriteOffset)),
            ("nextReadOffset", .number(nextReadOffset)),
        ])
    }
}

extension BytePageReport.FlexFields {
    fileprivate var members: [(String, JSON)] {
        let fields: [(String, JSON)] = [
            ("order", .number(order)),
            ("references", .array(references.map { .number($0.rawValue) })),
        ]
        guard let errors else { return fields }
        return fields + [
            ("inError", .number(Int(errors.in))), ("outError", .number(Int(errors.out))),
        ]
    }
}

extension BytePageReport.Status {
    fileprivate var json: JSON {
        .object([
            ("features", .number(features)), ("connection", .number(connection)),
            ("error", .number(error)),
        ])
    }
}
