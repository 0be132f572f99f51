extension StoreTable {
    static let transactions = [
        StoreTable(
            "transactions see one moment, and conflict by node",
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
            ~ oxenstored => !EIO # its answer to unknown transactions
            0 0 READ /m| => 1
            0 0 TRANSACTION_START | => 2|
            0 2 READ /n| => 0
            0b 0 WRITE /n|1 => OK|
            0 2 READ /n| => 0
            0 2 TRANSACTION_END T| => !EAGAIN
            ~ oxenstored => OK| # it merges what does not change the outcome
            0 2 READ /n| => !ENOENT
            ~ oxenstored => !EIO # its answer to unknown transactions
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
            ~ oxenstored => OK| # it merges what does not change the outcome
            0 0 TRANSACTION_START | => 6|
            0 6 TRANSACTION_END X| => !EINVAL
            0 6 READ /n| => 2
            """),
        StoreTable(
            "two transactions may make different children",
            """
            0 0 MKDIR /p| => OK|
            0 0 TRANSACTION_START | => 1|
            0b 0 TRANSACTION_START | => 1|
            0 1 WRITE /p/a|1 => OK|
            0b 1 WRITE /p/b|1 => OK|
            0 1 TRANSACTION_END T| => OK|
            0b 1 TRANSACTION_END T| => OK|
            ~ xenstored => !EAGAIN # a new child changes its parent
            0 0 DIRECTORY /p| => a|b|
            ~ xenstored => a| # the second transaction was in vain
            0 0 TRANSACTION_START | => 2|
            0 2 DIRECTORY /p| => a|b|
            ~ xenstored => a| # as above
            0b 0 WRITE /p/c|1 => OK|
            0 2 TRANSACTION_END T| => !EAGAIN
            ~ oxenstored => OK| # it merges what does not change the outcome
            0 0 TRANSACTION_START | => 3|
            0 3 RM /p| => OK|
            0b 0 WRITE /p/d|1 => OK|
            0 3 TRANSACTION_END T| => !EAGAIN
            ~ oxenstored => OK| # as above
            0 0 TRANSACTION_START | => 4|
            0 4 WRITE /p/e/f|1 => OK|
            0b 0 RM /p| => OK|
            0 4 TRANSACTION_END T| => !EAGAIN
            ~ oxenstored => OK| # as above
            """),
        StoreTable(
            "transactions tell watches when they commit",
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
            ~ oxenstored => OK| ; 0b</a/b|t| ; 0b</a/b|t| ; 0b</c|t| ; 0b</c|t| ; 0b</old|t| # it tells each step
            0 0 READ /a/b| => 2
            0 0 DIRECTORY /| => tool|a|
            ~ oxenstored => @introduceDomain|@releaseDomain|a|local|tool| # it lists special paths, too, and makes /local
            """),
    ]
}
