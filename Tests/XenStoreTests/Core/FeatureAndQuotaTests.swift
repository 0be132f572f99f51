import Testing
import XenStoreWire

@testable import XenStoreServer

/// GET_FEATURE, SET_FEATURE, GET_QUOTA, SET_QUOTA, and what the limits do.
@Suite struct FeatureAndQuotaTests {
    @Test func features() throws {
        var script = Script()
        try script.run(
            """
            0 0 GET_FEATURE => 15|
            3 0 GET_FEATURE => 15|
            0 0 GET_FEATURE 7| => 15|
            3 0 GET_FEATURE 7| => !EACCES
            0 0 GET_FEATURE 7|8| => !EINVAL
            0 0 GET_FEATURE x| => !EINVAL
            0 0 GET_FEATURE 32752| => !ENOENT
            0 0 SET_FEATURE 7|4| => OK|
            0 0 GET_FEATURE 7| => 4|
            0 0 SET_FEATURE 7|16| => !EINVAL
            0 0 SET_FEATURE 7| => !EINVAL
            0 0 SET_FEATURE 32752|1| => !ENOENT
            0 0 SET_FEATURE 0|1| => !EBUSY
            3 0 SET_FEATURE 7|1| => !EACCES
            introduce 7 =>
            0 0 SET_FEATURE 7|1| => !EBUSY
            0 0 GET_FEATURE 7| => 4|
            7 0 GET_FEATURE => 4|
            release 7 => 7<closed ; detach 7
            0 0 GET_FEATURE 7| => 15|
            """)
    }

    @Test func quotas() throws {
        var script = Script()
        try script.run(
            """
            0 0 GET_QUOTA => nodes watches outstanding memory soft-memory transactions transaction-nodes node-permissions path-max node-size|
            0 0 GET_QUOTA nodes| => 1000|
            0 0 GET_QUOTA soft-memory| => 2097152|
            0 0 GET_QUOTA permissions| => 5|
            0 0 GET_QUOTA soft-nodes| => !EINVAL
            0 0 GET_QUOTA nonsense| => !EINVAL
            0 0 GET_QUOTA 3|nodes|x| => !EINVAL
            0 0 GET_QUOTA 3|nodes| => 1000|
            0 0 SET_QUOTA nodes|2| => OK|
            0 0 GET_QUOTA 3|nodes| => 2|
            0 0 SET_QUOTA 3|nodes|7| => OK|
            0 0 SET_QUOTA nodes|1000| => OK|
            0 0 GET_QUOTA 3|nodes| => 7|
            0 0 GET_QUOTA nodes| => 1000|
            0 0 SET_QUOTA nodes| => !EINVAL
            0 0 SET_QUOTA nodes|4294967295| => !EINVAL
            0 0 SET_QUOTA 32752|nodes|1| => !ENOENT
            3 0 GET_QUOTA nodes| => !EACCES
            3 0 SET_QUOTA nodes|1| => !EACCES
            """)
    }

    /// Each limit is the most that is granted; zero is none; dom0 has none.
    @Test func eachLimitHoldsForGuestsAlone() throws {
        var script = Script()
        try script.run(
            """
            0 0 MKDIR /local/domain/3| => OK|
            0 0 SET_PERMS /local/domain/3|n3| => OK|
            0 0 SET_QUOTA 3|watches|1| => OK|
            3 0 WATCH a|1| => OK| ; 3<a|1|
            3b 0 WATCH a|1| => !ENOSPC
            3 0 UNWATCH a|1| => OK|
            3b 0 WATCH a|1| => OK| ; 3b<a|1|
            0 0 SET_QUOTA 3|watches|0| => OK|
            3 0 WATCH a|1| => OK| ; 3<a|1|
            0 0 SET_QUOTA 3|transactions|1| => OK|
            3 0 TRANSACTION_START | => 1|
            3b 0 TRANSACTION_START | => !ENOSPC
            3 1 TRANSACTION_END F| => OK|
            3b 0 TRANSACTION_START | => 1|
            3b 0 RESET_WATCHES | => OK|
            3 0 TRANSACTION_START | => 2|
            3 2 TRANSACTION_END T| => OK|
            0 0 SET_QUOTA 3|path-max|4| => OK|
            3 0 READ abcd| => !ENOENT
            3 0 READ abcde| => !EINVAL
            0 0 SET_QUOTA 3|node-permissions|2| => OK|
            3 0 WRITE p|1 => OK|
            3 0 SET_PERMS p|n3|r1| => OK|
            3 0 SET_PERMS p|n3|r1|r2| => !ENOSPC
            0 0 SET_QUOTA 3|node-size|3| => OK|
            3 0 WRITE p|123 => OK|
            3 0 WRITE p|1234 => !ENOSPC
            0 0 WRITE /local/domain/3/p|12345 => OK|
            0 0 SET_PERMS /local/domain/3/p|n3|r1|r2|r4|r5|r6|r7| => OK|
            check =>
            """)
    }

    @Test func theSoftLimitIsToldWhateverPassesIt() throws {
        var script = Script()
        let token = String(repeating: "t", count: 140)
        try script.run(
            """
            0 0 MKDIR /local/domain/3| => OK|
            0 0 SET_PERMS /local/domain/3|n3| => OK|
            0 0 SET_QUOTA 3|soft-memory|150| => OK|
            3 0 WATCH a|\(token)| => OK| ; 3<a|\(token)| ; log soft 3 exceeded
            3 0 UNWATCH a|\(token)| => OK| ; log soft 3 kept
            3 0 WRITE b|\(token) => OK| ; log soft 3 exceeded
            3 0 RM b| => OK| ; log soft 3 kept
            """)
    }

    @Test func memoryIsBoundedHardAndToldSoft() throws {
        var script = Script()
        try script.run(
            """
            0 0 MKDIR /local/domain/3| => OK|
            0 0 SET_PERMS /local/domain/3|n3| => OK|
            0 0 SET_QUOTA 3|soft-memory|100| => OK|
            0 0 SET_QUOTA 3|memory|200| => OK|
            3 0 WRITE a|1 => OK|
            3 0 WRITE a|1234567890123456789012345678901234567890 => OK| ; log soft 3 exceeded
            3 0 WRITE b|123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890 => !ENOSPC
            3 0 WRITE a| => OK| ; log soft 3 kept
            3 0 WATCH a|token-that-is-long-enough-to-pass-the-limit-of-two-hundred-bytes-all-by-itself-12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890| => !ENOMEM
            3 0 RM a| => OK|
            check =>
            """)
    }

    /// A guest cannot hide what it holds in transactions.
    @Test func transactionsCountForMemory() throws {
        var script = Script()
        try script.run(
            """
            0 0 MKDIR /local/domain/3| => OK|
            0 0 SET_PERMS /local/domain/3|n3| => OK|
            0 0 SET_QUOTA 3|memory|1000| => OK|
            0 0 SET_QUOTA 3|soft-memory|0| => OK|
            3 0 TRANSACTION_START | => 1|
            3 1 WRITE a|1 => OK|
            3 1 WRITE a|2 => OK|
            3 1 WRITE b|\(String(repeating: "x", count: 900)) => !ENOSPC
            3 1 TRANSACTION_END T| => !ENOMEM
            3 0 READ a| => !ENOENT
            check =>
            """)
    }

    @Test func aCommitThatWouldPassTheLimitIsRefused() throws {
        var script = Script()
        try script.run(
            """
            0 0 MKDIR /local/domain/3| => OK|
            0 0 SET_PERMS /local/domain/3|n3| => OK|
            0 0 SET_QUOTA 3|nodes|2| => OK|
            3 0 TRANSACTION_START | => 1|
            3 1 WRITE a|1 => OK|
            3 0 WRITE b|1 => OK|
            3 1 TRANSACTION_END T| => !ENOSPC
            3 1 TRANSACTION_END T| => !ENOENT
            3 0 TRANSACTION_START | => 2|
            3 2 RM b| => OK|
            3 2 WRITE c|1 => OK|
            3 2 TRANSACTION_END T| => OK|
            3 0 DIRECTORY | => !EINVAL
            0 0 DIRECTORY /local/domain/3| => c|
            check =>
            """)
    }
}
