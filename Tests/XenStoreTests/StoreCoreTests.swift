import Testing
import XenCore
import XenStoreWire

@testable import XenStoreServer

/// The server's answers, request by request, as the C xenstored gives them.
@Suite struct StoreCoreTests {
    @Test func nodes() throws {
        var script = Script()
        try script.run(
            """
            0 0 READ /a| => !ENOENT
            0 0 WRITE /a/b|one => OK|
            0 0 READ /a/b| => one
            0 0 READ /a| =>
            0 0 WRITE /a/b|t|w|o => OK|
            0 0 READ /a/b| => t|w|o
            0 0 MKDIR /a/b| => OK|
            0 0 READ /a/b| => t|w|o
            0 0 MKDIR /a/z| => OK|
            0 0 MKDIR /a/c| => OK|
            0 0 DIRECTORY /a| => b|z|c|
            0 0 DIRECTORY /a/c| =>
            0 0 DIRECTORY /| => tool|a|
            0 0 RM /a/z| => OK|
            0 0 RM /a/z| => OK|
            0 0 RM /a/z/y| => !ENOENT
            0 0 RM /| => !EINVAL
            0 0 RM /a| => OK|
            0 0 READ /a/b| => !ENOENT
            0 0 WRITE relative|x => OK|
            0 0 READ /local/domain/0/relative| => x
            0 0 GET_DOMAIN_PATH 5| => /local/domain/5|
            """)
    }

    @Test func requestsOfTheWrongForm() throws {
        var script = Script()
        try script.run(
            """
            0 0 READ => !EINVAL
            0 0 READ /a => !EINVAL
            0 0 READ /a|| => !EINVAL
            0 0 READ | => !EINVAL
            0 0 READ /a/| => !EINVAL
            0 0 READ //a| => !EINVAL
            0 0 READ /a b| => !EINVAL
            0 0 READ @introduceDomain| => !EINVAL
            0 0 WRITE /a => !EINVAL
            0 0 WRITE @x|y => !EINVAL
            0 0 WATCH /a| => !EINVAL
            0 0 WATCH /a|t|1|2| => !EINVAL
            0 0 WATCH /a|t|x| => !EINVAL
            0 0 UNWATCH /a|t| => !ENOENT
            0 0 SET_PERMS /| => !EINVAL
            0 0 SET_PERMS /|x0| => !EINVAL
            0 0 SET_PERMS /|n| => !EINVAL
            0 0 SET_PERMS /|n99999| => !EINVAL
            0 0 TRANSACTION_END T| => !ENOENT
            0 0 TRANSACTION_END X| => !EINVAL
            0 9 READ /| => !ENOENT
            0 9 WATCH /w|t| => OK| ; 0</w|t|
            0 0 WATCH_EVENT /a|t| => !ENOSYS
            0 0 ERROR EINVAL| => !ENOSYS
            0 0 RESTRICT 1| => !ENOSYS
            0 0 CONTROL nonsense| => !EINVAL
            3 0 INTRODUCE 3|1|1| => !EACCES
            0 0 INTRODUCE 3|1|0| => !EINVAL
            """)
    }

    @Test func permissions() throws {
        var script = Script()
        try script.run(
            """
            3 0 READ /tool| => !EACCES
            3 0 READ /nothing| => !EACCES
            3 0 WRITE /x|1 => !EACCES
            0 0 MKDIR /local/domain/3| => OK|
            0 0 SET_PERMS /local/domain/3|n3| => OK|
            3 0 WRITE own|1 => OK|
            3 0 GET_PERMS own| => n3|
            3 0 READ missing| => !ENOENT
            4 0 READ /local/domain/3/own| => !EACCES
            4 0 READ /local/domain/3/missing| => !EACCES
            3 0 SET_PERMS own|n3|r4| => OK|
            4 0 READ /local/domain/3/own| => 1
            4 0 WRITE /local/domain/3/own|2 => !EACCES
            3 0 SET_PERMS own|n3|b4|n4| => OK|
            4 0 WRITE /local/domain/3/own|2 => OK|
            4 0 SET_PERMS /local/domain/3/own|n3|b5| => !EACCES
            3 0 SET_PERMS own|n4| => !EPERM
            3 0 SET_PERMS own|n3|r1|r2|r4|r5|r6| => !ENOSPC
            4 0 WRITE /local/domain/3/own/below|3 => OK|
            0 0 GET_PERMS /local/domain/3/own/below| => n4|b4|n4|
            0 0 SET_PERMS /local/domain/3|r3| => OK|
            4 0 READ /local/domain/3/missing| => !ENOENT
            0 0 GET_PERMS @releaseDomain| => n0|
            3 0 GET_PERMS @releaseDomain| => !EACCES
            0 0 SET_PERMS @releaseDomain|n0|r3| => OK|
            3 0 GET_PERMS @releaseDomain| => n0|r3|
            0 0 GET_PERMS @unknown| => !ENOENT
            """)
    }

    @Test func aDomainMayActForItsTarget() throws {
        var script = Script()
        try script.run(
            """
            0 0 WRITE /for-3|x => OK|
            0 0 SET_PERMS /for-3|n0|r3| => OK|
            4 0 READ /for-3| => !EACCES
            0 0 SET_TARGET 4|3| => !ENOENT
            introduce 3 =>
            introduce 4 =>
            0 0 SET_TARGET 4|3| => OK|
            4 0 READ /for-3| => x
            """)
    }

    @Test func watches() throws {
        var script = Script()
        try script.run(
            """
            0 0 WATCH /a|t| => OK| ; 0</a|t|
            0 0 WATCH /a|t| => !EEXIST
            0 0 WATCH /a|u| => OK| ; 0</a|u|
            0b 0 WRITE /a/b|1 => 0</a/b|t| ; 0</a/b|u| ; OK|
            0b 0 WRITE /ab|1 => OK|
            0 0 UNWATCH /a|u| => OK|
            0 0 UNWATCH /a|u| => !ENOENT
            0b 0 MKDIR /a/b| => OK|
            0b 0 SET_PERMS /a/b|n0| => 0</a/b|t| ; OK|
            0b 0 WATCH /a/b/c|deep| => OK| ; 0b</a/b/c|deep|
            0 0 WRITE /a/b/c|1 => 0</a/b/c|t| ; 0b</a/b/c|deep| ; OK|
            0 0 RM /a/b| => 0b</a/b/c|deep| ; 0</a/b|t| ; OK|
            0 0 WATCH home|r| => OK| ; 0<home|r|
            0 0 WRITE home/x|1 => 0<home/x|r| ; OK|
            0 0 WRITE /local/domain/0/home|1 => 0<home|r| ; OK|
            0 0 UNWATCH /local/domain/0/home|r| => OK|
            0 0 TRANSACTION_START | => 1|
            0 1 WRITE /lost|1 => OK|
            0 0 RESET_WATCHES | => OK|
            0 1 READ /lost| => !ENOENT
            0 0 READ /lost| => !ENOENT
            0 0 WRITE /a|1 => OK|
            """)
    }

    @Test func watchesTellOnlyWhoMayRead() throws {
        var script = Script()
        try script.run(
            """
            0 0 MKDIR /secret| => OK|
            3 0 WATCH /secret|t| => OK| ; 3</secret|t|
            0 0 WRITE /secret|1 => OK|
            0 0 SET_PERMS /secret|n0|r3| => 3</secret|t| ; OK|
            0 0 WRITE /secret|2 => 3</secret|t| ; OK|
            0 0 WRITE /secret/child|2 => 3</secret/child|t| ; OK|
            0 0 SET_PERMS /secret/child|n0| => 3</secret/child|t| ; OK|
            0 0 SET_PERMS /secret|n0| => 3</secret|t| ; OK|
            0 0 RM /secret| => OK|
            """)
    }

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
            release 3 => 3<closed ; 0<@releaseDomain|r|
            3 0 READ data| =>
            0 0 READ /local/domain/3| => !ENOENT
            0 0 GET_PERMS /shared| => n0|r4|
            0 0 RELEASE 4| => detach 4 ; 0<@releaseDomain|r| ; OK|
            0 0 RELEASE 4| => !ENOENT
            0 0 RELEASE 0| => !EINVAL
            """)
        #expect(script.core.connections.count == 1)
    }

    @Test func transactionsSeeOneMomentAndConflictByNode() throws {
        var script = Script()
        try script.run(
            """
            0 0 WRITE /n|0 => OK|
            0 0 TRANSACTION_START | => 1|
            0 1 TRANSACTION_START | => !EBUSY
            0 1 READ /n| => 0
            0 1 WRITE /m|1 => OK|
            0 1 READ /m| => 1
            0 0 READ /m| => !ENOENT
            0 1 TRANSACTION_END T| => OK|
            0 1 TRANSACTION_END T| => !ENOENT
            0 0 READ /m| => 1
            0 0 TRANSACTION_START | => 2|
            0 2 READ /n| => 0
            0b 0 WRITE /n|1 => OK|
            0 2 READ /n| => 0
            0 2 TRANSACTION_END T| => !EAGAIN
            0 2 READ /n| => !ENOENT
            0 0 TRANSACTION_START | => 3|
            0 3 READ /m| => 1
            0b 0 WRITE /n|2 => OK|
            0 3 TRANSACTION_END T| => OK|
            0 0 TRANSACTION_START | => 4|
            0 4 WRITE /gone|1 => OK|
            0 4 TRANSACTION_END F| => OK|
            0 0 READ /gone| => !ENOENT
            0 0 TRANSACTION_START | => 5|
            0 5 READ /later| => !ENOENT
            0b 0 WRITE /later|1 => OK|
            0 5 TRANSACTION_END T| => !EAGAIN
            0 0 TRANSACTION_START | => 6|
            0 6 TRANSACTION_END X| => !EINVAL
            0 6 READ /n| => 2
            """)
    }

    @Test func twoTransactionsMayMakeDifferentChildren() throws {
        var script = Script()
        try script.run(
            """
            0 0 MKDIR /p| => OK|
            0 0 TRANSACTION_START | => 1|
            0b 0 TRANSACTION_START | => 1|
            0 1 WRITE /p/a|1 => OK|
            0b 1 WRITE /p/b|1 => OK|
            0 1 TRANSACTION_END T| => OK|
            0b 1 TRANSACTION_END T| => OK|
            0 0 DIRECTORY /p| => a|b|
            0 0 TRANSACTION_START | => 2|
            0 2 DIRECTORY /p| => a|b|
            0b 0 WRITE /p/c|1 => OK|
            0 2 TRANSACTION_END T| => !EAGAIN
            0 0 TRANSACTION_START | => 3|
            0 3 RM /p| => OK|
            0b 0 WRITE /p/d|1 => OK|
            0 3 TRANSACTION_END T| => !EAGAIN
            0 0 TRANSACTION_START | => 4|
            0 4 WRITE /p/e/f|1 => OK|
            0b 0 RM /p| => OK|
            0 4 TRANSACTION_END T| => !EAGAIN
            """)
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
        core.attached(try introduce(), as: ring, now: .now, &outputs)
        let watch = try Packet(.watch, requestID: 1, payload: Array("a\0t\0".utf8))
        core.handle(watch, from: ring, now: .now, &outputs)
        #expect(core.memory(of: ring) > 0)
        let ticket = try introduce()
        core.attached(ticket, as: ring, now: .now, &outputs)
        #expect(core.memory(of: ring) == 0)
        // A ticket is good for one answer.
        outputs = []
        core.attached(ticket, as: ring, now: .now, &outputs)
        #expect(outputs.isEmpty)
        // Released before the ring was there: told so, and not introduced after all.
        let late = try introduce()
        core.release(DomainID(3), &outputs)
        outputs = []
        core.attached(late, as: nil, now: .now, &outputs)
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

    @Test func transactionsTellWatchesWhenTheyCommit() throws {
        var script = Script()
        try script.run(
            """
            0 0 WRITE /old/child|1 => OK|
            0b 0 WATCH /|t| => OK| ; 0b</|t|
            0 0 TRANSACTION_START | => 1|
            0 1 WRITE /a/b|1 => OK|
            0 1 WRITE /a/b|2 => OK|
            0 1 WRITE /c|1 => OK|
            0 1 RM /c| => OK|
            0 1 RM /old| => OK|
            0 1 TRANSACTION_END T| => 0b</a/b|t| ; 0b</old|t| ; OK|
            0 0 READ /a/b| => 2
            0 0 DIRECTORY /| => tool|a|
            """)
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
