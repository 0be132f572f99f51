import XenCore
import XenStoreWire

/// What CONTROL log switches on and off.
enum LogSwitch: String, CaseIterable, Sendable {
    /// Requests, as they come.
    case io
}

/// What a command of CONTROL answers.
private enum ControlCommand: String, CaseIterable {
    case check, connections, log, logfile
    case liveUpdate = "live-update"
    case memreport, print, quota
    case softQuota = "quota-soft"
    case transactions, watches, help

    var parameters: String {
        switch self {
        case .check, .help: ""
        case .connections, .watches, .transactions: "[<first>]"
        case .log: "[on|off|+<switch>|-<switch>]"
        case .logfile, .liveUpdate: "(not offered)"
        case .memreport: ""
        case .print: "<string>"
        case .quota: "[set <name> <val>|<domid>|max [-r]]"
        case .softQuota: "[set <name> <val>]"
        }
    }
}

/// CONTROL: commands to the server itself, from dom0. (docs/misc/xenstore.txt, "Miscellaneous".)
extension StoreCore {
    mutating func control(
        _ arguments: [[UInt8]], _ context: RequestContext, _ outputs: inout [StoreOutput]
    ) throws(StoreErrorName) -> [UInt8] {
        let words = arguments.map { String(decoding: $0, as: UTF8.self) }
        guard let command = words.first.flatMap(ControlCommand.init(rawValue:)) else {
            throw .invalid
        }
        let rest = words.dropFirst()
        switch command {
        case .help:
            try require(rest, 0...0)
            return Self.terminated(Self.help)
        case .check:
            try require(rest, 0...0)
            let found = findings()
            return found.isEmpty
                ? Reply.acknowledgement : Self.listing("findings", found, from: 0)
        case .log: return try controlLog(rest)
        case .quota: return try controlQuota(rest)
        case .softQuota: return try controlSoftQuota(rest)
        case .memreport:
            guard rest.isEmpty else { throw .notImplemented }
            return Self.listing("memory", memoryReport, from: 0)
        case .print:
            try require(rest, 1...1)
            outputs.append(.log(.printed(String(decoding: arguments[1], as: UTF8.self))))
            return Reply.acknowledgement
        case .connections:
            return Self.listing("connections", connectionLines, from: try start(of: rest))
        case .watches: return Self.listing("watches", watchLines, from: try start(of: rest))
        case .transactions:
            return Self.listing("transactions", transactionLines, from: try start(of: rest))
        // This server is part of its program, which starts it anew and keeps its log.
        case .logfile, .liveUpdate: throw .notImplemented
        }
    }

    private func require(
        _ words: ArraySlice<String>, _ count: ClosedRange<Int>
    ) throws(StoreErrorName) {
        guard count.contains(words.count) else { throw .invalid }
    }

    /// Where a view begins.
    private func start(of words: ArraySlice<String>) throws(StoreErrorName) -> Int {
        try require(words, 0...1)
        guard let word = words.first else { return 0 }
        guard let first = Int(decimal: Array(word.utf8)) else { throw .invalid }
        return first
    }

    // MARK: - Commands

    private static let help =
        ControlCommand.allCases.map { command in
            padded(command.rawValue, to: 15) + " " + command.parameters
        }.joined(separator: "\n") + "\n"

    private mutating func controlLog(
        _ words: ArraySlice<String>
    ) throws(StoreErrorName) -> [UInt8] {
        try require(words, 0...1)
        guard let word = words.first else {
            let lines = LogSwitch.allCases.map { name in
                Self.padded(name.rawValue, to: 8) + ": "
                    + (logSwitches.contains(name) ? "on" : "off")
            }
            return Self.terminated("Log switch settings:\n" + lines.joined(separator: "\n") + "\n")
        }
        switch word {
        case "on": logSwitches = Set(LogSwitch.allCases)
        case "off": logSwitches = []
        default:
            guard let name = LogSwitch(rawValue: String(word.dropFirst())) else {
                throw .invalid
            }
            switch word.first {
            case "+": logSwitches.insert(name)
            case "-": logSwitches.remove(name)
            default: throw .invalid
            }
        }
        return Reply.acknowledgement
    }

    private mutating func controlQuota(
        _ words: ArraySlice<String>
    ) throws(StoreErrorName) -> [UInt8] {
        guard let first = words.first else {
            return Self.terminated(
                "Quota settings:\n"
                    + Self.table { ($0, quota[keyPath: $0.hardLimit], $0.explanation) })
        }
        switch first {
        case "set": return try controlSet(words.dropFirst(), isSoft: false)
        case "max":
            try require(words, 1...2)
            guard words.count == 1 || words.last == "-r" else { throw .invalid }
            if words.count == 2 { resetPeaks() }
            return Self.terminated(
                "Max. seen accounting values:\n"
                    + Self.table { name in (name, name.usage.map { peak[keyPath: $0] } ?? 0, "") })
        default:
            try require(words, 1...1)
            guard let id = UInt16(decimal: Array(first.utf8)) else { throw .invalid }
            return try account(of: DomainID(id))
        }
    }

    private mutating func controlSoftQuota(
        _ words: ArraySlice<String>
    ) throws(StoreErrorName) -> [UInt8] {
        if words.first == "set" { return try controlSet(words.dropFirst(), isSoft: true) }
        try require(words, 0...0)
        return Self.terminated(
            "Quota settings:\n"
                + Self.table { name in
                    name.softLimit.map { (name, quota[keyPath: $0], name.explanation) }
                })
    }

    private mutating func controlSet(
        _ words: ArraySlice<String>, isSoft: Bool
    ) throws(StoreErrorName) -> [UInt8] {
        let words = Array(words)
        guard words.count == 2, case (let name, false)? = QuotaName.parse(words[0].utf8),
            !isSoft || name.softLimit != nil,
            let limit = Int32(decimal: Array(words[1].utf8)), limit > 0
        else { throw .invalid }
        setQuotaOfAll(name, isSoft: isSoft, Int(limit))
        return Reply.acknowledgement
    }

    private func account(of domain: DomainID) throws(StoreErrorName) -> [UInt8] {
        guard let record = domains[domain] else { throw .noEntry }
        let usage = usage(of: domain)
        let lines = QuotaName.allCases.map { name in
            let (now, most) =
                name.usage.map { (usage[keyPath: $0], record.peak[keyPath: $0]) }
                ?? (0, 0)
            return Self.padded(name.rawValue, to: 17) + ": " + Self.padded(now, to: 8)
                + " (max " + Self.padded(max(now, most), to: 8) + ")\n"
        }
        return Self.terminated("Domain \(domain.rawValue):\n" + lines.joined())
    }

    private mutating func resetPeaks() {
        peak = Usage()
        for domain in domains.keys {
            domains[domain]?.peak = Usage()
            raisePeak(of: domain)
        }
    }

    func trace(_ packet: Packet, _ outputs: inout [StoreOutput]) {
        guard logSwitches.contains(.io) else { return }
        outputs.append(.log(.request("\(packet.operation), request \(packet.requestID)")))
    }
}
