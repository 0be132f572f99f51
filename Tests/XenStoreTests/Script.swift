import Testing
import XenCore
import XenStoreWire

@testable import XenStoreServer

/// A table of requests and what must come of them, run on the server's core alone.
///
/// One line a request: `CONNECTION TRANSACTION OPERATION PAYLOAD => OUTPUTS`, where `|` stands for NUL. Outputs, in their
/// order, are separated by ` ; `: the reply's payload as it is, or `!NAME` for an error; `CONNECTION<PATH|TOKEN` for an
/// event; `CONNECTION<closed`. A connection is named for its domain (`0`, `3`, or `3b` for another one of domain 3).
/// `introduce N` and `release N` are what Xen tells.
struct Script {
    private(set) var core: StoreCore
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

    private mutating func outputs(of words: [String]) throws -> String {
        switch words[0] {
        case "introduce":
            let outputs = core.introduce(try domain(words[1]))
            return text(outputs)
        case "release":
            let outputs = core.release(try domain(words[1]))
            return text(outputs)
        default:
            let operation = try #require(
                (0...26).map(StoreOperation.init).first { $0.description == words[2] })
            let packet = try Packet(
                operation, requestID: 7,
                transaction: TransactionID(rawValue: try #require(UInt32(words[1]))),
                payload: words.count > 3 ? Self.octets(words[3]) : [])
            let outputs = core.handle(packet, from: try connection(words[0]))
            return text(outputs)
        }
    }

    static func octets(_ text: String) -> [UInt8] {
        text.utf8.map { $0 == UInt8(ascii: "|") ? 0 : $0 }
    }

    static func text(_ octets: [UInt8]) -> String {
        String(decoding: octets.map { $0 == 0 ? UInt8(ascii: "|") : $0 }, as: UTF8.self)
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

    private func text(_ outputs: [StoreOutput]) -> String {
        outputs.map { output in
            switch output {
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
