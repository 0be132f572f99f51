import Testing
import XenCore
import XenStoreWire

@testable import XenStoreServer

/// Advisories on who may see and do what.
@Suite struct StorePermissionAdvisoryTests {
    @Test("XSA-115: a watch tells only who may read the node, its old self or its parent")
    func watchesAreBoundByPermissions() throws {
        var script = Script()
        try script.run(
            """
            0 0 MKDIR /secret| => OK|
            3 0 WATCH /|all| => OK| ; 3</|all|
            3 0 WATCH @introduceDomain|i| => OK| ; 3<@introduceDomain|i|
            3 0 WATCH @releaseDomain|r|1| => OK| ; 3<@releaseDomain|r|
            0 0 WRITE /secret/key|1 => OK|
            0 0 SET_PERMS /secret/key|n0|w3| => OK|
            0 0 RM /secret/key| => OK|
            introduce 5 =>
            release 5 => detach 5
            0 0 SET_PERMS @releaseDomain|n0|r3| => 3<@releaseDomain|r| ; OK|
            introduce 5 =>
            release 5 => detach 5 ; 3<@releaseDomain/5|r|
            """)
    }

    @Test("XSA-352: a node's owner changes by dom0's hand alone")
    func ownersStay() throws {
        var script = Script()
        try script.run(
            """
            0 0 MKDIR /local/domain/3| => OK|
            0 0 SET_PERMS /local/domain/3|n3|b4| => OK|
            4 0 WRITE /local/domain/3/x|1 => OK|
            4 0 SET_PERMS /local/domain/3/x|n3| => !EPERM
            4 0 SET_PERMS /local/domain/3|n4| => !EACCES
            3 0 SET_PERMS /local/domain/3|n4|b3| => !EPERM
            3 0 SET_PERMS /local/domain/3|n0| => !EPERM
            0 0 SET_PERMS /local/domain/3|n4| => OK|
            """)
    }

    @Test("XSA-353: the root can be removed by nobody, in or out of a transaction")
    func theRootStays() throws {
        var script = Script()
        try script.run(
            """
            0 0 SET_PERMS /|b3| => OK|
            3 0 RM /| => !EINVAL
            0 0 RM /| => !EINVAL
            0 0 TRANSACTION_START | => 1|
            0 1 RM /| => !EINVAL
            0 1 TRANSACTION_END T| => OK|
            release 3 => 3<closed ; detach 3
            0 0 READ /| =>
            0 0 SET_PERMS /|n3| => OK|
            introduce 3 =>
            0 0 SET_PERMS @releaseDomain|n3| => OK|
            release 3 => detach 3
            0 0 GET_PERMS /| => n0|
            0 0 GET_PERMS @releaseDomain| => n0|
            check =>
            """)
    }

    @Test("XSA-481: a path that begins like another's is not below it")
    func prefixesAreNames() throws {
        var script = Script()
        try script.run(
            """
            0 0 WRITE /local/domain/1/x|1 => OK|
            0 0 WRITE /local/domain/10/x|1 => OK|
            0 0 SET_PERMS /local/domain/1|n1| => OK|
            1 0 WATCH /local/domain/1|t| => OK| ; 1</local/domain/1|t|
            1 0 READ /local/domain/10| => !EACCES
            0 0 SET_PERMS /local/domain/10|r10| => OK|
            0 0 WRITE /local/domain/1|y => 1</local/domain/1|t| ; OK|
            release 1 => 1<closed ; detach 1
            0 0 READ /local/domain/1| => !ENOENT
            0 0 READ /local/domain/10/x| => 1
            """)
    }

    @Test("XSA-322: what was written of a domain counts for no other with its id")
    func entriesNameOneDomain() throws {
        var script = Script()
        try script.run(
            """
            introduce 3 =>
            0 0 WRITE /shared|1 => OK|
            0 0 SET_PERMS /shared|n0|r3| => OK|
            0 0 SET_PERMS @releaseDomain|n0|r3| => OK|
            3 0 READ /shared| => 1
            0 0 SET_TARGET 3|3| => OK|
            release 3 => 3<closed ; detach 3
            introduce 3 =>
            3b 0 READ /shared| => !EACCES
            0 0 GET_PERMS /shared| => n0|
            3b 0 GET_PERMS @releaseDomain| => !EACCES
            0 0 MKDIR /local/domain/3| => OK|
            0 0 SET_PERMS /local/domain/3|n3| => OK|
            3b 0 WRITE mine|1 => OK|
            3b 0 SET_PERMS mine|n3|r9| => OK|
            3b 0 GET_PERMS mine| => n3|r9|
            9 0 READ /local/domain/3/mine| => !EACCES
            3b 0 SET_PERMS mine|n3|r9| => OK|
            9 0 READ /local/domain/3/mine| => 1
            """)
    }

    @Test("XSA-322: a device model's rights to its target end with the target")
    func targetsNameOneDomain() throws {
        var script = Script()
        try script.run(
            """
            introduce 3 =>
            introduce 4 =>
            0 0 SET_TARGET 4|3| => OK|
            release 3 => detach 3
            introduce 3 =>
            0 0 WRITE /for-3|x => OK|
            0 0 SET_PERMS /for-3|n0|r3| => OK|
            4 0 READ /for-3| => !EACCES
            3 0 READ /for-3| => x
            """)
    }

    @Test("XSA-417: nodes of a dead domain go with it, and with all below them, whoever owns that")
    func nodesGoWithTheirOwner() throws {
        var script = Script()
        try script.run(
            """
            introduce 3 =>
            introduce 4 =>
            0 0 MKDIR /local/domain/3| => OK|
            0 0 SET_PERMS /local/domain/3|n3|b4| => OK|
            4 0 WRITE /local/domain/3/of-4/deep|1 => OK|
            0 0 WRITE /local/domain/3/of-0|1 => OK|
            0 0 WRITE /backend/3/x|1 => OK|
            0 0 SET_PERMS /backend/3|n3| => OK|
            0b 0 WATCH /|t| => OK| ; 0b</|t|
            release 3 => detach 3 ; 0b</local/domain/3|t| ; 0b</backend/3|t|
            0 0 DIRECTORY /local/domain| =>
            0 0 DIRECTORY /backend| =>
            check =>
            """)
        #expect(script.core.usage(of: DomainID(4)).nodes == 0)
        #expect(script.core.usage(of: DomainID(3)) == Usage())
    }

    @Test("XSA-419: a transaction that outlives a domain leaves nothing to its successor")
    func transactionsLeaveNothing() throws {
        var script = Script()
        try script.run(
            """
            introduce 3 =>
            0 0 WRITE /x|1 => OK|
            0 0 TRANSACTION_START | => 1|
            0 1 SET_PERMS /x|n3|r3| => OK|
            0 1 WRITE /x/below|1 => OK|
            0 0 WRITE /y|1 => OK|
            0 0 SET_PERMS /y|r3|n4|b3| => OK|
            0b 0 TRANSACTION_START | => 1|
            release 3 => detach 3
            0b 1 GET_PERMS /y| => r0|n4|
            introduce 3 =>
            0b 1 GET_PERMS /y| => r0|n4|
            0 1 GET_PERMS /x| => n0|
            0 1 TRANSACTION_END T| => OK|
            3 0 READ /x| => !EACCES
            3 0 READ /x/below| => !EACCES
            0 0 GET_PERMS /x| => n0|
            0 0 GET_PERMS /x/below| => n0|
            check =>
            """)
    }

    @Test("XSA-483: a successor has its predecessor's limits and features no more")
    func limitsGoWithTheirDomain() throws {
        var script = Script()
        try script.run(
            """
            0 0 SET_FEATURE 3|1| => OK|
            0 0 SET_QUOTA 3|nodes|0| => OK|
            introduce 3 =>
            3 0 WATCH a|t| => OK| ; 3<a|t|
            3 0 TRANSACTION_START | => 1|
            release 3 => 3<closed ; detach 3
            introduce 3 =>
            0 0 GET_FEATURE 3| => 15|
            0 0 GET_QUOTA 3|nodes| => 1000|
            0 0 WRITE /local/domain/3/a|1 => OK|
            3 1 READ a| =>
            check =>
            """)
        #expect(script.core.usage(of: DomainID(3)).watches == 0)
        #expect(script.core.usage(of: DomainID(3)).transactions == 0)
    }
}
