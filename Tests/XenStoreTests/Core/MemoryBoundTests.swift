import Testing
import XenCore

@testable import XenStoreServer

/// The hard limit on memory, whatever a guest does to have more.
@Suite struct MemoryBoundTests {
    private let guest = DomainID(3)
    private let value = String(repeating: "x", count: 1000)

    /// A guest with a home of its own, and so much memory.
    private func script(memory: Int) throws -> Script {
        var quota = StoreQuota()
        quota.memoryByteCount = memory
        quota.softMemoryByteCount = 0
        var script = Script(quota: quota)
        try script.run(
            """
            0 0 MKDIR /local/domain/3| => OK|
            0 0 SET_PERMS /local/domain/3|n3| => OK|
            """)
        return script
    }

    /// Starts transactions 1 to 10 of guest 3, and does the same in each of them until it is refused.
    private func runInTransactions(
        _ script: inout Script, _ requests: [String]
    ) throws {
        for id in 1...10 {
            try script.run("3 0 TRANSACTION_START | => \(id)|")
            for request in requests {
                if try script.reply("3 \(id) \(request)") == "!ENOSPC" { break }
            }
        }
        #expect(script.core.usage(of: guest).memory <= 100_000)
        #expect(script.core.usage(of: guest).memory > 90_000)
        #expect(script.core.findings() == [])
    }

    @Test func lookingIsBounded() throws {
        var script = try script(memory: 100_000)
        let long = String(repeating: "x", count: 2000)
        try runInTransactions(&script, (10..<30).map { "READ \($0)\(long)|" })
        try script.run("3 10 TRANSACTION_END T| => !ENOMEM")
    }

    @Test func rewritingInTransactionsIsBounded() throws {
        var script = try script(memory: 100_000)
        for index in 0..<20 { try script.run("3 0 WRITE \(index)|\(value) => OK|") }
        try runInTransactions(&script, (0..<20).map { "WRITE \($0)|\(value)" })
    }

    @Test func permissionsInTransactionsAreBounded() throws {
        var script = try script(memory: 100_000)
        for index in 0..<20 { try script.run("3 0 WRITE \(index)|\(value) => OK|") }
        try runInTransactions(&script, (0..<20).map { "SET_PERMS \($0)|n3|r4|" })
    }

    @Test func removingInTransactionsIsBounded() throws {
        var script = try script(memory: 100_000)
        for index in 0..<20 {
            try script.run(
                """
                3 0 WRITE \(index)|\(value) => OK|
                3 0 WRITE \(index)/a|1 => OK|
                """)
        }
        try runInTransactions(&script, (0..<20).map { "RM \($0)/a|" })
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func noRequestPassesTheLimit(_ seed: UInt64) throws {
        let limit = 4000
        var script = try script(memory: limit)
        var random = SplitMix(seed: seed)
        var open: [Int] = []
        for _ in 0..<2000 {
            let path = ["a", "a/b", "a/b/c/d/e", "f", "f/g"].randomElement(using: &random) ?? "a"
            let value = String(repeating: "x", count: Int.random(in: 0..<600, using: &random))
            let request = [
                "WRITE \(path)|\(value)", "WRITE \(path)|\(value)", "MKDIR \(path)|",
                "RM \(path)|", "READ \(path)/missing|", "SET_PERMS \(path)|n3|r4|r5|",
                "WATCH \(path)|\(value)|",
            ].randomElement(using: &random)
            switch Int.random(in: 0..<12, using: &random) {
            case 0:
                let reply = try script.reply("3 0 TRANSACTION_START |")
                if let id = Int(reply.dropLast()) { open.append(id) }
            case 1:
                guard let id = open.randomElement(using: &random) else { continue }
                open.removeAll { $0 == id }
                _ = try script.reply("3 \(id) TRANSACTION_END T|")
            case 2: _ = try script.reply("3 0 UNWATCH \(path)|\(value)|")
            default:
                let transaction = open.randomElement(using: &random) ?? 0
                let isInside = Bool.random(using: &random)
                _ = try script.reply("3 \(isInside ? transaction : 0) \(request ?? "")")
            }
            #expect(script.core.usage(of: guest).memory <= limit)
        }
        #expect(script.core.findings() == [])
    }
}
