import Testing
import XenCore
import XenStoreWire

@testable import XenStoreServer

/// What the server's core does beyond the tables that hold for every server (`StoreTable`).
@Suite struct StoreCoreTests {
    @Test func domainsComeAndGo() throws {
        var script = Script()
        try script.run(
            """
            0 0 WATCH @introduceDomain|i| => OK| ; 0<@introduceDomain|i|
            0 0 WATCH @releaseDomain|r| => OK| ; 0<@releaseDomain|r|
            3 0 WATCH @introduceDomain|i| => OK| ; 3<@introduceDomain|i|
            introduce 3 => 0<@introduceDomain|i|
            introduce 3 =>
            0 0 IS_DOMAIN_INTRODUCED 3| => T|
            0 0 IS_DOMAIN_INTRODUCED 4| => F|
            0 0 INTRODUCE 4|1|5| => attach 4 5 ; 0<@introduceDomain|i| ; OK|
            0 0 RESUME 4| => OK|
            0 0 RESUME 5| => !ENOENT
            0 0 MKDIR /local/domain/3| => OK|
            0 0 SET_PERMS /local/domain/3|n3| => OK|
            3 0 WRITE data|1 => OK|
            0 0 WRITE /shared|1 => OK|
            0 0 SET_PERMS /shared|n0|r3|r4| => OK|
            release 3 => 3<closed ; detach 3 ; 0<@releaseDomain|r|
            3 0 READ data| =>
            0 0 READ /local/domain/3| => !ENOENT
            0 0 GET_PERMS /shared| => n0|r4|
            0 0 RELEASE 4| => detach 4 ; 0<@releaseDomain|r| ; OK|
            0 0 RELEASE 4| => !ENOENT
            0 0 RELEASE 0| => !EINVAL
            """)
        #expect(script.core.connections.count == 1)
    }

    @Test func aBlindWriteConflictsToo() throws {
        var script = Script()
        try script.run(
            """
            0 0 WRITE /n|0 => OK|
            0 0 TRANSACTION_START | => 1|
            0 1 WRITE /n|1 => OK|
            0b 0 WRITE /n|2 => OK|
            0 1 TRANSACTION_END T| => !EAGAIN
            0 0 READ /n| => 2
            """)
    }

    /// Whatever was made, changed, removed and made again in a transaction is there after it, in order.
    @Test func commitsCarryEveryKindOfChange() throws {
        var script = Script()
        try script.run(
            """
            0 0 WRITE /t/a/x|1 => OK|
            0 0 WRITE /t/b|1 => OK|
            0 0 WRITE /t/c|1 => OK|
            0 0 TRANSACTION_START | => 1|
            0 1 RM /t/a| => OK|
            0 1 WRITE /t/d/e|1 => OK|
            0 1 WRITE /t/a/y|2 => OK|
            0 1 SET_PERMS /t/b|n0|r3| => OK|
            0 1 WRITE /t/c|2 => OK|
            0 1 WRITE /t/f|1 => OK|
            0 1 RM /t/f| => OK|
            0b 0 WRITE /t/g|1 => OK|
            0b 0 WATCH /t|w| => OK| ; 0b</t|w|
            0 1 TRANSACTION_END T| => 0b</t/a|w| ; 0b</t/d/e|w| ; 0b</t/a/y|w| ; 0b</t/b|w| ; 0b</t/c|w| ; OK|
            0 0 DIRECTORY /t| => b|c|g|d|a|
            0 0 DIRECTORY /t/a| => y|
            0 0 READ /t/a/x| => !ENOENT
            0 0 GET_PERMS /t/b| => n0|r3|
            0 0 READ /t/c| => 2
            check =>
            """)
    }

    /// INTRODUCE waits for the shell, which maps the page and binds the port.
    @Test func introducing() throws {
        var script = Script()
        try script.run(
            """
            0 0 WATCH @introduceDomain|i| => OK| ; 0<@introduceDomain|i|
            0 0 INTRODUCE 3|1|5|more| => attach 3 5 ; 0<@introduceDomain|i| ; OK|
            0 0 INTRODUCE 3|1|6| => attach 3 6 ; OK|
            0 0 IS_DOMAIN_INTRODUCED 32752| => T|
            0 0 IS_DOMAIN_INTRODUCED 3| => T|
            3 0 IS_DOMAIN_INTRODUCED 3| => !EACCES
            3 0 RELEASE 3| => !EACCES
            3 0 RESUME 3| => !EACCES
            3 0 SET_TARGET 3|0| => !EACCES
            release 3 => 3<closed ; detach 3
            0 0 RESUME 3| => !ENOENT
            """)
        script.attachFailure = .noMemory
        try script.run(
            """
            0 0 INTRODUCE 4|1|5| => attach 4 5 ; !ENOMEM
            0 0 IS_DOMAIN_INTRODUCED 4| => F|
            """)
    }

    @Test func introducingAgainDropsWhatTheRingHad() throws {
        var core = StoreCore()
        var outputs: [StoreOutput] = []
        let toolstack = core.connect(as: .dom0)
        let ring = core.connect(as: DomainID(3))
        func introduce() throws -> IntroductionTicket {
            outputs = []
            let packet = try Packet(.introduce, requestID: 1, payload: Array("3\01\05\0".utf8))
            core.handle(packet, from: toolstack, now: .now, &outputs)
            guard
                case .attach(DomainID(3), port: EventPort(rawValue: 5), let ticket) = outputs.first
            else { throw StoreErrorName.invalid }
            return ticket
        }
        core.attached(try introduce(), as: ring, &outputs)
        let watch = try Packet(.watch, requestID: 1, payload: Array("a\0t\0".utf8))
        core.handle(watch, from: ring, now: .now, &outputs)
        #expect(core.memory(of: ring) > 0)
        let ticket = try introduce()
        core.attached(ticket, as: ring, &outputs)
        #expect(core.memory(of: ring) == 0)
        // A ticket is good for one answer.
        outputs = []
        core.attached(ticket, as: ring, &outputs)
        #expect(outputs.isEmpty)
        // Released before the ring was there: told so, and not introduced after all.
        let late = try introduce()
        core.release(DomainID(3), &outputs)
        outputs = []
        core.attached(late, as: nil, &outputs)
        guard case .send(toolstack, let reply) = outputs.first else {
            return #expect(Bool(false), "no reply")
        }
        #expect(reply.operation == .error)
        #expect(core.findings() == [])
    }

    /// An entry for all domains at once (`ServerFeatures.anyDomain`).
    @Test func entriesMayNameAnyDomain() throws {
        var script = Script()
        try script.run(
            """
            0 0 WRITE /x|1 => OK|
            0 0 SET_PERMS /x|n0|n4|r32757| => OK|
            3 0 READ /x| => 1
            4 0 READ /x| => !EACCES
            3 0 WRITE /x|1 => !EACCES
            0 0 GET_PERMS /x| => n0|n4|r32757|
            0 0 SET_PERMS /x|r32757| => !ENOENT
            """)
    }

    @Test func partsBelongTogetherByTheList() throws {
        var script = Script()
        try script.run("0 0 WRITE /p/a|1 => OK|")
        let before = try script.reply("0 0 DIRECTORY_PART /p|0|")
        try script.run("0 0 WRITE /p|2 => OK|")
        #expect(try script.reply("0 0 DIRECTORY_PART /p|0|") == before)
        try script.run("0 0 WRITE /p/b|2 => OK|")
        #expect(try script.reply("0 0 DIRECTORY_PART /p|0|") != before)
    }

    /// Lists as long as pieces can get, growing and shrinking in any order, in and out of snapshots.
    @Test func longListsStayInOrder() throws {
        var script = Script()
        var random = SplitMix(seed: 6)
        var expected: [Int] = []
        var next = 0
        try script.run("0 0 MKDIR /l| => OK|")
        for round in 0..<3000 {
            if round.isMultiple(of: 500) { _ = try script.reply("0 0 TRANSACTION_START |") }
            let isShrinking = round > 1500
            if let index = expected.indices.randomElement(using: &random),
                Int.random(in: 0..<4, using: &random) < (isShrinking ? 3 : 1)
            {
                try script.run("0 0 RM /l/\(expected.remove(at: index))| => OK|")
            } else {
                try script.run("0 0 MKDIR /l/\(next)| => OK|")
                expected.append(next)
                next += 1
            }
            if round.isMultiple(of: 97) {
                let list = expected.map { "\($0)|" }.joined()
                let found = try script.reply("0 0 DIRECTORY /l|")
                #expect(found == (list.utf8.count > 4096 ? "!E2BIG" : list))
                #expect(script.core.findings() == [])
            }
        }
    }

    @Test func quotasBoundAGuest() throws {
        var quota = StoreQuota()
        quota.nodes = 4
        quota.watches = 2
        quota.transactions = 1
        quota.transactionNodes = 2
        quota.nodeByteCount = 8
        quota.pathByteCount = 12
        var script = Script(quota: quota)
        try script.run(
            """
            0 0 MKDIR /local/domain/3| => OK|
            0 0 SET_PERMS /local/domain/3|n3| => OK|
            3 0 WRITE a|12345678 => OK|
            3 0 WRITE a|123456789 => !ENOSPC
            3 0 WRITE a-long-path|1 => !ENOSPC
            3 0 WRITE a-longer-path|1 => !EINVAL
            3 0 WATCH a|1| => OK| ; 3<a|1|
            3 0 WATCH a|2| => OK| ; 3<a|2|
            3 0 WATCH a|3| => !ENOSPC
            3 0 TRANSACTION_START | => 1|
            3 0 TRANSACTION_START | => !ENOSPC
            3 1 WRITE b|1 => OK|
            3 1 WRITE c|1 => !ENOSPC
            3 1 WRITE b|2 => OK|
            3 1 TRANSACTION_END T| => !ENOMEM
            3 0 WRITE b/c|1 => OK|
            3 0 WRITE d|1 => !ENOSPC
            3 0 RM b| => OK|
            3 0 WRITE d|1 => OK|
            """)
    }

    @Test func longDirectoriesComeInParts() throws {
        var script = Script()
        for index in 0..<600 { try script.run("0 0 MKDIR /many/child-\(index + 1000)| => OK|") }
        try script.run(
            """
            0 0 DIRECTORY /many| => !E2BIG
            0 0 DIRECTORY_PART /many| => !EINVAL
            0 0 DIRECTORY_PART /missing|0| => !ENOENT
            """)
        var names: [[UInt8]] = []
        var offset = 0
        let connection = script.core.connections.all.first?.id
        var part = DirectoryPart(generation: 0, names: [], isLast: false)
        while !part.isLast {
            let request = try Packet(
                .directoryPart, requestID: 1, payload: Array("/many\0\(offset)\0".utf8))
            var core = script.core
            var outputs: [StoreOutput] = []
            core.handle(request, from: try #require(connection), now: .now, &outputs)
            guard case .send(_, let reply) = outputs.first
            else { return #expect(Bool(false), "no reply") }
            part = try Reply.part(reply.payload)
            names += part.names
            offset += part.listByteCount
        }
        #expect(names == (0..<600).map { Array("child-\($0 + 1000)".utf8) })
    }

    @Test func theDeepestPathIsMadeListedAndRemoved() throws {
        let deep = String(repeating: "/a", count: 1536)
        var script = Script()
        try script.run(
            """
            0 0 WRITE \(deep)|x => OK|
            0 0 READ \(deep)| => x
            0 0 READ \(deep)/a| => !EINVAL
            0 0 WATCH \(deep)|t| => OK| ; 0<\(deep)|t|
            0 0 RM /a| => 0<\(deep)|t| ; OK|
            """)
        #expect(script.core.usage(of: .dom0).nodes == 5)
    }
}
