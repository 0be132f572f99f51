import Testing
import XenCore
import XenStoreWire

@testable import XenStoreServer

/// A table of requests and what must come of them, run on the server's core alone.
///
/// One line a request: `CONNECTION TRANSACTION OPERATION PAYLOAD => OUTPUTS`, where `|` stands for NUL. Outputs, in their
/// order, are separated by ` ; `: the reply's payload as it is, or `!NAME` for an error; `CONNECTION<PATH|TOKEN` for an
/// event; `CONNECTION<closed`. A connection is named for its domain (`0`, `3`, or `3b` for another one of domain 3).
/// `introduce N`, `release N` and `shutdown N` are what Xen
/// tells; `after N` lets so many milliseconds pass; `served CONNECTION` asks whether it is held back; `check` lists what does
/// not hold of the server's state.
struct Script {
    private(set) var core: StoreCore
    private var now = Deadline(sinceEpoch: .seconds(1000))
    /// What INTRODUCE meets: nil where domains' rings are attached.
    var attachFailure: StoreErrorName?
    private var names: [ConnectionID: String] = [:]

    init(quota: StoreQuota = StoreQuota()) { core = StoreCore(quota: quota) }

    mutating func run(_ table: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        for line in table.split(separator: "\n") where !line.isEmpty {
            let sides = line.split(separator: " =>", maxSplits: 1)
            let words = sides[0].split(separator: " ", maxSplits: 3).map(String.init)
            let expected = sides.count > 1 ? sides[1].drop { $0 == " " } : ""
            let found = try outputs(of: words)
            #expect(found == String(expected), "\(line)", sourceLocation: sourceLocation)
        }
    }

    /// The connection of this name ends.
    mutating func disconnect(_ name: String) {
        guard let id = names.first(where: { $0.value == name })?.key else { return }
        core.disconnect(id)
        names[id] = nil
    }

    /// The text of what comes of one request, its NULs as `|`.
    mutating func reply(_ line: String) throws -> String {
        try outputs(of: line.split(separator: " ", maxSplits: 3).map(String.init))
    }

    private mutating func outputs(of words: [String]) throws -> String {
        var outputs: [StoreOutput] = []
        switch words[0] {
        case "introduce":
            core.introduce(try domain(words[1]), &outputs)
        case "release":
            core.release(try domain(words[1]), &outputs)
        case "shutdown":
            core.shutDown(try domain(words[1]), &outputs)
        case "check":
            return core.findings().joined(separator: " ; ")
        case "served":
            let id = try connection(words[1])
            return core.mayServe(id, now: now) ? "yes" : "no"
        case "after":
            now = now + .milliseconds(try #require(Int(words[1])))
        default:
            let operation = try #require(
                (0...26).map(StoreOperation.init).first { $0.description == words[2] })
            let packet = try Packet(
                operation, requestID: 7,
                transaction: TransactionID(rawValue: try #require(UInt32(words[1]))),
                payload: words.count > 3 ? Self.octets(words[3]) : [])
            core.handle(packet, from: try connection(words[0]), now: now, &outputs)
        }
        attach(&outputs)
        return text(outputs)
    }

    static func octets(_ text: String) -> [UInt8] {
        text.utf8.map { $0 == UInt8(ascii: "|") ? 0 : $0 }
    }

    static func text(_ octets: [UInt8]) -> String {
        String(decoding: octets.map { $0 == 0 ? UInt8(ascii: "|") : $0 }, as: UTF8.self)
    }

    private static func text(_ notice: StoreNotice) -> String {
        switch notice {
        case .printed(let bytes): "printed \(text(bytes))"
        case .softMemoryQuotaExceeded(let domain, _): "soft \(domain.rawValue) exceeded"
        case .softMemoryQuotaKept(let domain, _): "soft \(domain.rawValue) kept"
        case .heldBack(let domain): "held back \(domain.rawValue)"
        case .request(_, let packet): "request \(packet.operation)"
        }
    }

    private func domain(_ text: String) throws -> DomainID {
        DomainID(try #require(UInt16(text.prefix { $0.isNumber })))
    }

    private mutating func connection(_ name: String) throws -> ConnectionID {
        if let known = names.first(where: { $0.value == name }) { return known.key }
        let id = core.connect(as: try domain(name))
        names[id] = name
        return id
    }

    /// Does as a shell without guests' rings: each INTRODUCE goes on at once.
    private mutating func attach(_ outputs: inout [StoreOutput]) {
        for output in outputs {
            guard case .attach(_, port: _, let ticket) = output else { continue }
            if let attachFailure {
                core.failedToAttach(ticket, attachFailure, now: now, &outputs)
            } else {
                core.attached(ticket, as: nil, now: now, &outputs)
            }
        }
    }

    private func text(_ outputs: [StoreOutput]) -> String {
        outputs.compactMap { output -> String? in
            switch output {
            case .attach(let domain, let port, _): "attach \(domain.rawValue) \(port.rawValue)"
            case .detach(let domain): "detach \(domain.rawValue)"
            case .log(let notice): "log \(Self.text(notice))"
            case .close(let id): "\(names[id] ?? "?")<closed"
            case .send(let id, let packet):
                switch packet.operation {
                case .watchEvent: "\(names[id] ?? "?")<\(Self.text(packet.payload))"
                case .error: "!\(Self.text(packet.payload).dropLast())"
                default: Self.text(packet.payload)
                }
            }
        }.joined(separator: " ; ")
    }
}
