import Testing
import XenCore
import XenStoreWire

@testable import XenStoreServer

/// Advisories on what a guest can use up, and on endings that killed a server.
@Suite struct StoreBoundAdvisoryTests {
    @Test(
        "XSA-72, XSA-323, XSA-324, XSA-420: lengths and numbers at their edges are refused, and harm nobody"
    )
    func numbersAtTheirEdges() throws {
        var script = Script()
        let long = String(repeating: "a", count: 4096)
        try script.run(
            """
            0 0 READ /\(String(repeating: "a", count: 3071))| => !ENOENT
            0 0 READ /\(String(repeating: "a", count: 3072))| => !EINVAL
            0 0 READ \(String(repeating: "a", count: 2049))| => !EINVAL
            0 0 READ \(long) => !EINVAL
            0 0 WRITE \(long) => !EINVAL
            0 0 WATCH /a|\(String(repeating: "t", count: 4090))| => OK| ; 0</a|\(String(repeating: "t", count: 4090))|
            3 0 WATCH \(String(repeating: "a", count: 2048))|\(String(repeating: "t", count: 2046))| => OK| ; 3<\(String(repeating: "a", count: 2048))|\(String(repeating: "t", count: 2046))|
            0 0 DIRECTORY_PART /|4294967295| => 2||
            0 0 DIRECTORY_PART /|4294967296| => 2|tool||
            0 0 DIRECTORY_PART /|-1| => 2||
            0 0 DIRECTORY_PART /|| => 2|tool||
            0 0 INTRODUCE 65536|1|1| => !EINVAL
            0 0 INTRODUCE 32752|1|1| => !EINVAL
            0 0 INTRODUCE 0|1|1| => !EINVAL
            0 0 INTRODUCE 4|9223372036854775808|1| => attach 4 1 ; OK|
            0 0 INTRODUCE 3|1|4294967296| => !EINVAL
            0 0 INTRODUCE 3|1|-1| => !EINVAL
            0 0 INTRODUCE 3|1| => !EINVAL
            0 0 SET_PERMS /|n65536| => !EINVAL
            0 0 SET_PERMS /|n-1| => !EINVAL
            0 0 SET_PERMS /|n32752| => !ENOENT
            0 0 GET_DOMAIN_PATH 65535| => /local/domain/65535|
            0 0 GET_DOMAIN_PATH 65536| => !EINVAL
            0 0 SET_QUOTA nodes|-1| => !EINVAL
            0 0 SET_FEATURE 3|4294967296| => OK|
            check =>
            """)
    }

    @Test("XSA-206: whoever makes others' transactions fail waits, and they get on")
    func conflictsAreCharged() throws {
        var script = Script()
        try script.run(
            """
            0 0 WRITE /contended|0 => OK|
            0 0 SET_PERMS /contended|n0|b3| => OK|
            """)
        for index in 1...ConflictCredit.burst {
            try script.run(
                """
                served 3 => yes
                0 0 TRANSACTION_START | => \(index)|
                0 \(index) READ /contended| => 0
                3 0 WRITE /contended|0 => OK|
                0 \(index) TRANSACTION_END T| => \(index == ConflictCredit.burst ? "log held back 3 ; " : "")!EAGAIN
                """)
        }
        try script.run(
            """
            served 3 => no
            served 3b => no
            served 0 => yes
            served 4 => yes
            """)
        #expect(script.core.nextWake != nil)
        try script.run(
            """
            0 0 TRANSACTION_START | => 6|
            0 6 WRITE /contended|1 => OK|
            0 6 TRANSACTION_END T| => OK|
            after 49 =>
            served 3 => no
            after 1 =>
            served 3 => yes
            0 0 TRANSACTION_START | => 7|
            0 7 READ /contended| => 1
            3 0 WRITE /contended|0 => OK|
            0 0 TRANSACTION_START | => 8|
            0 8 READ /contended| => 0
            3b 0 WRITE /contended|0 => OK|
            0 7 TRANSACTION_END T| => log held back 3 ; !EAGAIN
            0 8 TRANSACTION_END T| => !EAGAIN
            served 3 => no
            after 1000 =>
            served 3 => yes
            """)
        #expect(script.core.nextWake == nil)
    }

    @Test("XSA-206: removing what others read is charged, and what hits one's own or dom0 is not")
    func theRightOneIsCharged() throws {
        var script = Script()
        try script.run(
            """
            0 0 MKDIR /local/domain/3| => OK|
            0 0 SET_PERMS /local/domain/3|n3|b4| => OK|
            """)
        for index in 1...ConflictCredit.burst {
            let notice = index == ConflictCredit.burst ? "log held back 3 ; " : ""
            try script.run(
                """
                3 0 WRITE x|1 => OK|
                0 0 TRANSACTION_START | => \(index)|
                0 \(index) READ /local/domain/3/x| => 1
                3b 0 TRANSACTION_START | => \(index)|
                3b \(index) READ x| => 1
                3 0 RM x| => OK|
                4 0 WRITE /local/domain/3/y\(index)|1 => OK|
                0 \(index) TRANSACTION_END T| => \(notice)!EAGAIN
                3b \(index) TRANSACTION_END T| => !EAGAIN
                """)
        }
        try script.run(
            """
            served 3 => no
            served 4 => yes
            """)
    }

    @Test("XSA-272, XSA-415: each thing that a guest can make many of has an end")
    func everythingHasAnEnd() throws {
        var quota = StoreQuota()
        quota.nodes = 10
        quota.watches = 10
        quota.transactions = 10
        quota.memoryByteCount = 2000
        var script = Script(quota: quota)
        try script.run(
            """
            0 0 MKDIR /local/domain/3| => OK|
            0 0 SET_PERMS /local/domain/3|n3| => OK|
            """)
        for index in 0..<100 {
            _ = try script.reply("3 0 WRITE n\(index)|1")
            _ = try script.reply("3 0 WATCH a|\(index)|")
            _ = try script.reply("3 0 TRANSACTION_START |")
        }
        var usage = script.core.usage(of: DomainID(3))
        #expect(usage.nodes == 10)
        #expect(usage.watches == 10)
        #expect(usage.transactions == 10)
        for index in 0..<100 {
            _ = try script.reply("3 \(index % 10 + 1) READ missing-\(index)|")
            _ = try script.reply("3 \(index % 10 + 1) WRITE n1|\(index)")
            _ = try script.reply("3 0 WRITE n\(index % 10)|\(String(repeating: "x", count: 400))")
        }
        usage = script.core.usage(of: DomainID(3))
        #expect(usage.memory > 1500 && usage.memory <= 2000)
        try script.run("check =>")
    }

    @Test("XSA-326, XSA-416: a transaction that writes one node for ever holds one value")
    func transactionsHoldWhatTheyTouched() throws {
        var script = Script()
        try script.run(
            """
            0 0 MKDIR /local/domain/3| => OK|
            0 0 SET_PERMS /local/domain/3|n3| => OK|
            3 0 TRANSACTION_START | => 1|
            3 1 WRITE a|0 => OK|
            """)
        let once = script.core.usage(of: DomainID(3)).memory
        for index in 0..<2000 { try script.run("3 1 WRITE a|\(index % 10) => OK|") }
        #expect(script.core.usage(of: DomainID(3)).memory == once)
        try script.run(
            """
            3 1 TRANSACTION_END T| => OK|
            0 0 READ /local/domain/3/a| => 9
            check =>
            """)
    }

    @Test("XSA-325, XSA-354: watches of a connection that ends cost nothing more")
    func watchesEndWithTheirConnection() throws {
        var script = Script()
        for _ in 0..<100 {
            try script.run(
                """
                3 0 WATCH a|t| => OK| ; 3<a|t|
                3 0 WATCH @releaseDomain|t| => OK| ; 3<@releaseDomain|t|
                """)
            script.disconnect("3")
        }
        #expect(script.core.usage(of: DomainID(3)).watches == 0)
        #expect(script.core.usage(of: DomainID(3)).memory == 0)
        try script.run("check =>")
    }

    @Test("XSA-349: events of a change are as many as its watches, however often it is watched for")
    func eventsAreBounded() throws {
        var script = Script()
        for index in 0..<128 {
            try script.run("3 0 WATCH a|\(index)| => OK| ; 3<a|\(index)|")
        }
        let events = (0..<128).map { "3<a|\($0)|" }.joined(separator: " ; ")
        try script.run(
            """
            3 0 WATCH a|more| => !ENOSPC
            0 0 MKDIR /local/domain/3| => OK|
            0 0 SET_PERMS /local/domain/3|n3| => OK|
            0 0 WRITE /local/domain/3/a|1 => \(events) ; OK|
            """)
    }

    @Test("XSA-418: trees as deep as a path allows are walked without recursion")
    func depthIsNoStack() throws {
        let deep = String(repeating: "/a", count: 1500)
        var script = Script()
        try script.run(
            """
            introduce 3 =>
            0 0 MKDIR /a| => OK|
            0 0 WRITE \(deep)|1 => OK|
            0 0 SET_PERMS /a|n3| => OK|
            0 0 TRANSACTION_START | => 1|
            0 1 RM /a| => OK|
            0 1 TRANSACTION_END F| => OK|
            check =>
            release 3 => detach 3
            0 0 READ /a| => !ENOENT
            check =>
            """)
    }

    @Test("XSA-330, XSA-484: RESET_WATCHES with open transactions frees them once")
    func resettingFreesOnce() throws {
        var script = Script()
        try script.run(
            """
            0 0 MKDIR /local/domain/3| => OK|
            0 0 SET_PERMS /local/domain/3|n3| => OK|
            3 0 TRANSACTION_START | => 1|
            3 1 WRITE a|1 => OK|
            3 0 TRANSACTION_START | => 2|
            3 2 RESET_WATCHES | => OK|
            3 1 TRANSACTION_END T| => !ENOENT
            3 2 READ a| => !ENOENT
            3 0 RESET_WATCHES | => OK|
            3 0 READ a| => !ENOENT
            check =>
            """)
        #expect(script.core.usage(of: DomainID(3)).transactions == 0)
    }

    @Test("XSA-414, XSA-421: a domain that goes amid its transactions and watches takes them along")
    func goingAmidTransactions() throws {
        var script = Script()
        try script.run(
            """
            introduce 3 =>
            0 0 MKDIR /local/domain/3| => OK|
            0 0 SET_PERMS /local/domain/3|n3| => OK|
            3 0 WATCH a|t| => OK| ; 3<a|t|
            3 0 TRANSACTION_START | => 1|
            3 1 WRITE a|1 => OK|
            0 0 TRANSACTION_START | => 1|
            0 1 WRITE /local/domain/3/b|1 => OK|
            0 0 RELEASE 3| => 3<closed ; detach 3 ; OK|
            0 1 TRANSACTION_END T| => !EAGAIN
            check =>
            """)
    }

    @Test("XSA-425, XSA-440: commits and failures in any order leave accounts that add up")
    func accountsAddUp() throws {
        var quota = StoreQuota()
        quota.nodes = 6
        quota.transactionNodes = 8
        var script = Script(quota: quota)
        try script.run(
            """
            introduce 3 =>
            0 0 MKDIR /local/domain/3| => OK|
            0 0 SET_PERMS /local/domain/3|n3| => OK|
            """)
        var random = SplitMix(seed: 425)
        var open: [Int] = []
        for _ in 0..<3000 {
            let path = ["a", "a/b", "a/b/c", "d", "d/e"].randomElement(using: &random) ?? "a"
            let transaction = Bool.random(using: &random) ? open.randomElement(using: &random) : nil
            let request = [
                "WRITE \(path)|1", "MKDIR \(path)|", "RM \(path)|", "READ \(path)|",
                "SET_PERMS \(path)|n3|r4|", "DIRECTORY \(path)|",
            ].randomElement(using: &random)
            switch Int.random(in: 0..<12, using: &random) {
            case 0:
                let reply = try script.reply("3 0 TRANSACTION_START |")
                if let id = Int(reply.dropLast()) { open.append(id) }
            case 1:
                guard let id = open.randomElement(using: &random) else { continue }
                open.removeAll { $0 == id }
                let how = Bool.random(using: &random) ? "T" : "F"
                _ = try script.reply("3 \(id) TRANSACTION_END \(how)|")
            default: _ = try script.reply("3 \(transaction ?? 0) \(request ?? "READ a|")")
            }
            #expect(script.core.usage(of: DomainID(3)).nodes <= 6)
            #expect(script.core.findings() == [])
        }
    }
}
