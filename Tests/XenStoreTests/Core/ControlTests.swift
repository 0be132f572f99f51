import Testing

@testable import XenStoreServer

/// CONTROL, as `xenstore-control` sends it.
@Suite struct ControlTests {
    @Test func commands() throws {
        var script = Script()
        try script.run(
            """
            3 0 CONTROL help| => !EACCES
            0 0 CONTROL => !EINVAL
            0 0 CONTROL help => !EINVAL
            0 0 CONTROL nonsense| => !EINVAL
            0 0 CONTROL help|x| => !EINVAL
            0 0 CONTROL check| => OK|
            0 0 CONTROL check|x| => !EINVAL
            0 0 CONTROL print|hello| => log printed hello ; OK|
            0 0 CONTROL print| => !EINVAL
            0 0 CONTROL logfile|/tmp/x| => !ENOSYS
            0 0 CONTROL live-update|-s| => !ENOSYS
            0 0 CONTROL memreport|/tmp/x| => !ENOSYS
            0 0 CONTROL log|+io| => OK|
            0 0 CONTROL log|-io| => log request CONTROL ; OK|
            0 0 CONTROL log|+nonsense| => !EINVAL
            0 0 CONTROL log|*io| => !EINVAL
            0 0 CONTROL log|| => !EINVAL
            0 0 CONTROL log|on|off| => !EINVAL
            0 0 CONTROL log|on| => OK|
            0 0 CONTROL log|off| => log request CONTROL ; OK|
            0 0 CONTROL quota|set|nodes|5| => OK|
            0 0 GET_QUOTA nodes| => 5|
            0 0 CONTROL quota|set|permissions|6| => OK|
            0 0 GET_QUOTA node-permissions| => 6|
            0 0 CONTROL quota|set|soft-memory|6| => !EINVAL
            0 0 CONTROL quota|set|nodes|0| => !EINVAL
            0 0 CONTROL quota|set|nodes| => !EINVAL
            0 0 CONTROL quota|set|nonsense|1| => !EINVAL
            0 0 CONTROL quota-soft|set|memory|77| => OK|
            0 0 GET_QUOTA soft-memory| => 77|
            0 0 CONTROL quota-soft|set|nodes|77| => !EINVAL
            0 0 CONTROL quota-soft|3| => !EINVAL
            0 0 CONTROL quota|99| => !ENOENT
            0 0 CONTROL quota|x| => !EINVAL
            0 0 CONTROL quota|max|x| => !EINVAL
            0 0 CONTROL watches|x| => !EINVAL
            """)
    }

    /// As in the C daemon, where all domains have the same limits; one that has its own keeps it.
    @Test func quotasThatAreSetHoldForRunningDomains() throws {
        var script = Script()
        try script.run(
            """
            introduce 3 =>
            introduce 4 =>
            0 0 SET_QUOTA 4|nodes|7| => OK|
            0 0 SET_QUOTA 4|soft-memory|8| => OK|
            0 0 CONTROL quota|set|nodes|5| => OK|
            0 0 CONTROL quota|set|memory|50| => OK|
            0 0 CONTROL quota-soft|set|memory|6| => OK|
            0 0 GET_QUOTA 3|nodes| => 5|
            0 0 GET_QUOTA 3|memory| => 50|
            0 0 GET_QUOTA 3|soft-memory| => 6|
            0 0 GET_QUOTA 4|nodes| => 7|
            0 0 GET_QUOTA 4|memory| => 50|
            0 0 GET_QUOTA 4|soft-memory| => 8|
            release 4 => detach 4
            introduce 4 =>
            0 0 CONTROL quota|set|nodes|9| => OK|
            0 0 GET_QUOTA 4|nodes| => 9|
            """)
    }

    @Test func quotasAreShownAsTheDaemonShowsThem() throws {
        var script = Script()
        try script.run(
            """
            0 0 MKDIR /local/domain/3| => OK|
            0 0 SET_PERMS /local/domain/3|n3| => OK|
            3 0 WRITE a|1234 => OK|
            3 0 WRITE b|1 => OK|
            3 0 RM b| => OK|
            """)
        #expect(
            try script.reply("0 0 CONTROL quota|").contains("nodes            :     1000 Nodes"))
        let account = try script.reply("0 0 CONTROL quota|3|")
        #expect(account.hasPrefix("Domain 3:\n"))
        #expect(account.contains("nodes            :        2 (max        3)\n"))
        // `a`, after the home.
        #expect(account.contains("path-max         :        1"), "\(account)")
        let most = try script.reply("0 0 CONTROL quota|max|")
        #expect(most.hasPrefix("Max. seen accounting values:\n"))
        #expect(most.contains("nodes            :        3\n"))
        #expect(
            try script.reply("0 0 CONTROL quota|max|-r|").contains("nodes            :        2\n"))
        #expect(try script.reply("0 0 CONTROL quota-soft|").contains("memory           :  2097152"))
        #expect(try script.reply("0 0 CONTROL log|").contains("io      : off\n"))
        #expect(
            try script.reply("0 0 CONTROL help|").contains("quota-soft      [set <name> <val>]\n"))
        #expect(try script.reply("0 0 CONTROL memreport|").contains("domain 3:"))
    }

    @Test func viewsShowWhoHoldsWhat() throws {
        var script = Script()
        try script.run(
            """
            0 0 WATCH /a|token|2| => OK| ; 0</a|token|
            3 0 WATCH own|t| => OK| ; 3<own|t|
            3 0 TRANSACTION_START | => 1|
            3 1 READ own| => !EACCES
            """)
        let watches = try script.reply("0 0 CONTROL watches|")
        #expect(watches.hasPrefix("2 watches\n"))
        #expect(watches.contains("domain 0: /a token depth 2\n"))
        #expect(watches.contains("domain 3: /local/domain/3/own t\n"))
        #expect(try script.reply("0 0 CONTROL transactions|").contains("domain 3: 1, 5 nodes"))
        #expect(try script.reply("0 0 CONTROL connections|").hasPrefix("2 connections\n"))
    }

    /// A reply holds 4096 bytes: a longer view says where to go on.
    @Test func longViewsComeInPages() throws {
        var script = Script()
        for index in 0..<500 {
            try script.run("0 0 WATCH /some/path|\(index)| => OK| ; 0</some/path|\(index)|")
        }
        var first = 0
        var count = 0
        while true {
            let page = try script.reply("0 0 CONTROL watches|\(first)|")
            #expect(page.utf8.count <= 4096)
            count += page.split(separator: "\n").count { $0.contains("/some/path") }
            guard
                let range = page.split(separator: "\n").last(where: { $0.hasPrefix("go on from ") })
            else { break }
            let next = try #require(Int(range.dropFirst("go on from ".count)))
            #expect(next > first)
            first = next
        }
        #expect(count == 500)
    }
}
