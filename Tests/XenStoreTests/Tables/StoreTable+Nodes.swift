extension StoreTable {
    static let nodes = [
        StoreTable(
            "nodes are written, listed and removed",
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
            ~ oxenstored => b|c|z| # it sorts names
            0 0 DIRECTORY /a/c| =>
            0 0 DIRECTORY /| => tool|a|
            ~ oxenstored => @introduceDomain|@releaseDomain|a|local|tool| # it lists special paths, too, and makes /local
            0 0 RM /a/z| => OK|
            0 0 RM /a/z| => OK|
            0 0 RM /a/z/y| => !ENOENT
            0 0 RM /| => !EINVAL
            ~ oxenstored => OK| # it removes all below the root
            0 0 RM /a| => OK|
            0 0 READ /a/b| => !ENOENT
            0 0 WRITE relative|x => OK|
            0 0 READ /local/domain/0/relative| => x
            0 0 GET_DOMAIN_PATH 5| => /local/domain/5|
            """),
        StoreTable(
            "a request without payload is refused",
            """
            0 0 READ => !EINVAL
            ~ xenstored => !ENOENT # it answers with whatever errno an earlier call left
            """, except: [.oxenstored: "it waits for a payload, and answers no more"]),
        StoreTable(
            "requests of the wrong form are refused",
            """
            0 0 READ /a => !EINVAL
            ~ xenstored => !ENOENT # it answers with whatever errno an earlier call left
            0 0 READ /a|| => !EINVAL
            ~ xenstored => !ENOENT # as above
            0 0 READ | => !EINVAL
            0 0 READ /a/| => !EINVAL
            0 0 READ //a| => !EINVAL
            0 0 READ /a b| => !EINVAL
            0 0 READ @introduceDomain| => !EINVAL
            ~ oxenstored =>  # special paths are nodes there
            0 0 WRITE /a => !EINVAL
            0 0 WRITE @x|y => !EINVAL
            ~ oxenstored => OK| # as above
            0 0 WATCH /a| => !EINVAL
            0 0 WATCH /a|t|1|2| => !EINVAL
            0 0 WATCH /a|t|-1| => !EINVAL
            0 0 CONTROL nonsense| => !EINVAL
            ~ oxenstored => OK| # it takes any command
            0 0 UNWATCH /a|t| => !ENOENT
            0 0 SET_PERMS /| => !EINVAL
            0 0 SET_PERMS /|x0| => !EINVAL
            0 0 SET_PERMS /|n| => !EINVAL
            0 0 SET_PERMS /|n99999| => !EINVAL
            ~ oxenstored => OK| # it takes numbers that no domain can have
            ~ xenstored => !ENOENT # it takes numbers that no domain can have
            0 0 TRANSACTION_END T| => !ENOENT
            0 0 TRANSACTION_END X| => !EINVAL
            0 9 READ /| => !ENOENT
            ~ oxenstored => !EIO # its answer to unknown transactions
            0 9 WATCH /w|t| => OK| ; 0</w|t|
            0 0 WATCH_EVENT /a|t| => !ENOSYS
            0 0 ERROR EINVAL| => !ENOSYS
            0 0 RESTRICT 1| => !ENOSYS
            3 0 INTRODUCE 3|1|1| => !EACCES
            0 0 INTRODUCE 3|1|0| => !EINVAL
            ~ oxenstored => OK| # it takes port 0
            """),
    ]
}
