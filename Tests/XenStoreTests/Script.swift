import Testing
import XenCore
import XenStoreWire

@testable import XenStoreServer

/// A table of requests and what must come of them, run on the server's core alone.
///
/// Its lines are a `TableScript`'s, but for their outputs: all of them in their order, also `attach DOMAIN PORT`,
/// `detach DOMAIN` and `log ...`; and transactions have their own numbers. There is more to do: `shutdown N` is what Xen
/// tells; `after N` lets so many milliseconds pass; `served CONNECTION` asks whether it is held back; `check` lists what
/// does not hold of the server's state.
struct Script {
    private var scene: CoreScene

    init(quota: StoreQuota = StoreQuota(), heldByteCountLimit: Int = .max) {
        scene = CoreScene(quota: quota, heldByteCountLimit: heldByteCountLimit)
    }

    var core: StoreCore { scene.core }

    /// What INTRODUCE meets: nil where domains' rings are attached.
    var attachFailure: StoreErrorName? {
        get { scene.attachFailure }
        set { scene.attachFailure = newValue }
    }

    mutating func run(_ table: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        for line in table.split(separator: "\n") where !line.isEmpty {
            let (action, expected) = TableLine.sides(of: line)
            let found = try reply(action)
            #expect(found == expected, "\(line)", sourceLocation: sourceLocation)
        }
    }

    /// The connection of this name ends.
    mutating func disconnect(_ name: String) {
        if let name = ConnectionName(name) { scene.disconnect(name) }
    }

    /// The text of what comes of one line, its NULs as `|`.
    mutating func reply(_ line: some StringProtocol) throws -> String {
        let words = line.split(separator: " ", maxSplits: 3).map { Substring($0) }
        switch words[0] {
        case "check": return core.findings().joined(separator: " ; ")
        case "served": return scene.serves(try #require(ConnectionName(words[1]))) ? "yes" : "no"
        case "after":
            scene.letPass(.milliseconds(try #require(Int(words[1]))))
            return ""
        default:
            let outputs = try outputs(of: words, String(line))
            return text(outputs)
        }
    }

    private mutating func outputs(
        of words: [Substring], _ line: String
    ) throws -> [StoreOutput] {
        if words[0] == "shutdown" {
            return scene.shutDown(DomainID(try #require(UInt16(words[1]))))
        }
        return switch try TableLine.action(words, line) {
        case .introduce(let domain): scene.introduce(domain)
        case .release(let domain): scene.release(domain)
        case .request(let connection, let transaction, let operation, let payload):
            try scene.perform(
                operation, TransactionID(rawValue: transaction), payload, on: connection)
        }
    }

    static func octets(_ text: String) -> [UInt8] {
        text.utf8.map { $0 == UInt8(ascii: "|") ? 0 : $0 }
    }

    static func text(_ octets: [UInt8]) -> String {
        String(decoding: octets.map { $0 == 0 ? UInt8(ascii: "|") : $0 }, as: UTF8.self)
    }

    private static func text(_ notice: StoreServerNotice) -> String {
        switch notice {
        case .printed(let text): "printed \(text)"
        case .softMemoryQuotaExceeded(let domain, _): "soft \(domain.rawValue) exceeded"
        case .softMemoryQuotaKept(let domain, _): "soft \(domain.rawValue) kept"
        case .heldBack(let domain): "held back \(domain.rawValue)"
        case .request(let text): "request \(text.prefix { $0 != "," })"
        default: "\(notice)"
        }
    }

    private func text(_ outputs: [StoreOutput]) -> String {
        outputs.map { output -> String in
            switch output {
            case .attach(let domain, let port, _): "attach \(domain.rawValue) \(port.rawValue)"
            case .detach(let domain): "detach \(domain.rawValue)"
            case .log(let notice): "log \(Self.text(notice))"
            case .close, .send: scene.heard(output)?.description ?? "?"
            }
        }.joined(separator: " ; ")
    }
}
