import XenCore

extension RingInspection: CustomStringConvertible {
    /// The report in plain English, for eyes: several lines, aligned, without a newline at the end.
    public var description: String {
        let rows =
            switch content {
            case .messages(let report): report.rows
            case .bytes(let report): report.rows
            }
        let width = rows.map(\.label.count).max() ?? 0
        let lines = rows.map { row in
            "  \(row.label)\(String(repeating: " ", count: width - row.label.count))  \(row.text)"
        }
        return ([title] + lines + [""] + findingLines).joined(separator: "\n")
    }

    private var title: String {
        let size =
            byteCount % Page.byteCount == 0
            ? counted(byteCount / Page.byteCount, "page") : counted(byteCount, "byte")
        switch content {
        case .messages(let report):
            let slots = counted(Int(report.slotCount), "slot")
            return "\(kind): requests and responses, \(slots) of "
                + "\(counted(report.slotByteCount, "byte")) in \(size)"
        case .bytes(let report):
            if let flex = report.flex { return "\(kind): \(flex.title), interface in \(size)" }
            return
                "\(kind): \(report.lanes.map(\.name).joined(separator: " and ")) as bytes in \(size)"
        }
    }

    private var findingLines: [String] {
        if findings.isEmpty { return ["nothing is inconsistent"] }
        return [counted(findings.count, "finding") + ":"] + findings.flatMap { wrapped("\($0)") }
    }
}

/// A line of the report.
private struct Row {
    let label: String
    let text: String

    init(_ label: String, _ text: String) {
        self.label = label
        self.text = text
    }
}

/// Words as lines of at most 96 columns, indented by two spaces, and by four from the second line on.
private func wrapped(_ text: String) -> [String] {
    var lines: [String] = []
    var line = " "
    for word in text.split(separator: " ") {
        if line.count + word.count >= 96 {
            lines.append(line)
            line = "   "
        }
        line += " \(word)"
    }
    return lines + [line]
}

private func counted(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
}

extension MessageRingReport {
    fileprivate var rows: [Row] {
        let unknown = "cannot be said, the indices are impossible"
        return [
            Row("request producer", requests.place),
            Row("response producer", responses.place),
            Row("unanswered requests", unansweredCount.map { "\($0) of \(slotCount)" } ?? unknown),
            Row("requests not taken", requests.waiting ?? unknown),
            Row("responses not taken", responses.waiting ?? unknown),
            Row("free slots", freeText ?? unknown),
            Row("the back", requests.wakeUpText),
            Row("the front", responses.wakeUpText),
        ]
    }

    private var freeText: String? {
        guard let free = freeSlotCount else { return nil }
        if free.lowerBound == free.upperBound { return "\(free.upperBound)" }
        return "\(free.upperBound) once all responses are taken, now at least \(free.lowerBound)"
    }
}

extension MessageRingReport.Lane {
    fileprivate var place: String {
        "\(producer.rawValue), the next goes to slot \(nextSlot) at byte \(nextSlotOffset)"
    }

    fileprivate var waiting: String? {
        waitingLimit.map { $0 == 0 ? "none, by the event index" : "at most \($0)" }
    }

    fileprivate var wakeUpText: String {
        switch wakeUp {
        case .byNext:
            "sleeps or is about to: the next \(direction) notifies it, at \(event)"
        case .after(let count):
            "is notified after \(count) more \(direction)s, at \(event)"
        case .passed(let count):
            "is awake or was notified: \(event) was reached, \(counted(Int(count), "\(direction)")) ago"
        case .unreachable(let distance):
            "is not notified: it asked for \(event), \(distance) ahead"
        }
    }
}

extension BytePageReport {
    fileprivate var rows: [Row] {
        lanes.flatMap(\.rows) + (status?.rows ?? []) + (flex?.rows ?? [])
    }
}

extension BytePageReport.Lane {
    fileprivate var rows: [Row] {
        [
            Row(
                "\(name) producer",
                "\(producer.rawValue), \(producerName) writes at byte \(nextWriteOffset)\(pages)"),
            Row(
                "\(name) consumer",
                "\(consumer.rawValue), \(consumerName) reads at byte \(nextReadOffset)\(pages)"),
            Row("\(name) waiting", waitingText),
        ]
    }

    private var pages: String { isInDataPages ? " of the data pages" : "" }

    private var waitingText: String {
        guard let waitingByteCount, let freeByteCount else {
            return "cannot be said, the indices are impossible"
        }
        let text = "\(waitingByteCount) of \(capacity) bytes"
        if waitingByteCount == 0 { return "\(text): \(consumerName) has nothing to read" }
        if freeByteCount == 0 { return "\(text): full, \(producerName) waits for \(consumerName)" }
        return "\(text): \(consumerName) has to read them"
    }
}

extension BytePageReport.FlexFields {
    fileprivate var title: String {
        isPossible ? "in and out as bytes in \(references.count) data pages" : "no possible rings"
    }

    fileprivate var rows: [Row] {
        let order = Row("order", isPossible ? "\(order)" : "\(order), which cannot be")
        guard isPossible else { return [order] }
        var rows = [order, Row("references", referenceText)]
        if let errors {
            rows.append(Row("in error", errorText(errors.in)))
            rows.append(Row("out error", errorText(errors.out)))
        }
        return rows
    }

    private var referenceText: String {
        let shown = references.prefix(8).map { "\($0.rawValue)" }.joined(separator: ", ")
        return references.count > 8 ? "\(shown) ... \(references.count) in all" : shown
    }

    private func errorText(_ error: Int32) -> String {
        if error == 0 { return "none" }
        guard error < 0, error > Int32.min else { return "unknown value \(error)" }
        return "\(ErrorNumber(rawValue: -error))"
    }
}

extension BytePageReport.Status {
    fileprivate var rows: [Row] {
        [
            Row("server features", featureText),
            Row("connection", connectionText),
            Row("error", errorName ?? "unknown value \(error)"),
        ]
    }

    private var featureText: String {
        let known = [(Self.reconnection, "reconnection"), (Self.errorField, "error field")]
        let names = known.filter { features & $0.0 != 0 }.map(\.1)
        return names.isEmpty ? "none that is known" : names.joined(separator: ", ")
    }

    private var connectionText: String {
        switch connection {
        case 0: "connected"
        case 1: "reconnecting: the client waits for the server"
        default: "unknown value \(connection)"
        }
    }
}
